"""Counting what a tree holds, while its owner may be changing it."""

import os
import stat

from lading.linux import confined
from lading.snapshots.contract import Usage

_RESOLVE = confined.RESOLVE_IN_ROOT | confined.RESOLVE_NO_SYMLINKS


def measure(path: str) -> Usage:
    """Bytes of files, hard links once, and inodes below `path`. Blocks. Raises OSError for `path` itself."""
    root = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    size = inodes = 0
    linked: set[int] = set()
    pending = [b""]
    try:
        while pending:
            inside = pending.pop()
            for name, present in _entries(root, inside):
                inodes += 1
                if stat.S_ISDIR(present.st_mode):
                    pending.append(b"%s/%s" % (inside, name) if inside else name)
                    continue
                if present.st_nlink > 1:
                    if present.st_ino in linked:
                        inodes -= 1
                        continue
                    linked.add(present.st_ino)
                if stat.S_ISREG(present.st_mode):
                    size += present.st_size
    finally:
        os.close(root)
    return Usage(size, inodes)


def _entries(root: int, inside: bytes) -> list[tuple[bytes, os.stat_result]]:
    # The container may replace any directory by a link at any moment: none is followed.
    found = []
    try:
        directory = confined.open_in_root(root, inside, os.O_RDONLY | os.O_DIRECTORY, resolve=_RESOLVE)
    except OSError:
        return []
    try:
        for name in os.listdir(directory):
            try:
                found.append((os.fsencode(name), os.stat(name, dir_fd=directory, follow_symlinks=False)))
            except FileNotFoundError:
                continue
    finally:
        os.close(directory)
    return found
