"""Reading on in a log that the keeper writes, across the files it sets aside.

The log is in docker's `local` format. Its files stay until they were sent, or
until a limit the user set has the keeper drop them.
"""

import io
import logging
import os
import re
from contextlib import suppress

from lading.logs.contract import Entry
from lading.logs.forward.position import HEAD, Position
from lading.logs.local_file import entries
from lading.logs.parts import Part
from lading.logs.parts import current_inode as _inode

_log = logging.getLogger(__name__)

_SLICE = 32 * 1024
_LARGEST = 1024 * 1024
# No more rotations than this are an accident.
_ATTEMPTS = 10


class Spool:
    """A place in a log, to be moved on by `read` and back by `seek`."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._part: Part | None = None
        self._offset = 0
        self._head = b""
        self._wanted: Position | None = None
        self._lost = False

    @property
    def position(self) -> Position | None:
        """Where the next `read` begins; None for the oldest entry."""
        if self._part is None:
            return self._wanted
        return Position(self._part.inode, _head(self._part), self._offset)

    def seek(self, position: Position | None) -> None:
        """Goes to `position`; to the oldest entry where that is None, or its file is gone."""
        if self._part is not None and position is not None and _is(self._part, position):
            self._offset = position.offset
            return
        self.close()
        self._wanted = position

    def _found(self) -> bool:
        """Whether there is a file to read in; it is looked for where there was none yet."""
        numbered = self._settled() if self._part is None else None
        if not numbered:
            return self._part is not None
        wanted = self._wanted
        if wanted is not None:
            known = [(number, inode) for number, inode in numbered if inode == wanted.inode]
            part = self._open(*known[0]) if known else None
            if part is not None and _is(part, wanted):
                self._go_to(part, wanted.offset)
                return True
            if part is not None:
                part.close()
            elif known:
                # It got another number meanwhile.
                return False
            self._tell_of_loss()
        self._wanted = None
        self._go_to(self._open(*numbered[-1]), 0)
        return self._part is not None

    def _tell_of_loss(self) -> None:
        if not self._lost:
            _log.warning("%s: what was not sent yet was dropped to keep to the limit", self._path)
        self._lost = True

    def read(self) -> list[Entry]:
        """The next entries; none where there are no more yet. Raises OSError."""
        while self._found():
            # Asked before reading: what follows a file set aside is complete.
            newest = _inode(self._path)
            if found := self._read():
                return found
            if newest is None or not self._next(newest):
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

    def _next(self, newest: int | None = None) -> bool:
        """To the file that came after this one; False where there is none, or it cannot be told yet."""
        if self._part is None or self._part.inode == newest:
            return False
        numbered = self._settled() or []
        inodes = [inode for _, inode in numbered]
        if self._part.inode in inodes:
            place = inodes.index(self._part.inode) - 1
        elif numbered and os.fstat(self._part.file.fileno()).st_nlink == 0:
            self._tell_of_loss()
            place = len(numbered) - 1
        else:
            return False
        following = self._open(*numbered[place]) if place >= 0 else None
        if following is None:
            return False
        self._go_to(following, 0)
        return True

    def _go_to(self, part: Part | None, offset: int) -> None:
        if self._part is not None and self._part is not part:
            self._part.close()
        self._part, self._offset = part, offset
        self._head = b"" if part is None else _head(part)

    def _name(self, number: int) -> str:
        return f"{self._path}.{number}" if number else self._path

    def _open(self, number: int, inode: int) -> Part | None:
        """None where this is another file by now."""
        try:
            part = Part(io.FileIO(self._name(number), "rb"), False)
        except FileNotFoundError:
            return None
        if part.inode == inode:
            return part
        part.close()
        return None

    def _numbered(self) -> list[tuple[int, int]]:
        """(number, inode) of each file, the newest first, which is number 0."""
        directory, name = os.path.split(self._path)
        pattern = re.compile(re.escape(name) + r"(?:\.([0-9]+))?\Z")
        found = []
        with suppress(FileNotFoundError), os.scandir(directory) as files:
            for file in files:
                if match := pattern.match(file.name):
                    found.append((int(match[1] or 0), file.inode()))
        return sorted(found)

    def _settled(self) -> list[tuple[int, int]] | None:
        """As `_numbered`; None where the keeper goes on giving them other numbers."""
        before = self._numbered()
        for _ in range(_ATTEMPTS):
            after = self._numbered()
            if after == before:
                return after
            before = after
        return None

    def behind(self) -> int:
        """How many bytes lie between here and the end."""
        if not self._found() or self._part is None:
            return 0
        total = os.fstat(self._part.file.fileno()).st_size - self._offset
        for number, inode in self._numbered():
            if inode == self._part.inode:
                break
            with suppress(FileNotFoundError):
                total += os.stat(self._name(number)).st_size
        return total

    def skip_to(self, left: int) -> int:
        """Passes over entries until about `left` bytes remain; how many bytes that were."""
        begun = behind = self.behind()
        while behind > left:
            part = self._part
            if part is None:
                break
            rest = os.fstat(part.file.fileno()).st_size - self._offset
            if behind - rest >= left and self._next():
                behind -= rest
                continue
            # No more than needed, so that the rest is about as much as may stay.
            if not self._read(min(_SLICE, behind - left)):
                break
            behind = self.behind()
        return begun - behind

    def trim(self, keep: int, confirmed: Position) -> None:
        """Empties files that were sent, beyond the newest `keep`; the keeper removes them when it comes by.

        Removing them here might hit another: the keeper may give each file the
        next number at any moment.
        """
        numbered = self._settled() or []
        sent = [number for number, inode in numbered if inode == confirmed.inode]
        if not sent:
            return
        for number, inode in reversed(numbered):
            if number < keep or number <= sent[0]:
                break
            with suppress(FileNotFoundError), open(self._name(number), "r+b") as file:
                if os.fstat(file.fileno()).st_ino == inode:
                    file.truncate(0)

    def close(self) -> None:
        """Lets go of the file."""
        if self._part is not None:
            self._part.close()
            self._part = None


def _head(part: Part) -> bytes:
    return os.pread(part.file.fileno(), HEAD, 0)


def _is(part: Part, position: Position) -> bool:
    return part.inode == position.inode and _head(part).startswith(position.head)
