"""Tests of this directory are coroutines that get rooms of their own."""

import asyncio
import functools
import inspect
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from .rooms import Rooms


@asynccontextmanager
async def _opened(root: Path) -> AsyncIterator[Rooms]:
    rooms = Rooms(root)
    try:
        yield rooms
    finally:
        await rooms.close()


def _in_loop(test: Callable[..., Awaitable[None]]) -> Callable[..., None]:
    @functools.wraps(test)
    def run(rooms: Path, **arguments: Any) -> None:
        async def body() -> None:
            async with _opened(rooms) as opened:
                await test(rooms=opened, **arguments)

        asyncio.run(body())

    return run


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if isinstance(item, pytest.Function) and inspect.iscoroutinefunction(item.obj):
            item.obj = _in_loop(item.obj)


@pytest.fixture
def rooms(tmp_path: Path) -> Path:
    """The root on which the test's rooms are opened."""
    return tmp_path / "data"
