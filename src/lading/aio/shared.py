"""Work whose result several may wait for at once."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Shared(Generic[T]):
    """Runs `work` once for all who ask while it runs. It goes on though all of them go away."""

    def __init__(self, work: Callable[[], Awaitable[T]]) -> None:
        self._work = work
        self._running: asyncio.Task[T] | None = None

    async def result(self) -> T:
        """What `work` gives or raises."""
        if self._running is None or self._running.done():
            self._running = asyncio.get_running_loop().create_task(self._run(), name="shared work")
        return await asyncio.shield(self._running)

    async def _run(self) -> T:
        return await self._work()
