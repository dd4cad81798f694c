"""The health checks under way, all containers' together."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from lading.runtime import Exit

_STARTS_AT_ONCE = 4
"""More would only wait for a processor, and for each other."""


class Probing:
    """Who waits for the end of which check, and how many may be started at the same time."""

    def __init__(self) -> None:
        self.starts = asyncio.Semaphore(_STARTS_AT_ONCE)
        self._waiting: dict[str, asyncio.Future[int]] = {}

    @contextmanager
    def expect(self, key: str) -> "Iterator[asyncio.Future[int]]":
        """The exit code to come of the check with this key, for as long as the block takes."""
        future: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._waiting[key] = future
        try:
            yield future
        finally:
            del self._waiting[key]

    def ended(self, news: Exit) -> None:
        """A process has ended, perhaps one of the checks."""
        future = self._waiting.get(news.key)
        if future is not None and not future.done():
            future.set_result(news.code)
