"""Reading a container's log back, across its files and while it grows.

Work on the loop is cut into slices of about a millisecond, for a log may have
gigabytes and others are waiting. What may block on the disk, or takes long in
one piece, runs in a thread.
"""

import asyncio
import errno
import logging
import os
import zlib
from collections import deque
from collections.abc import AsyncIterator
from typing import Any

from lading.aio.tasks import in_thread
from lading.errors import InternalError, Unsupported
from lading.logs.contract import Format
from lading.logs.json_file import JsonFile
from lading.logs.local_file import LocalFile
from lading.logs.options import JSON_FILE, LOCAL
from lading.logs.parts import Part, close_all, current_inode, open_parts
from lading.logs.query import Encoder, LogQuery
from lading.logs.servers import SERVERS
from lading.logs.sink import log_path
from lading.logs.watch import Changes, Watcher
from lading.units import NANOSECOND, now_ns

_log = logging.getLogger(__name__)

_SLICE = 128 * 1024
_ATTEMPTS = 10
_FORMATS: dict[str, Format] = {JSON_FILE: JsonFile(), **dict.fromkeys((LOCAL, *SERVERS), LocalFile())}
# The kernel stamps a file with the time of its last tick, which may lie before the record's own.
_STAMP_ERROR = NANOSECOND


class LogReader:
    """Reads the logs of all containers of one engine."""

    def __init__(self) -> None:
        self._watcher = Watcher()

    def read(
        self,
        driver: str,
        directory: str,
        container_id: str,
        query: LogQuery,
        *,
        framed: bool,
        ended: "asyncio.Future[Any] | None" = None,
    ) -> AsyncIterator[bytes]:
        """The log as the API sends it, in pieces of whole records.

        Where the query follows, it goes on until `ended` is done and the file
        is read to its end. Raises Unsupported, before the first piece, for a
        driver that keeps nothing to read; InternalError where files cannot be read.
        """
        if driver not in _FORMATS:
            raise Unsupported("configured logging driver does not support reading")
        path = log_path(driver, directory, container_id)
        encoder = Encoder(query, framed=framed)
        reading = _Reading(self._watcher, path, _FORMATS[driver], query, encoder)
        if query.follow and ended is not None:
            return reading.follow(ended)
        return reading.once()


class _Cursor:
    """A place in one file."""

    def __init__(self, part: Part, offset: int, format_: Format, encoder: Encoder) -> None:
        self.part = part
        self._offset = offset
        self._format = format_
        self._encoder = encoder
        self._head = b""

    async def to_tail(self, count: int) -> int:
        """Goes to where the last `count` records begin; how many there are."""
        search = self._format.tail(self.part.size, count)
        try:
            offset, length = next(search)
            while True:
                block = await _read(self.part, length, offset)
                offset, length = search.send(block)
                await asyncio.sleep(0)
        except StopIteration as result:
            found: int
            self._offset, found = result.value
            return found

    async def pieces(self, limit: int | None = None) -> AsyncIterator[bytes]:
        """What is there from here on, at most up to `limit`; may be called again when there is more."""
        self._check_not_cut()
        size = _SLICE
        while not self._encoder.done:
            length = size if limit is None else min(size, limit - self._offset)
            block = await _read(self.part, length, self._offset)
            records, taken = self._format.records(block, timed=self._encoder.timed)
            if taken:
                self._offset += taken
                size = _SLICE
                if piece := self._encoder.encode(records):
                    yield piece
            elif len(block) < size:
                return
            else:
                size *= 2
            await asyncio.sleep(0)

    def _check_not_cut(self) -> None:
        """A file may shrink meanwhile: emptied by a user, or cut back by a keeper that took over."""
        file = self.part.file.fileno()
        head = os.pread(file, 64, 0)
        size = os.fstat(file).st_size
        if size < self._offset:
            self._offset = size if size and self._head.startswith(head) else 0
        self._head = head


