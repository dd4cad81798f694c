"""Snapshots on a directory of their own, inside a running loop."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from lading.linux import mounts
from lading.snapshots import OverlaySnapshots
from lading.state import Database


@pytest.fixture
def loop() -> Iterator[asyncio.AbstractEventLoop]:
    with asyncio.Runner() as runner:
        yield runner.get_loop()


@pytest.fixture
def snapshots(tmp_path: Path, loop: asyncio.AbstractEventLoop) -> Iterator[OverlaySnapshots]:
    """Every method but `close` is for the loop's thread; the tests stand in for the loop."""
    (tmp_path / "snapshots").mkdir()
    made = OverlaySnapshots(str(tmp_path / "snapshots"), Database(str(tmp_path / "state.db")))

    async def open_there() -> None:
        made.open()

    loop.run_until_complete(open_there())
    yield made
    loop.run_until_complete(made.close())


@pytest.fixture
def target(tmp_path: Path) -> Iterator[Path]:
    """Where to mount."""
    path = tmp_path / "mounted"
    path.mkdir()
    yield path
    while mounts.unmount_if_mounted(str(path)):
        pass
