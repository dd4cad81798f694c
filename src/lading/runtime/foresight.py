"""Paying for the kernel's slowest step before a container needs it."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

from lading.linux import cgroups

_WORTH = 0.015
"""Seconds for which one move makes the next one cheap, about."""


class Foresight:
    """Prepares the move of a process into its control group as soon as one is to be expected."""

    def __init__(self) -> None:
        # One of its own: it sleeps in the kernel, and the pool's threads are for work.
        self._thread = ThreadPoolExecutor(1, "foresight")
        self._next = 0.0
        self._under_way: asyncio.Future[None] | None = None

    def expect(self) -> None:
        """A process will soon be started. Returns at once."""
        loop = asyncio.get_running_loop()
        if loop.time() < self._next or (self._under_way is not None and not self._under_way.done()):
            return
        self._under_way = loop.run_in_executor(self._thread, cgroups.prepare_move)

    def moved(self) -> None:
        """A process was started, so the next can be started soon without more ado."""
        self._next = asyncio.get_running_loop().time() + _WORTH

    def close(self) -> None:
        """Ends the thread."""
        self._thread.shutdown(wait=False)
