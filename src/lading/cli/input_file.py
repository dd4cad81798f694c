"""An archive that is sent to the engine, from a file or from stdin."""

from __future__ import annotations

import os

from lading.cli.errors import CommandFailed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

_PIECE = 1 << 20


def open_input(path: str) -> int:
    """A descriptor for reading. Raises CommandFailed, in docker's words."""
    try:
        return os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError as error:
        raise CommandFailed(f"open {path}: {(error.strerror or '').lower()}") from None


def pieces_of(descriptor: int) -> Iterator[bytes]:
    """What a descriptor gives until its end."""
    while data := os.read(descriptor, _PIECE):
        yield data
