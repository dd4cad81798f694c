"""Going through file trees that strangers have built, and removing them.

A tree may be deeper than a path may be long, than descriptors are allowed and
than Python may recurse. So one descriptor goes down and up again by `..`, and
what it comes back to is compared with what it had left. Nothing is followed:
no link, and no mount.
"""

import errno
import os
import stat
from collections.abc import Iterator

from lading.linux import confined

_OPEN = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_RESOLVE = confined.RESOLVE_IN_ROOT | confined.RESOLVE_NO_SYMLINKS | confined.RESOLVE_NO_XDEV


class Descent:
    """An open directory from which one goes down and up again; `descriptor` is where one is, and ours."""

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor
        self._above: list[tuple[int, int]] = []

    def __enter__(self) -> "Descent":
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self.descriptor)

    def down(self, name: str) -> None:
        """Enters a directory that is here. Raises OSError and stays."""
        inner = confined.open_in_root(self.descriptor, os.fsencode(name), _OPEN, resolve=_RESOLVE)
        self._above.append(_identity(self.descriptor))
        self._move(inner)

    def up(self) -> None:
        """Goes back. Raises OSError and stays where the present directory was moved elsewhere."""
        outer = os.open("..", _OPEN, dir_fd=self.descriptor)
        if _identity(outer) != self._above[-1]:
            os.close(outer)
            raise OSError(errno.ESTALE, os.strerror(errno.ESTALE))
        self._above.pop()
        self._move(outer)

    def _move(self, descriptor: int) -> None:
        os.close(self.descriptor)
        self.descriptor = descriptor


def _identity(descriptor: int) -> tuple[int, int]:
    status = os.fstat(descriptor)
    return status.st_dev, status.st_ino


def walk(path: str) -> Iterator[os.stat_result]:
    """Everything below the directory `path`, in no order; a file with several names comes once.

    Blocks. What goes away meanwhile may be left out. Raises OSError for `path` itself.
    """
    with Descent(os.open(path, _OPEN)) as place:
        seen: set[tuple[int, int]] = set()
        pending: list[list[str]] = []
        while True:
            inner: list[str] = []
            for name, found in _entries(place.descriptor):
                if stat.S_ISDIR(found.st_mode):
                    inner.append(name)
                elif found.st_nlink > 1:
                    if (found.st_dev, found.st_ino) in seen:
                        continue
                    seen.add((found.st_dev, found.st_ino))
                yield found
            pending.append(inner)
            if not _next(place, pending):
                return


def _next(place: Descent, pending: list[list[str]]) -> bool:
    """Goes on to the next directory, if there is one still to be reached."""
    while pending:
        try:
            if pending[-1]:
                place.down(pending[-1].pop())
                return True
            pending.pop()
            if pending:
                place.up()
        except OSError as error:
            if error.errno == errno.ESTALE:
                return False
    return False


def _entries(directory: int) -> list[tuple[str, os.stat_result]]:
    found = []
    for name in os.listdir(directory):
        try:
            found.append((name, os.stat(name, dir_fd=directory, follow_symlinks=False)))
        except FileNotFoundError:
            continue
    return found


def remove_tree(path: str) -> None:
    """Removes a directory with all below it; nothing happens where there is none. Blocks. Raises OSError."""
    try:
        directory = os.open(path, _OPEN)
    except FileNotFoundError:
        return
    with Descent(directory) as place:
        _empty(place)
    os.rmdir(path)


def remove_entry(directory: int, name: bytes) -> None:
    """Removes `name` in an open directory, a file or a whole tree. Blocks. Raises OSError."""
    try:
        if _remove_at_once(directory, os.fsdecode(name)):
            return
    except FileNotFoundError:
        return
    with Descent(os.dup(directory)) as place:
        place.down(os.fsdecode(name))
        _empty(place)
    os.rmdir(name, dir_fd=directory)


def _empty(place: Descent) -> None:
    """Removes all that is in the present directory and comes back to it."""
    names: list[str] = []
    pending = [_remove_plain(place.descriptor)]
    while True:
        if pending[-1]:
            names.append(pending[-1].pop())
            place.down(names[-1])
            pending.append(_remove_plain(place.descriptor))
            continue
        pending.pop()
        if not pending:
            return
        place.up()
        os.rmdir(names.pop(), dir_fd=place.descriptor)


def _remove_plain(directory: int) -> list[str]:
    """Removes what can be in one step; the names of what is left."""
    return [name for name in os.listdir(directory) if not _remove_at_once(directory, name)]


def _remove_at_once(directory: int, name: str) -> bool:
    """Whether it is gone; False for a directory with something in it."""
    try:
        os.unlink(name, dir_fd=directory)
        return True
    except OSError as error:
        if error.errno not in (errno.EISDIR, errno.EPERM):
            raise
        if not stat.S_ISDIR(os.stat(name, dir_fd=directory, follow_symlinks=False).st_mode):
            raise
    try:
        os.rmdir(name, dir_fd=directory)
    except OSError as error:
        if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
            raise
        return False
    return True
