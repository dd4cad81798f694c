"""How far a copy has come: one line that is rewritten, and a last one that stays."""

from __future__ import annotations

import os
import time

from lading.cli.say import err, write

_SAVE, _RESTORE, _ERASE = "\x1b[s", "\x1b[u", "\x1b[2K"
_HIDE, _SHOW = "\x1b[?25l", "\x1b[?25h"
_INTERVAL = 0.075


class Progress:
    """Counts what passes. Says nothing where `quiet`; rewrites a line only on a terminal."""

    def __init__(self, heading: str, *, quiet: bool) -> None:
        self._heading = heading
        self._quiet = quiet
        self._live = not quiet and os.isatty(2)
        self._size = 0
        self._next = 0.0

    def __enter__(self) -> Progress:
        if self._live:
            self._write(f"{_SAVE}Preparing to copy...{_HIDE}{self._line()}")
        return self

    def __exit__(self, *_: object) -> None:
        if self._live:
            self._write(f"{_SHOW}{_RESTORE}{_ERASE}")

    def add(self, size: int) -> None:
        """So many bytes more have passed."""
        self._size += size
        if self._live and time.monotonic() >= self._next:
            self._next = time.monotonic() + _INTERVAL
            self._write(self._line())

    def done(self, place: str) -> None:
        """The copy has arrived."""
        if not self._quiet:
            err(f"Successfully copied {human(self._size)} to {place}")

    def _line(self) -> str:
        return f"{_RESTORE}{_ERASE}{self._heading}{human(self._size)}"

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
