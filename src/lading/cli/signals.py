"""Signals as events: caught, and read from a descriptor in the order they came.

`_signal` is used in place of `signal`, whose import costs more than a request
to the engine because it makes enumerations of all names.
"""

from __future__ import annotations

import _signal  # type: ignore[import-not-found]
import posix

SIGWINCH: int = _signal.SIGWINCH
ENDING: tuple[int, ...] = (_signal.SIGHUP, _signal.SIGTERM)
"""Signals that end a client, which then has to leave the terminal as it was."""

_FORWARDED = (
    *("HUP", "INT", "QUIT", "TRAP", "ABRT", "USR1", "USR2", "ALRM", "TERM", "CONT", "TSTP"),
    *("XCPU", "XFSZ", "VTALRM", "PROF", "WINCH", "IO", "PWR", "SYS"),
)
NAMES: dict[int, str] = {getattr(_signal, f"SIG{name}"): name for name in _FORWARDED}
"""Signals handed on to a container, by number, as the API names them."""


class Signals:
    """While it lasts, the given signals are read from `fileno` and do nothing else."""

    def __init__(self, numbers: tuple[int, ...]) -> None:
        self._numbers = numbers
        self._before: dict[int, object] = {}

    def __enter__(self) -> Signals:
        self._reader, self._writer = posix.pipe2(posix.O_NONBLOCK | posix.O_CLOEXEC)
        self._wakeup_before = _signal.set_wakeup_fd(self._writer)
        for number in self._numbers:
            self._before[number] = _signal.signal(number, _noted)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            _signal.signal(number, handler)
        _signal.set_wakeup_fd(self._wakeup_before)
        posix.close(self._reader)
        posix.close(self._writer)

    def fileno(self) -> int:
        return self._reader

    def read(self) -> bytes:
        """The numbers of the signals that came, one byte each."""
        try:
            return posix.read(self._reader, 256)
        except BlockingIOError:
            return b""


def _noted(number: int, frame: object) -> None:
    """Being caught makes the number appear on the descriptor; nothing else is to be done."""
