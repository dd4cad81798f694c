"""Notes beside a command's output: plain where it is read by programs, set off on a terminal."""

from __future__ import annotations

import posix

from lading.cli.say import write

_BOLD, _ITALIC, _UNDERLINE, _END = "\x1b[1m", "\x1b[3m", "\x1b[4m", "\x1b[0m"
_RED, _GREEN = "\x1b[31m", "\x1b[32m"
_BADGE = "\x1b[1m\x1b[106m\x1b[30mi\x1b[0m\x1b[0m \x1b[96mInfo → \x1b[0m\x1b[0m"
_INDENT = " " * 9


def note(descriptor: int, text: str, bold: str = "") -> None:
    """Prints a note; `bold` is a word in it that stands out on a terminal."""
    first, *more = text.split("\n")
    if not posix.isatty(descriptor):
        whole = f"\n Info -> {first}\n" + "".join(f"{_INDENT}{row}\n" for row in more)
    else:
        rows = [row.replace(bold, f"{_BOLD}{bold}{_END}") if bold else row for row in (first, *more)]
        rows = [f"{_ITALIC}{row}{_END}" for row in rows]
        whole = f"\n{_BADGE}{rows[0]}\n" + "".join(f"{_INDENT}{row}\n" for row in rows[1:])
    write(descriptor, whole.encode("utf-8", "surrogateescape"))


def underlined(text: str) -> str:
    return f"{_UNDERLINE}{text}{_END}"


def red(text: str) -> str:
    return f"{_RED}{text}{_END}"


def green(text: str) -> str:
    return f"{_GREEN}{text}{_END}"
