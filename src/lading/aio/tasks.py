"""Tasks that cannot get lost, and work that must not block the loop."""

import asyncio
import logging
import threading
from collections.abc import Callable, Coroutine
from typing import Any, ParamSpec, TypeVar, cast

_log = logging.getLogger(__name__)

P = ParamSpec("P")
T = TypeVar("T")


async def in_thread(function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
    """Runs blocking work in the loop's thread pool."""
    return await asyncio.to_thread(function, *args, **kwargs)


async def in_own_thread(function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
    """Runs blocking work in a thread that ends with it.

    For work that changes its thread for good, or may be long and must not
    keep others from the pool.
    """
    loop = asyncio.get_running_loop()
    outcome: asyncio.Future[T] = loop.create_future()

    def settle(result: T | None, error: BaseException | None) -> None:
        if outcome.cancelled():
            return
        if error is not None:
            outcome.set_exception(error)
        else:
            outcome.set_result(cast("T", result))

    def run() -> None:
        result, failure = None, None
        try:
            result = function(*args, **kwargs)
        except BaseException as error:
            failure = error
        try:
            loop.call_soon_threadsafe(settle, result, failure)
        except RuntimeError:
            # The loop has been closed: nobody waits any more.
            pass

    threading.Thread(target=run, name=getattr(function, "__name__", "work"), daemon=True).start()
    return await outcome


async def held(function: Callable[[], T], drop: Callable[[T], None]) -> T:
    """Runs blocking work, whose result must not get lost, in a thread of its own.

    When cancelled it waits for the thread, and has a result that came too late dropped.
    """
    working = asyncio.get_running_loop().create_task(in_own_thread(function))
    try:
        return await asyncio.shield(working)
    except asyncio.CancelledError:
        await give_up(working, drop)
        raise


async def give_up(working: asyncio.Task[T], drop: Callable[[T], object]) -> None:
    """Waits until a task nobody wants any more has ended, and has a thread `drop` what it brought."""
    await asyncio.wait([working])
    if not working.cancelled() and working.exception() is None:
        await in_thread(drop, working.result())


class Background:
    """Tasks nobody awaits: kept alive, their failures logged, ended together."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[Any]] = set()

    def spawn(self, work: Coroutine[Any, Any, Any], name: str) -> asyncio.Task[Any]:
        """Starts `work` at once."""
        task = asyncio.get_running_loop().create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    async def finish(self, work: Coroutine[Any, Any, T], name: str) -> T:
        """Runs `work` to its end though its caller be cancelled; a failure is the caller's to deal with."""
        task = asyncio.get_running_loop().create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._finished)
        return await asyncio.shield(task)

    def _finished(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled():
            task.exception()

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            _log.error("background task %s failed", task.get_name(), exc_info=error)

    async def drain(self) -> None:
        """Waits until nothing is under way."""
        # Those that are done may still be listed: gather would return at once, and for ever.
        while pending := [task for task in self._tasks if not task.done()]:
            await asyncio.wait(pending)

    async def cancel(self) -> None:
        """Cancels what is under way and waits for it to end."""
        for task in self._tasks:
            task.cancel()
        await self.drain()
