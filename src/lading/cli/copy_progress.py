"""How far a copy has come: one line that is rewritten, and a last one that stays."""

from __future__ import annotations

import os
import time

from lading.cli.say import err, write

_SAVE, _RESTORE, _ERASE = "\x1b[s", "\x1b[u", "\x1b[2K"
_HIDE, _SHOW = "\x1b[?25l", "\x1b[?25h"
_INTERVAL = 0.075


class Progress:
    """Counts what passes. Says nothing where `quiet`; on a terminal a line follows what takes longer."""

    def __init__(self, heading: str, *, quiet: bool) -> None:
        self._heading = heading
        self._quiet = quiet
        self._live = not quiet and os.isatty(2)
        self._shown = False
        self._size = 0
        self._next = 0.0

    def __enter__(self) -> Progress:
        self._next = time.monotonic() + _INTERVAL
        return self

    def __exit__(self, *_: object) -> None:
        if self._shown:
            self._write(f"{_RESTORE}{_ERASE}{_SHOW}")

    def add(self, size: int) -> None:
        """So many bytes more have passed."""
        self._size += size
        if self._live and time.monotonic() >= self._next:
            self._next = time.monotonic() + _INTERVAL
            start = _RESTORE if self._shown else f"{_HIDE}{_SAVE}"
            self._shown = True
            self._write(f"{start}{_ERASE}{self._heading}{human(self._size)}")

    def done(self, place: str) -> None:
        """The copy has arrived."""
        if not self._quiet:
            err(f"Successfully copied {human(self._size)} to {place}")

    def _write(self, text: str) -> None:
        write(2, text.encode())


def human(size: float) -> str:
    """Three significant digits in powers of 1000."""
    units = ("B", "kB", "MB", "GB", "TB", "PB", "EB", "ZB", "YB")
    index = 0
    while size >= 1000 and index < len(units) - 1:
        size /= 1000
        index += 1
    return f"{size:.3g}{units[index]}"
