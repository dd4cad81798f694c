"""Which resolver this is, so that a daemon notices one that is older than its files."""

import os


def build() -> str:
    """A word that changes whenever a file of the resolver does."""
    newest = 0
    size = 0
    with os.scandir(os.path.dirname(os.path.abspath(__file__))) as entries:
        for entry in entries:
            if entry.name.endswith(".py"):
                status = entry.stat()
                newest = max(newest, status.st_mtime_ns)
                size += status.st_size
    return f"{newest:x}-{size:x}"
