"""One thing at a time per container, whoever asks for it."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

T = TypeVar("T")


class Worker:
    """Runs what is submitted in order; costs a task only while there is work.

    Work that has begun is finished even if the client that asked for it has
    vanished, so that no half-done start or removal stays behind.
    """

    __slots__ = ("_name", "_queue", "_task")

    def __init__(self, name: str) -> None:
        self._name = name
        self._queue: deque[tuple[Callable[[], Awaitable[Any]], asyncio.Future[Any]]] = deque()
        self._task: asyncio.Task[None] | None = None

    @property
    def idle(self) -> bool:
        """Whether nothing is under way or queued."""
        return self._task is None

    def submit(self, work: Callable[[], Awaitable[T]]) -> "asyncio.Future[T]":
        """Queues `work`; the future has its result or its exception."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()
        self._queue.append((work, future))
        if self._task is None:
            self._task = loop.create_task(self._run(), name=self._name)
        return future

    async def do(self, work: Callable[[], Awaitable[T]]) -> T:
        """Queues `work` and waits for it."""
        return await asyncio.shield(self.submit(work))

    async def settle(self) -> None:
        """Waits until what was submitted before is done."""
        if not self.idle:
            await self.do(_nothing)

    async def _run(self) -> None:
        while self._queue:
            work, future = self._queue.popleft()
            try:
                result = await work()
            except asyncio.CancelledError:
                future.cancel()
                self._task = None
                raise
            except BaseException as error:
                if not future.cancelled():
                    future.set_exception(error)
            else:
                if not future.cancelled():
                    future.set_result(result)
        self._task = None


async def _nothing() -> None:
    pass
