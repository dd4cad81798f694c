"""The user's terminal: its size, and raw mode that is left again whatever happens."""

from __future__ import annotations

import posix

_STDIN, _STDOUT = 0, 1


def is_terminal(descriptor: int) -> bool:
    return posix.isatty(descriptor)


def size() -> tuple[int, int]:
    """Height and width of the terminal on stdout; zeros where it is none."""
    try:
        columns, lines = posix.get_terminal_size(_STDOUT)
    except OSError:
        return 0, 0
    return lines, columns


class RawMode:
    """While it lasts, keys go through unread by the terminal: no echo, no lines, no signals (termios(3))."""

    def __init__(self, wanted: bool = True) -> None:
        self._wanted = wanted and posix.isatty(_STDIN)
        self._saved: list[object] = []

    def __enter__(self) -> None:
        if not self._wanted:
            return
        import termios

        self._saved = termios.tcgetattr(_STDIN)
        inputs, outputs, controls, locals_, ispeed, ospeed, characters = termios.tcgetattr(_STDIN)
        inputs &= ~(
            termios.IGNBRK
            | termios.BRKINT
            | termios.PARMRK
            | termios.ISTRIP
            | termios.INLCR
            | termios.IGNCR
            | termios.ICRNL
            | termios.IXON
        )
        outputs &= ~termios.OPOST
        controls = (controls & ~(termios.CSIZE | termios.PARENB)) | termios.CS8
        locals_ &= ~(termios.ECHO | termios.ECHONL | termios.ICANON | termios.ISIG | termios.IEXTEN)
        characters = list(characters)
        characters[termios.VMIN], characters[termios.VTIME] = 1, 0
        raw = [inputs, outputs, controls, locals_, ispeed, ospeed, characters]
        termios.tcsetattr(_STDIN, termios.TCSANOW, raw)

    def __exit__(self, *_: object) -> None:
        if self._saved:
            import termios

            termios.tcsetattr(_STDIN, termios.TCSANOW, self._saved)  # type: ignore[arg-type]
            self._saved = []
