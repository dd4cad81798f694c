"""What the keeper has read but not finished with, where its death cannot take it.

A read from a pipe cannot be undone: a keeper killed between reading and
logging would lose up to a quarter of a megabyte. So the kernel moves output
from the pipe into a memory file (splice) whose file position says how much is
in flight, and the daemon holds that file too. A new keeper finds the chunk, cuts
the log back to where it stood and processes the chunk again. Beginnings of
lines, which belong in no log yet, are kept in slots of the same file.

The file position changes in the same system call that takes the bytes out of
the pipe, and setting it to zero is what commits a chunk.
"""

from __future__ import annotations

import os
import struct

CHUNK = 256 * 1024
"""Most bytes taken from a pipe at once."""

_HEADER = struct.Struct("<QQQQQ")  # slot, generation, inode and size of the log before, bytes done
_SLOTS = CHUNK + 4096
_KEPT = struct.Struct("<QI?")  # generation, length, inside a long line
_HALF = 20480  # room for a header and the longest beginning of a line


class InFlight:
    """The chunk a dead keeper was busy with."""

    __slots__ = ("data", "done", "generation", "inode", "size", "slot")

    def __init__(self, header: bytes, data: bytes) -> None:
        self.slot, self.generation, self.inode, self.size, self.done = _HEADER.unpack(header)
        self.data = data


class Journal:
    """The memory file. Slots are numbered by the caller's own bookkeeping: `claim` and `release`."""

    def __init__(self, file: int | None = None) -> None:
        self.file = os.memfd_create("keeper-journal", os.MFD_CLOEXEC) if file is None else file
        self._generations: dict[int, int] = {}
        self._header = b""
        self.in_flight: InFlight | None = None
        length = os.lseek(self.file, 0, os.SEEK_CUR)
        if length:
            header = os.pread(self.file, _HEADER.size, CHUNK)
            self.in_flight = InFlight(header, os.pread(self.file, length, 0))

    def claim(self) -> int:
        """A fresh slot."""
        slot = 0
        while slot in self._generations:
            slot += 1
        self._generations[slot] = 0
        for half in (0, 1):
            os.pwrite(self.file, _KEPT.pack(0, 0, False), self._place(slot, half))
        return slot

    def release(self, slot: int) -> None:
        """The stream has ended."""
        self._generations.pop(slot, None)

    def restore(self, slot: int) -> tuple[bytes, bool]:
        """Claims a slot again after a keeper's death; what it kept, before the chunk in flight if any."""
        found = [self._half(slot, half) for half in (0, 1)]
        generation, pending, inside = max(found)
        if self.in_flight is not None and self.in_flight.slot == slot:
            for half in found:
                if half[0] == self.in_flight.generation:
                    generation, pending, inside = half
        self._generations[slot] = generation
        return pending, inside

    def _half(self, slot: int, half: int) -> tuple[int, bytes, bool]:
        place = self._place(slot, half)
        generation, length, inside = _KEPT.unpack(
            os.pread(self.file, _KEPT.size, place).ljust(_KEPT.size, b"\0")
        )
        return generation, os.pread(self.file, length, place + _KEPT.size), inside

    def take(self, pipe: int, slot: int, inode: int, size: int) -> bytes:
        """Moves what a pipe holds into flight; empty at its end.

        `inode` and `size` tell how long the log is now. Raises BlockingIOError
        where the pipe is empty.
        """
        if self.in_flight is not None:
            # Whose it was has not come back.
            self.commit()
        self.mark(slot, inode, size, 0)
        length = os.splice(pipe, self.file, CHUNK)
        return os.pread(self.file, length, 0) if length else b""

    def mark(self, slot: int, inode: int, size: int, done: int) -> None:
        """Where to begin again: `done` bytes of kept and in-flight text are in an earlier log file."""
        header = _HEADER.pack(slot, self._generations[slot], inode, size, done)
        if header != self._header:
            os.pwrite(self.file, header, CHUNK)
            self._header = header

    def keep(self, slot: int, pending: bytes, inside: bool) -> None:
        """Keeps the beginning of a line; in force once the chunk is committed."""
        generation = self._generations[slot] = self._generations[slot] + 1
        os.pwrite(
            self.file,
            _KEPT.pack(generation, len(pending), inside) + pending,
            self._place(slot, generation & 1),
        )

    def commit(self) -> None:
        """Nothing is in flight any more."""
        self.in_flight = None
        os.lseek(self.file, 0, os.SEEK_SET)

    @staticmethod
    def _place(slot: int, half: int) -> int:
        return _SLOTS + (2 * slot + half) * _HALF
