"""Cutting a stream into the lines a log keeps, as docker's copier cuts it.

A line ends at a newline. One that is longer than 16 KiB is logged in pieces of
exactly that size, the last of which ends the line and may be empty. What is
left at the end of a stream is a piece without an end.
"""

from __future__ import annotations

PIECE = 16384

WHOLE = 0
"""A block of complete lines, each with its newline."""
PART = 1
"""The next piece of a line that goes on."""
LAST = 2
"""The piece that ends a line begun in pieces, without its newline."""


class Splitter:
    """Keeps what is not yet a line of one stream."""

    __slots__ = ("inside", "pending")

    def __init__(self, pending: bytes = b"", inside: bool = False) -> None:
        self.pending = pending
        self.inside = inside
        """Whether pieces of the line that `pending` goes on with were given out already."""

    def feed(self, data: bytes) -> list[tuple[int, bytes]]:
        """What can be logged now, in order, as (WHOLE | PART | LAST, text)."""
        text = self.pending + data if self.pending else data
        found: list[tuple[int, bytes]] = []
        start = 0
        while True:
            if self.inside:
                start = self._go_on(text, start, found)
                if self.inside:
                    break
            end = self._lines_end(text, start)
            if end > start:
                found.append((WHOLE, text[start:end] if start or end < len(text) else text))
                start = end
            if len(text) - start < PIECE:
                break
            self.inside = True
        self.pending = text[start:]
        return found

    def finish(self) -> list[tuple[int, bytes]]:
        """What is left when the stream ends."""
        left, self.pending, self.inside = self.pending, b"", False
        return [(PART, left)] if left else []

    def _go_on(self, text: bytes, start: int, found: list[tuple[int, bytes]]) -> int:
        """Gives out pieces of one long line from `start`; where the line ends, or text runs out."""
        while True:
            end = text.find(b"\n", start, start + PIECE)
            if end >= 0:
                found.append((LAST, text[start:end]))
                self.inside = False
                return end + 1
            if len(text) - start < PIECE:
                return start
            found.append((PART, text[start : start + PIECE]))
            start += PIECE

    @staticmethod
    def _lines_end(text: bytes, start: int) -> int:
        """Where the run of lines that are short enough ends, found by hops of a piece."""
        while True:
            newline = text.rfind(b"\n", start, start + PIECE)
            if newline < 0:
                return start
            start = newline + 1
