"""Asking before what cannot be undone."""

from __future__ import annotations

import posix

from lading.cli.errors import Exit
from lading.cli.say import write


def confirm(warning: str) -> None:
    """Returns where the user says yes. Raises Exit where not, which is no failure."""
    write(1, f"{warning}\nAre you sure you want to continue? [y/N] ".encode())
    if _line().strip().lower() not in (b"y", b"yes"):
        raise Exit(0)


def _line() -> bytes:
    # Byte by byte: what follows the line is not ours.
    line = b""
    while not line.endswith(b"\n") and (byte := posix.read(0, 1)):
        line += byte
    return line
