"""Counting what a tree holds, while its owner may be changing it."""

import stat

from lading.linux import trees
from lading.snapshots.contract import Usage


def measure(path: str) -> Usage:
    """Bytes of files, hard links once, and inodes below `path`. Blocks. Raises OSError for `path` itself."""
    size = inodes = 0
    for found in trees.walk(path):
        inodes += 1
        if stat.S_ISREG(found.st_mode):
            size += found.st_size
    return Usage(size, inodes)
