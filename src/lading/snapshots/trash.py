"""Removing file trees, whatever somebody built inside them.

A tree may be deeper than a path may be long or descriptors are allowed. So
every directory found is first moved up to the top, and none is ever entered
below another. Nothing is followed: no link, and no mount, which cannot be
moved and stops the removal.
"""

import errno
import logging
import os
import secrets
import stat

from lading.aio import tasks

_log = logging.getLogger(__name__)

_OPEN = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


def remove_tree(path: str) -> None:
    """Removes a tree; nothing happens where there is none. Blocks. Raises OSError."""
    try:
        above = os.open(os.path.dirname(path), _OPEN)
    except FileNotFoundError:
        return
    try:
        _remove(above, os.path.basename(path))
    finally:
        os.close(above)


def remove_entry(directory: int, name: bytes) -> None:
    """Removes `name` in an open directory, a file or a whole tree. Blocks. Raises OSError."""
    _remove(directory, os.fsdecode(name))


def _remove(top: int, name: str) -> None:
    """Removes `name` in the directory `top`, using `top` as the place to move directories to."""
    pending = [name]
    while pending:
        present = pending.pop()
        try:
            directory = os.open(present, _OPEN, dir_fd=top)
        except FileNotFoundError:
            continue
        try:
            for entry in os.listdir(directory):
                _remove_entry(top, directory, entry, pending)
        finally:
            os.close(directory)
        os.rmdir(present, dir_fd=top)


def _remove_entry(top: int, directory: int, entry: str, pending: list[str]) -> None:
    try:
        os.unlink(entry, dir_fd=directory)
        return
    except OSError as error:
        if error.errno not in (errno.EISDIR, errno.EPERM):
            raise
        if not stat.S_ISDIR(os.stat(entry, dir_fd=directory, follow_symlinks=False).st_mode):
            raise
    try:
        # Most directories are empty by now, or were.
        os.rmdir(entry, dir_fd=directory)
    except OSError as error:
        if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
            raise
        moved = secrets.token_hex(8)
        os.rename(entry, moved, src_dir_fd=directory, dst_dir_fd=top)
        pending.append(moved)


class Trash:
    """A directory whose content is nobody's any more, emptied by a thread."""

    def __init__(self, directory: str) -> None:
        self.directory = directory
        self._background = tasks.Background()
        self._emptying = False
        self._again = False

    def open(self) -> None:
        """Makes the directory and empties it. Raises OSError."""
        os.makedirs(self.directory, mode=0o700, exist_ok=True)
        self.empty_soon()

    def throw(self, path: str) -> None:
        """Moves a tree here and returns; nothing happens where there is none. Loop thread. Raises OSError."""
        try:
            os.rename(path, self.new_name())
        except FileNotFoundError:
            return
        self.empty_soon()

    def new_name(self) -> str:
        """A path here that is free."""
        return f"{self.directory}/{secrets.token_hex(8)}"

    def empty_soon(self) -> None:
        """Has a thread empty the directory. Loop thread."""
        self._again = True
        if not self._emptying:
            self._emptying = True
            self._background.spawn(self._empty(), "empty the trash")

    async def _empty(self) -> None:
        try:
            while self._again:
                self._again = False
                await tasks.in_thread(self._empty_now)
        finally:
            self._emptying = False

    def _empty_now(self) -> None:
        for name in os.listdir(self.directory):
            try:
                remove_tree(f"{self.directory}/{name}")
            except OSError as error:
                _log.warning("cannot remove %s/%s: %s", self.directory, name, error.strerror)

    async def close(self) -> None:
        """Waits until all is gone."""
        await self._background.drain()
