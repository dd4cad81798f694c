"""The frames of the WebSocket protocol. Pure.

Source: RFC 6455. Messages have no meaning here, only their bytes in order.
"""

from typing import NamedTuple

TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10
NORMAL, PROTOCOL_ERROR = 1000, 1002
"""Why a connection is closed (section 7.4.1)."""

_CONTINUATION = 0
_LONGEST_CONTROL = 125


class FrameError(ValueError):
    """The other side does not keep to the protocol."""


class Arrived(NamedTuple):
    """A piece of a message (TEXT or BINARY), or a whole control frame."""

    kind: int
    data: bytes


def frame(kind: int, data: bytes) -> bytes:
    """One whole message or control frame from a server, which does not mask."""
    length = len(data)
    if length <= _LONGEST_CONTROL:
        return bytes((0x80 | kind, length)) + data
    if length < 1 << 16:
        return bytes((0x80 | kind, 126)) + length.to_bytes(2, "big") + data
    return bytes((0x80 | kind, 127)) + length.to_bytes(8, "big") + data


def closing(code: int) -> bytes:
    """The frame that ends the connection."""
    return frame(CLOSE, code.to_bytes(2, "big"))


class Decoder:
    """What a client sends, frame after frame; holds no more than a control frame."""

    def __init__(self) -> None:
        self._buffer = b""
        self._kind = 0
        self._message = 0
        self._left = 0
        self._mask = b""

    def feed(self, data: bytes) -> list[Arrived]:
        """What has arrived with these bytes. Raises FrameError."""
        self._buffer += data
        found: list[Arrived] = []
        while self._mask or self._head():
            whole = len(self._buffer) >= self._left
            if self._kind >= CLOSE and not whole:
                break
            piece, self._buffer = self._buffer[: self._left], self._buffer[self._left :]
            found.append(Arrived(self._kind, self._unmasked(piece)))
            if not whole:
                break
            self._mask = b""
        return [arrived for arrived in found if arrived.data or arrived.kind >= CLOSE]

    def _head(self) -> bool:
        """Reads the head of the next frame; False where it has not arrived yet."""
        buffer = self._buffer
        if len(buffer) < 2:
            return False
        final, kind, length = buffer[0] & 0x80, buffer[0] & 0x0F, buffer[1] & 0x7F
        if buffer[0] & 0x70 or kind not in (_CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG):
            raise FrameError("unknown kind of frame")
        if not buffer[1] & 0x80:
            raise FrameError("a client must mask what it sends")
        if kind >= CLOSE and not (final and length <= _LONGEST_CONTROL):
            raise FrameError("a control frame must be short and whole")
        extra = {126: 2, 127: 8}.get(length, 0)
        start = 2 + extra
        if len(buffer) < start + 4:
            return False
        self._left = int.from_bytes(buffer[2:start], "big") if extra else length
        self._mask, self._buffer = buffer[start : start + 4], buffer[start + 4 :]
        self._begin(kind, bool(final))
        return True

    def _begin(self, kind: int, final: bool) -> None:
        self._kind = kind
        if kind >= CLOSE:
            return
        if (kind == _CONTINUATION) != bool(self._message):
            raise FrameError("a message within a message, or the rest of none")
        self._kind = self._message or kind
        self._message = 0 if final else self._kind

    def _unmasked(self, piece: bytes) -> bytes:
        size = len(piece)
        self._left -= size
        mask = self._mask
        # The next piece of the same frame goes on where this one ends.
        self._mask = mask[size % 4 :] + mask[: size % 4]
        repeated = (mask * (size // 4 + 1))[:size]
        return (int.from_bytes(piece, "big") ^ int.from_bytes(repeated, "big")).to_bytes(size, "big")
