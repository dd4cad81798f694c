"""Message bodies: finding their end, and queueing them with back-pressure."""

import asyncio
import re
from collections import deque
from collections.abc import AsyncIterator, Callable

from lading.errors import InvalidParameter

HIGH_WATER = 256 * 1024
_CHUNK_SIZE = re.compile(rb"([0-9a-fA-F]{1,15})[ \t]*(?:;[^\r\n]*)?\Z")
_LONGEST_LINE = 4096


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

    __slots__ = ("_buffer", "_left", "_state", "complete")

    def __init__(self) -> None:
        self._buffer = b""
        self._left = 0
        self._state = "size"
        self.complete = False

    def feed(self, data: bytes) -> tuple[list[bytes], bytes]:
        """The decoded pieces in `data`, and what follows the body.

        Raises InvalidParameter where the coding is broken.
        """
        data, self._buffer = self._buffer + data, b""
        pieces: list[bytes] = []
        while data and not self.complete:
            if self._state == "data":
                piece, data = data[: self._left], data[self._left :]
                self._left -= len(piece)
                pieces.append(piece)
                if self._left == 0:
                    self._state = "end"
                continue
            line, separator, rest = data.partition(b"\r\n")
            if not separator:
                if len(data) > _LONGEST_LINE:
                    raise InvalidParameter("malformed chunked encoding")
                self._buffer = data
                return pieces, b""
            data = rest
            self._take_line(line)
        return pieces, data

    def _take_line(self, line: bytes) -> None:
        if self._state == "size":
            found = _CHUNK_SIZE.match(line)
            if found is None:
                raise InvalidParameter("malformed chunked encoding")
            self._left = int(found[1], 16)
            self._state = "data" if self._left else "trailer"
        elif self._state == "end":
            if line:
                raise InvalidParameter("malformed chunked encoding")
            self._state = "size"
        elif not line:
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

    @property
    def consumed(self) -> bool:
        """Whether the handler has seen the body's end."""
        return self._ended and not self._pieces

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
