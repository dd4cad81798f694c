"""Message bodies: finding their end, and queueing them with back-pressure."""

import asyncio
import re
from collections import deque
from collections.abc import AsyncIterator, Callable

from lading.errors import InvalidParameter

HIGH_WATER = 256 * 1024
_CHUNK_SIZE = re.compile(rb"([0-9a-fA-F]{1,15})[ \t]*(?:;[^\r\n]*)?\Z")
_LONGEST_LINE = 4096
_LONGEST_TRAILER = 64 * 1024


class FixedBody:
    """A body of a known length (RFC 9112, section 6.2)."""

    __slots__ = ("_left", "complete")

    def __init__(self, length: int) -> None:
        self._left = length
        self.complete = length == 0

    def feed(self, data: bytes) -> tuple[list[bytes], bytes]:
        """The body's pieces in `data`, and what follows the body."""
        piece, rest = data[: self._left], data[self._left :]
        self._left -= len(piece)
        self.complete = self._left == 0
        return ([piece] if piece else []), rest


class ChunkedBody:
    """A body in the chunked transfer coding (RFC 9112, section 7.1)."""

    __slots__ = ("_buffer", "_left", "_state", "_trailer", "complete")

    def __init__(self) -> None:
        self._buffer = b""
        self._left = 0
        self._state = "size"
        self._trailer = 0
        self.complete = False

    def feed(self, data: bytes) -> tuple[list[bytes], bytes]:
        """The decoded pieces in `data`, and what follows the body.

        Raises InvalidParameter where the coding is broken.
        """
        # An index moves over the data: cutting it chunk by chunk would cost its square.
        data, self._buffer, at = self._buffer + data, b"", 0
        pieces: list[bytes] = []
        while at < len(data) and not self.complete:
            if self._state == "data":
                piece = data[at : at + self._left]
                at += len(piece)
                self._left -= len(piece)
                pieces.append(piece)
                if self._left == 0:
                    self._state = "end"
                continue
            end = data.find(b"\r\n", at)
            if (end if end >= 0 else len(data)) - at > _LONGEST_LINE:
                raise InvalidParameter("malformed chunked encoding: a line is too long")
            if end < 0:
                self._buffer = data[at:]
                return pieces, b""
            self._take_line(data[at:end])
            at = end + 2
        return pieces, data[at:]

    def _take_line(self, line: bytes) -> None:
        if self._state == "size":
            found = _CHUNK_SIZE.match(line)
            if found is None:
                raise InvalidParameter("malformed chunked encoding: a chunk's size is not a number")
            self._left = int(found[1], 16)
            self._state = "data" if self._left else "trailer"
        elif self._state == "end":
            if line:
                raise InvalidParameter("malformed chunked encoding: a chunk is longer than its size")
            self._state = "size"
        elif line:
            self._trailer += len(line)
            if self._trailer > _LONGEST_TRAILER:
                raise InvalidParameter("malformed chunked encoding: the trailer is too long")
        else:
            self.complete = True


class BodyQueue:
    """Pieces of a body on their way from the connection to the handler."""

    __slots__ = ("_announce", "_ended", "_error", "_pieces", "_ready", "_size", "_started", "_throttle")

    def __init__(self, throttle: Callable[[bool], None], announce: Callable[[], None]) -> None:
        """`throttle` stops and resumes reading; `announce` is called before the first read."""
        self._pieces: deque[bytes] = deque()
        self._size = 0
        self._ended = False
        self._error: Exception | None = None
        self._ready: asyncio.Future[None] | None = None
        self._throttle = throttle
        self._announce = announce
        self._started = False

    def put(self, piece: bytes) -> None:
        self._pieces.append(piece)
        self._size += len(piece)
        if self._size > HIGH_WATER:
            self._throttle(True)
        self._wake()

    def end(self, error: Exception | None = None) -> None:
        self._ended, self._error = True, error
        self._wake()

    def _wake(self) -> None:
        if self._ready is not None and not self._ready.done():
            self._ready.set_result(None)

    async def pieces(self) -> AsyncIterator[bytes]:
        """Yields until the end. Raises InvalidParameter where the client broke off."""
        if not self._started:
            self._started = True
            self._announce()
        while True:
            while self._pieces:
                piece = self._pieces.popleft()
                self._size -= len(piece)
                if self._size <= HIGH_WATER // 2:
                    self._throttle(False)
                yield piece
            if self._error is not None:
                raise self._error
            if self._ended:
                return
            self._ready = asyncio.get_running_loop().create_future()
            await self._ready
