"""A log file that grows to a size, is set aside under a number, and may be compressed."""

from __future__ import annotations

import os
from collections.abc import Callable

from lading.keeper.loop import say

Compress = Callable[[str, str, Callable[[bool], None]], None]
"""compress(source, target, finished): makes a gzip file in the background."""


_ENDINGS = ("", ".gz")


class LogFile:
    """`path`, its predecessors `path.1` (or `path.1.gz`), `path.2` and so on.

    Like docker's, a file is set aside when it has reached `capacity` bytes and
    more is to be written (0: never), and at most `count` files remain.
    """

    def __init__(self, path: str, capacity: int, count: int, compress: Compress | None) -> None:
        self.path = path
        self.capacity = capacity
        self.count = max(count, 1)
        self._compress = compress
        self._jobs: list[_Job] = []
        self._lost = 0
        self.file = -1
        self.size = 0
        self.inode = 0
        self._excess = 0
        os.makedirs(os.path.dirname(path), mode=0o710, exist_ok=True)
        self._open()

    def _open(self) -> None:
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
        file = os.open(self.path, flags, 0o640)
        if self.file >= 0:
            os.close(self.file)
        self.file = file
        status = os.fstat(file)
        self.size, self.inode, self._excess = status.st_size, status.st_ino, 0

    @property
    def room(self) -> int:
        """How many bytes may come before the file has to be set aside; zero or less: now."""
        return self.capacity + self._excess - self.size if self.capacity else 1 << 62

    def append(self, records: bytes, count: int) -> None:
        """Writes whole records. What the disk does not take is dropped and counted, never raised."""
        written = 0
        try:
            while written < len(records):
                written += os.write(self.file, records[written:] if written else records)
        except OSError as error:
            # No torn record: whoever reads the file must find the next one.
            if written:
                os.ftruncate(self.file, self.size)
            if not self._lost:
                say(f"{self.path}: {error.strerror}: dropping what the container prints until there is room")
            self._lost += count
            return
        self.size += written
        if self._lost:
            say(f"{self.path}: writing again, {self._lost} records were dropped")
            self._lost = 0

    def cut(self, inode: int, size: int) -> None:
        """Takes back what was written since the file was that one and had `size` bytes.

        Takes a rotation back too, where nothing was written after it.
        """
        if inode != self.inode and not self.size and _inode(f"{self.path}.1") == inode:
            os.rename(f"{self.path}.1", self.path)
            self._move(range(2, self._oldest() + 1), -1)
            self._open()
        if inode == self.inode and size < self.size:
            os.ftruncate(self.file, size)
            self.size = size

    def rotate(self) -> bool:
        """Sets the file aside; whether there is one to be compressed now.

        Where that fails, writing goes on in the old one.
        """
        try:
            if self.count == 1:
                os.ftruncate(self.file, 0)
                self.size = 0
                return False
            for ending in _ENDINGS:
                _unlink(f"{self.path}.{self.count - 1}{ending}")
            self._move(range(min(self._oldest(), self.count - 2), 0, -1), 1)
            for job in self._jobs:
                job.number += 1
            os.rename(self.path, f"{self.path}.1")
            self._open()
        except OSError as error:
            say(f"{self.path}: cannot rotate: {error.strerror}")
            self._excess = self.size
            return False
        return self._compress is not None

    def compress(self) -> None:
        """Compresses what was last set aside, in the background."""
        if self._compress is not None:
            job = _Job(self, 1)
            self._jobs.append(job)
            self._compress(f"{self.path}.1", job.temporary, job.finished)

    def _oldest(self) -> int:
        """The highest number in use; `count` may be a million, to keep all."""
        highest, prefix = 0, f"{os.path.basename(self.path)}."
        for name in os.listdir(os.path.dirname(self.path)):
            if name.startswith(prefix):
                number = name[len(prefix) :].removesuffix(".gz")
                if number.isdecimal():
                    highest = max(highest, int(number))
        return highest

    def _move(self, numbers: range, step: int) -> None:
        """Gives files other numbers; one that was emptied has been sent to its server, and goes."""
        for number in numbers:
            if _is_empty(f"{self.path}.{number}"):
                _unlink(f"{self.path}.{number}")
                continue
            for ending in _ENDINGS:
                try:
                    os.rename(f"{self.path}.{number}{ending}", f"{self.path}.{number + step}{ending}")
                except FileNotFoundError:
                    pass

    def close(self) -> None:
        """No more will be written."""
        os.close(self.file)


class _Job:
    """One compression; meanwhile its file may have been moved to another number, or out."""

    _serial = 0

    def __init__(self, log: LogFile, number: int) -> None:
        _Job._serial += 1
        self.log = log
        self.number = number
        self.temporary = f"{log.path}.{_Job._serial}.tmp"

    def finished(self, well: bool) -> None:
        """Puts the compressed file in the place of the plain one; where that fails, the plain one stays."""
        self.log._jobs.remove(self)
        plain = f"{self.log.path}.{self.number}"
        try:
            if well and self.number < self.log.count and os.path.exists(plain):
                os.rename(self.temporary, f"{plain}.gz")
                _unlink(plain)
            else:
                _unlink(self.temporary)
        except OSError as error:
            say(f"{plain}: {error.strerror}: cannot put the compressed file in its place")


def _inode(path: str) -> int:
    try:
        return os.stat(path).st_ino
    except FileNotFoundError:
        return 0


def _is_empty(path: str) -> bool:
    try:
        return os.stat(path).st_size == 0
    except FileNotFoundError:
        return False


def _unlink(path: str) -> None:
    try:
        os.unlink(path)
    except FileNotFoundError:
        pass
