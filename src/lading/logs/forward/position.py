"""How far a log was sent: a place in one of its files, kept on the disk.

A file is known by its inode and its first bytes, so that a new one that got
an old one's inode is not taken for it.
"""

import os
import threading
from contextlib import suppress

import msgspec
from msgspec import Struct

HEAD = 64
"""How many first bytes are compared, at most."""


class Position(Struct, frozen=True):
    """`head` are the first bytes the file had when this was noted, `offset` is where unsent entries begin."""

    inode: int
    head: bytes
    offset: int


def load(path: str) -> Position | None:
    """None where nothing was noted, or what was is damaged: then all counts as unsent."""
    try:
        with open(path, "rb") as file:
            return msgspec.json.decode(file.read(), type=Position)
    except (FileNotFoundError, msgspec.DecodeError):
        return None


def save(path: str, position: Position) -> None:
    """Replaces what was noted before at once. Raises OSError."""
    # Whoever is told to stop writes the last note, maybe while a thread still writes the one before.
    temporary = f"{path}.{threading.get_ident()}"
    with open(temporary, "wb") as file:
        file.write(msgspec.json.encode(position))
        # Without, a power cut could leave an empty file under the new name.
        file.flush()
        os.fdatasync(file.fileno())
    os.replace(temporary, path)


def forget(path: str) -> None:
    """Nothing is noted any more."""
    with suppress(FileNotFoundError):
        os.unlink(path)
