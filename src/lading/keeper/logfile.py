"""A log file that grows to a size, is set aside under a number, and may be compressed."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable

from lading.keeper.loop import say

Compress = Callable[[str, str, Callable[[bool], None]], None]
"""compress(source, target, finished): makes a gzip file in the background."""


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
        """Takes back what was written after the file had `size` bytes, if it is still that file."""
        if inode == self.inode and size < self.size:
            os.ftruncate(self.file, size)
            self.size = size

    def rotate(self) -> None:
        """Sets the file aside. Where that fails, writing goes on in the old one."""
        try:
            if self.count == 1:
                os.ftruncate(self.file, 0)
                self.size = 0
                return
            self._shift()
            os.rename(self.path, f"{self.path}.1")
            self._open()
        except OSError as error:
            say(f"{self.path}: cannot rotate: {error.strerror}")
            self._excess = self.size
            return
        if self._compress is not None:
            job = _Job(self, 1)
            self._jobs.append(job)
            self._compress(f"{self.path}.1", job.temporary, job.finished)

    def _shift(self) -> None:
        for ending in ("", ".gz"):
            _unlink(f"{self.path}.{self.count - 1}{ending}")
        for number in range(self.count - 2, 0, -1):
            for ending in ("", ".gz"):
                try:
                    os.rename(f"{self.path}.{number}{ending}", f"{self.path}.{number + 1}{ending}")
                except OSError as error:
                    if error.errno != errno.ENOENT:
                        raise
        for job in self._jobs:
            job.number += 1

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
        """Puts the compressed file in the place of the plain one."""
        self.log._jobs.remove(self)
        plain = f"{self.log.path}.{self.number}"
        if well and self.number < self.log.count and os.path.exists(plain):
            os.rename(self.temporary, f"{plain}.gz")
            _unlink(plain)
        else:
            _unlink(self.temporary)


def _unlink(path: str) -> None:
    try:
        os.unlink(path)
    except FileNotFoundError:
        pass
