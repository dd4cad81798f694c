"""Text to the user: unbuffered, and whole even where it is not valid UTF-8."""

from __future__ import annotations

import posix

from lading.cli.errors import Exit

_STDOUT, _STDERR = 1, 2
_BROKEN_PIPE = 128 + 13


def out(text: str) -> None:
    """One line, or several, to stdout."""
    write(_STDOUT, (text + "\n").encode("utf-8", "surrogateescape"))


def err(text: str) -> None:
    """One line, or several, to stderr."""
    write(_STDERR, (text + "\n").encode("utf-8", "surrogateescape"))


def write(descriptor: int, data: bytes) -> None:
    """All of `data`. Raises Exit where the reader is gone, as a shell expects of a filter."""
    view = memoryview(data)
    while view:
        try:
            view = view[posix.write(descriptor, view) :]
        except BrokenPipeError:
            raise Exit(_BROKEN_PIPE) from None
        except BlockingIOError:
            _wait_until_writable(descriptor)


def _wait_until_writable(descriptor: int) -> None:
    import select

    select.select([], [descriptor], [])
