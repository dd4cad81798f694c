"""A thread's output as a stream of the loop, with back-pressure."""

import asyncio
import threading
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from typing import Generic, TypeVar

_HELD = 4 << 20

Head = TypeVar("Head")


async def flowing(
    work: "Callable[[Outflow[None]], None]", name: str, problem: Callable[[OSError], Exception]
) -> AsyncGenerator[bytes, None]:
    """What `work` pushes; before that an empty piece, once it has announced that it can.

    An OSError that the thread raises becomes what `problem` makes of it. Close the stream
    if it is not read to its end: only that stops the thread.
    """
    flow = Outflow(work, name)
    try:
        await flow.head()
        yield b""
        async for piece in flow.pieces():
            yield piece
    except OSError as error:
        raise problem(error) from None
    finally:
        await flow.close()


class Abandoned(Exception):
    """Nobody reads any more."""


class Outflow(Generic[Head]):
    """Between one thread of its own, which calls `announce` and `push`, and the loop.

    `work` gets the outflow and runs until it has pushed everything. It is to
    end soon when `push` raises Abandoned.
    """

    def __init__(self, work: "Callable[[Outflow[Head]], None]", name: str) -> None:
        self._loop = asyncio.get_running_loop()
        self._work = work
        self._head: asyncio.Future[Head] = self._loop.create_future()
        self._ready = asyncio.Event()
        self._change = threading.Condition()
        self._pieces: deque[bytes] = deque()
        self._held = 0
        self._abandoned = False
        self._ended = asyncio.Event()
        self._failure: BaseException | None = None
        threading.Thread(target=self._run, name=name, daemon=True).start()

    # --- on the loop

    async def head(self) -> Head:
        """What the thread announces before its first piece; raises what it raised instead."""
        return await asyncio.shield(self._head)

    async def pieces(self) -> AsyncIterator[bytes]:
        """Until the thread has ended; raises what it raised."""
        while True:
            self._ready.clear()
            with self._change:
                taken, self._pieces, self._held = self._pieces, deque(), 0
                self._change.notify()
            for piece in taken:
                yield piece
            if taken:
                continue
            if self._ended.is_set():
                if self._failure is not None:
                    raise self._failure
                return
            await self._ready.wait()

    async def close(self) -> None:
        """Makes `push` raise Abandoned, and waits for the thread to end."""
        with self._change:
            self._abandoned = True
            self._change.notify()
        await self._ended.wait()
        if self._head.done() and not self._head.cancelled():
            self._head.exception()

    # --- in the thread

    def announce(self, head: Head) -> None:
        """To be called once, before `push`."""
        self._tell(lambda: self._settle(head))

    def push(self, piece: bytes) -> None:
        """Blocks while much is held. Raises Abandoned."""
        with self._change:
            while self._held > _HELD and not self._abandoned:
                self._change.wait()
            if self._abandoned:
                raise Abandoned
            first = not self._pieces
            self._pieces.append(piece)
            self._held += len(piece)
        if first:
            self._tell(self._ready.set)

    def _run(self) -> None:
        failure: BaseException | None = None
        try:
            self._work(self)
        except Abandoned:
            pass
        except BaseException as error:
            failure = error
        try:
            self._tell(lambda: self._end(failure))
        except Abandoned:
            pass

    def _settle(self, head: Head) -> None:
        if not self._head.done():
            self._head.set_result(head)

    def _end(self, failure: BaseException | None) -> None:
        self._failure = failure
        if not self._head.done():
            self._head.set_exception(failure or Abandoned())
        self._ended.set()
        self._ready.set()

    def _tell(self, news: Callable[[], None]) -> None:
        try:
            self._loop.call_soon_threadsafe(news)
        except RuntimeError:
            # The loop has been closed: nobody reads any more.
            raise Abandoned from None