class _Reading:
    """One client's way through a log."""

    def __init__(
        self, watcher: Watcher, path: str, format_: Format, query: LogQuery, encoder: Encoder
    ) -> None:
        self._watcher = watcher
        self._path = path
        self._format = format_
        self._query = query
        self._encoder = encoder
        self._waiting: deque[_Cursor] = deque()

    async def once(self) -> AsyncIterator[bytes]:
        """What there is now."""
        try:
            await self._begin(self._parts())
            while self._waiting:
                cursor = self._waiting[0]
                # A log that grows faster than it is read must come to an end all the same.
                async for piece in cursor.pieces(cursor.part.size):
                    yield piece
                self._waiting.popleft().part.close()
        finally:
            self._close()

    async def follow(self, ended: "asyncio.Future[Any]") -> AsyncIterator[bytes]:
        """What there is and what comes."""
        with self._watcher.watch(self._path) as changes:

            def wake(_: object) -> None:
                changes.wake()

            ended.add_done_callback(wake)
            try:
                parts, _ = self._parts_as_of(changes)
                await self._begin(parts)
                while not self._encoder.done:
                    over = ended.done() or self._until_has_come()
                    changes.clear()
                    async for piece in self._new(changes):
                        yield piece
                    if over:
                        return
                    await changes.wait(self._seconds_left())
            finally:
                ended.remove_done_callback(wake)
                self._close()

    async def _new(self, changes: Changes) -> AsyncIterator[bytes]:
        """Everything up to the end of the newest file."""
        while True:
            newer = await self._newer(changes)
            while len(self._waiting) > (0 if newer else 1):
                async for piece in self._waiting[0].pieces():
                    yield piece
                self._waiting.popleft().part.close()
            if not newer:
                break
            self._waiting += newer
        if self._waiting:
            async for piece in self._waiting[0].pieces():
                yield piece

    async def _newer(self, changes: Changes) -> list[_Cursor]:
        """The files that came after the newest one known, oldest first.

        By then that one is complete: the keeper never goes back to it.
        """
        known = self._waiting[-1].part.inode if self._waiting else None
        if current_inode(self._path) in (known, None):
            return []
        parts, rotations = self._parts_as_of(changes)
        inodes = [part.inode for part in parts]
        # Compressed meanwhile it is another file; then all there is to go by is how many came after.
        count = inodes.index(known) if known in inodes else max(rotations, 1) if known else len(parts)
        close_all(parts[count:])
        cursors = [await self._cursor(part) for part in reversed(parts[:count])]
        return [cursor for cursor in cursors if cursor is not None]

    def _parts(self) -> list[Part]:
        try:
            return open_parts(self._path)
        except OSError as error:
            raise InternalError(f"cannot read the log {self._path}: {error.strerror}") from None

    def _parts_as_of(self, changes: Changes) -> tuple[list[Part], int]:
        """The files, and how often one was set aside since this was last asked, no more and no less."""
        self._watcher.collect()
        for _ in range(_ATTEMPTS):
            before = changes.rotations
            parts = self._parts()
            self._watcher.collect()
            if changes.rotations == before:
                break
            close_all(parts)
        else:
            parts = self._parts()
        rotations, changes.rotations = changes.rotations, 0
        return parts, rotations

    async def _begin(self, parts: list[Part]) -> None:
        """Finds where to begin."""
        wanted = self._query.tail
        if wanted == 0:
            # Only what is still to come, which may be nothing.
            close_all(parts[1:])
            self._waiting += [_Cursor(part, part.size, self._format, self._encoder) for part in parts[:1]]
            return
        while parts:
            part = parts.pop(0)
            if self._is_too_old(part):
                part.close()
                break
            cursor = await self._cursor(part)
            if cursor is None:
                continue
            self._waiting.appendleft(cursor)
            if wanted > 0:
                wanted -= await cursor.to_tail(wanted)
                if wanted == 0:
                    break
        close_all(parts)

    def _is_too_old(self, part: Part) -> bool:
        """Whether nothing in this file or older ones is wanted. The newest always is, to be followed."""
        return bool(self._waiting) and part.written_ns + _STAMP_ERROR < self._query.since_ns

    async def _cursor(self, part: Part) -> _Cursor | None:
        """At the beginning of a file; None where what was set aside cannot be unpacked any more."""
        if part.compressed:
            try:
                await in_thread(part.decompress, os.path.dirname(self._path))
            except (OSError, EOFError, zlib.error) as error:
                _log.warning("%s: a file set aside cannot be read: %s", self._path, error)
                part.close()
                return None
        return _Cursor(part, 0, self._format, self._encoder)

    def _until_has_come(self) -> bool:
        return 0 < self._query.until_ns <= now_ns()

    def _seconds_left(self) -> float | None:
        until = self._query.until_ns
        return max(until - now_ns(), 0) / NANOSECOND if until > 0 else None

    def _close(self) -> None:
        while self._waiting:
            self._waiting.popleft().part.close()


async def _read(part: Part, length: int, offset: int) -> bytes:
    """Reads at once what is in memory, in a thread what is on the disk."""
    file = part.file.fileno()
    buffer = bytearray(length)
    try:
        count = os.preadv(file, [buffer], offset, os.RWF_NOWAIT)
    except OSError as error:
        if error.errno == errno.EOPNOTSUPP:
            # A file system in memory.
            return os.pread(file, length, offset)
        if error.errno != errno.EAGAIN:
            raise
        count = 0
    if count < length and os.fstat(file).st_size > offset + count:
        return await in_thread(os.pread, file, length, offset)
    return bytes(memoryview(buffer)[:count])
