"""A stream of the loop as a source a thread can pull from, with back-pressure."""

import asyncio
import queue
import threading
from collections.abc import AsyncIterator, Callable
from typing import TypeVar

from lading.aio import tasks

_HELD = 4 << 20
_GATHERED = 512 << 10

Result = TypeVar("Result")


class Abandoned(Exception):
    """The stream ended in an error, which is its cause, or nobody wants the result any more."""


async def read_in_thread(
    stream: AsyncIterator[bytes],
    work: Callable[[Callable[[], bytes]], Result],
    drop: Callable[[Result], None],
) -> Result:
    """Runs `work` in a thread of its own that pulls from the stream; raises what either raises.

    A client that sends nothing more must not keep others from the pool. When cancelled it
    waits for the thread, and has it `drop` a result that came too late.
    """
    feed = Feed()
    pumping = asyncio.create_task(feed.pump(stream))
    working = asyncio.create_task(tasks.in_own_thread(work, feed.pull))
    try:
        return await asyncio.shield(working)
    except Abandoned as failure:
        raise failure.__cause__ or failure from None
    except asyncio.CancelledError:
        feed.abandon()
        await tasks.give_up(working, drop)
        raise
    finally:
        pumping.cancel()


class Feed:
    """Between the loop, which runs `pump`, and one thread, which calls `pull`."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._pieces: queue.SimpleQueue[bytes | BaseException] = queue.SimpleQueue()
        self._room = asyncio.Event()
        self._lock = threading.Lock()
        self._held = 0

    async def pump(self, stream: AsyncIterator[bytes]) -> None:
        """Moves the whole stream; what it raises is raised by `pull`."""
        try:
            # Network pieces are small; each hand-over between threads costs as much as hashing 50 kB.
            gathered: list[bytes] = []
            size = 0
            async for piece in stream:
                gathered.append(piece)
                size += len(piece)
                if size >= _GATHERED:
                    await self._put(b"".join(gathered))
                    gathered, size = [], 0
            if size:
                await self._put(b"".join(gathered))
        except BaseException as error:
            self._pieces.put(error)
            if not isinstance(error, Exception):
                raise
        else:
            self._pieces.put(b"")

    def abandon(self) -> None:
        """Makes `pull` raise Abandoned."""
        self._pieces.put(Abandoned())

    async def _put(self, piece: bytes) -> None:
        with self._lock:
            self._held += len(piece)
            full = self._held > _HELD
            if full:
                self._room.clear()
        self._pieces.put(piece)
        if full:
            await self._room.wait()

    def pull(self) -> bytes:
        """The next piece, empty at the end. Blocks. Raises what the stream raised."""
        piece = self._pieces.get()
        if isinstance(piece, BaseException):
            # Kept: whoever pulls again must not wait for what will never come.
            self._pieces.put(piece)
            raise piece if isinstance(piece, Abandoned) else Abandoned from piece
        if not piece:
            self._pieces.put(piece)
            return piece
        with self._lock:
            was_full = self._held > _HELD
            self._held -= len(piece)
            has_room = was_full and self._held <= _HELD
        if has_room:
            self._loop.call_soon_threadsafe(self._room.set)
        return piece
