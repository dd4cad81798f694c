"""The multiplexed stream: stdout and stderr on one connection, told apart by frames (pure).

Each frame has eight bytes of head: the stream's number, three zeros, and the
length of what follows, big end first (Engine API 1.51, "Attach to a container").
"""

from __future__ import annotations

STDOUT, STDERR, SYSTEM_ERROR = 1, 2, 3
_HEAD = 8


class Frames:
    """Takes the stream apart as it comes; parts of frames are handed on at once."""

    __slots__ = ("_head", "_remaining", "_stream")

    def __init__(self) -> None:
        self._head = b""
        self._stream = 0
        self._remaining = 0

    def feed(self, data: bytes) -> list[tuple[int, bytes]]:
        """Pairs of the stream's number and bytes for it. Raises ValueError where there is no frame."""
        found = []
        position = 0
        while position < len(data):
            if self._remaining:
                piece = data[position : position + self._remaining]
                found.append((self._stream, piece))
                self._remaining -= len(piece)
                position += len(piece)
                continue
            missing = _HEAD - len(self._head)
            self._head += data[position : position + missing]
            position += missing
            if len(self._head) == _HEAD:
                self._stream = self._head[0]
                if self._stream > SYSTEM_ERROR:
                    raise ValueError(f"unrecognized stream: {self._stream}")
                self._remaining = int.from_bytes(self._head[4:], "big")
                self._head = b""
        return found
