"""Reading on in a log that the keeper writes, across the files it sets aside.

The log is in docker's `local` format. Its files stay until they were sent, or
until a limit the user set has the keeper drop them.
"""

import logging
import os
import re
import zlib
from contextlib import suppress

from lading.aio.tasks import in_thread
from lading.logs.contract import Entry
from lading.logs.forward.position import HEAD, Position
from lading.logs.local_file import entries
from lading.logs.parts import Part, close_all, current_inode, open_parts

_log = logging.getLogger(__name__)

_SLICE = 32 * 1024
_LARGEST = 1024 * 1024


class Spool:
    """A place in a log, to be moved on by `read` and back by `seek`."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._part: Part | None = None
        self._offset = 0
        self._head = b""
        self._lost = False

    @property
    def position(self) -> Position | None:
        """Where the next `read` begins; None where there is no file yet."""
        if self._part is None:
            return None
        return Position(self._part.inode, _head(self._part), self._offset)

    async def seek(self, position: Position | None) -> None:
        """Goes to `position`; to the oldest entry where that is None, or its file is gone."""
        parts = self._open()
        here, offset = parts[-1] if parts else None, 0
        if position is not None:
            known = [part for part in parts if not part.compressed and _is(part, position)]
            if known:
                here, offset = known[0], min(position.offset, known[0].size)
            else:
                self._tell_of_loss()
        close_all([part for part in parts if part is not here])
        await self._go_to(here, offset)

    def _tell_of_loss(self) -> None:
        if not self._lost:
            _log.warning("%s: what was not sent yet was dropped to keep to the limit", self._path)
        self._lost = True

    async def read(self) -> list[Entry]:
        """The next entries; none where there are no more yet. Raises OSError."""
        if self._part is None:
            await self.seek(None)
        while self._part is not None:
            # Asked before reading: what follows a file set aside is complete.
            newest = current_inode(self._path)
            if found := self._read():
                return found
            if newest in (self._part.inode, None) or not await self._next():
                return []
        return []

    def _read(self, length: int = _SLICE) -> list[Entry]:
        part = self._part
        assert part is not None
        file = part.file.fileno()
        self._check_not_cut(part)
        while True:
            block = os.pread(file, length, self._offset)
            found, taken = entries(block)
            self._offset += taken
            if found or len(block) < length or length > _LARGEST:
                return found
            if not taken:
                length *= 2

    def _check_not_cut(self, part: Part) -> None:
        """The file may have been emptied to keep to its limit, or cut back by a keeper that took over."""
        head, size = _head(part), os.fstat(part.file.fileno()).st_size
        if size < self._offset:
            self._offset = size if size and self._head.startswith(head) else 0
        self._head = head

    async def _next(self) -> bool:
        """To the file that came after this one."""
        assert self._part is not None
        parts = self._open()
        inodes = [part.inode for part in parts]
        place = inodes.index(self._part.inode) if self._part.inode in inodes else len(parts)
        if place == 0:
            close_all(parts)
            return False
        if place == len(parts):
            self._tell_of_loss()
        following = parts[place - 1]
        close_all([part for part in parts if part is not following])
        await self._go_to(following, 0)
        return True

    async def _go_to(self, part: Part | None, offset: int) -> None:
        if self._part is not None and self._part is not part:
            self._part.close()
        self._part, self._offset, self._head = part, offset, b""
        if part is not None and part.compressed:
            try:
                await in_thread(part.decompress, os.path.dirname(self._path))
            except (OSError, EOFError, zlib.error) as error:
                _log.warning("%s: a file set aside cannot be read: %s", self._path, error)
                self._offset = part.size

    def _open(self) -> list[Part]:
        try:
            return open_parts(self._path)
        except FileNotFoundError:
            return []

    def behind(self) -> int:
        """How many bytes lie between here and the end."""
        if self._part is None:
            return 0
        total = os.fstat(self._part.file.fileno()).st_size - self._offset
        for _, inode, size in self._numbered():
            if inode == self._part.inode:
                return total
            total += size
        return total

    async def skip_to(self, left: int) -> int:
        """Passes over entries until about `left` bytes remain; how many bytes that were."""
        begun = behind = self.behind()
        while behind > left:
            part = self._part
            if part is None:
                break
            rest = os.fstat(part.file.fileno()).st_size - self._offset
            if behind - rest >= left and await self._next():
                behind -= rest
                continue
            # No more than needed, so that the rest is about as much as may stay.
            if not self._read(min(_SLICE, behind - left)):
                break
            behind = self.behind()
        return begun - behind

    def trim(self, keep: int, confirmed: Position) -> None:
        """Removes files that were sent, beyond the newest `keep`.

        The keeper may give each file the next number at this moment. So one
        goes only if that before it was sent, too.
        """
        numbered = self._numbered()
        sent = [number for number, inode, _ in numbered if inode == confirmed.inode]
        if not sent:
            return
        for number, _, _ in reversed(numbered):
            if number >= keep and number >= sent[0] + 2:
                with suppress(FileNotFoundError):
                    os.unlink(f"{self._path}.{number}")

    def _numbered(self) -> list[tuple[int, int, int]]:
        """(number, inode, size) of each file that is not compressed, the one being written being number 0."""
        directory, name = os.path.split(self._path)
        pattern = re.compile(re.escape(name) + r"(?:\.([0-9]+))?\Z")
        found = []
        with suppress(FileNotFoundError), os.scandir(directory) as files:
            for file in files:
                if match := pattern.match(file.name):
                    with suppress(FileNotFoundError):
                        status = file.stat(follow_symlinks=False)
                        found.append((int(match[1] or 0), status.st_ino, status.st_size))
        return sorted(found)

    def close(self) -> None:
        """Lets go of the file."""
        if self._part is not None:
            self._part.close()
            self._part = None


def _head(part: Part) -> bytes:
    return os.pread(part.file.fileno(), HEAD, 0)


def _is(part: Part, position: Position) -> bool:
    return part.inode == position.inode and _head(part).startswith(position.head)
