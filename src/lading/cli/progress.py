"""Progress reports of the engine: lines that are rewritten on a terminal, a log elsewhere.

The bytes are those of docker's client, but where its picture falls apart: lines
do not become wider than the terminal, and rows that have scrolled off are let be.
"""

from __future__ import annotations

import posix

from lading.cli.say import write

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

_WIDTH_UNKNOWN = 200
_WIDE_ENOUGH_FOR_A_BAR = 110
_BAR = 50


def show(
    messages: Iterable[Any], descriptor: int | None, aux: Callable[[dict[str, Any]], None] | None = None
) -> str:
    """Shows the messages of a pull, push, load or import (Engine API 1.51, "CreateImageInfo").

    Returns the engine's error, or "". Nothing is shown where `descriptor` is None.
    `aux` is called with what is meant for programs.
    """
    display = _Display(descriptor) if descriptor is not None else None
    for message in messages:
        if not isinstance(message, dict):
            continue
        error = (message.get("errorDetail") or {}).get("message") or message.get("error")
        if error:
            return str(error)
        if message.get("aux") is not None:
            if aux:
                aux(message["aux"])
        elif display:
            display.show(message)
    return ""


class _Display:
    """What has been shown, as far as it can still be changed."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._on_terminal = posix.isatty(descriptor)
        self._rows: dict[str, int] = {}

    def show(self, message: dict[str, Any]) -> None:
        width, height = _size(self._descriptor) if self._on_terminal else (_WIDTH_UNKNOWN, 0)
        text = self._text(message, width, height)
        if text:
            write(self._descriptor, text.encode("utf-8", "surrogateescape"))

    def _text(self, message: dict[str, Any], width: int, height: int) -> str:
        detail = message.get("progressDetail")
        is_progress = detail is not None or bool(message.get("progress"))
        if not (is_progress and message.get("id")):
            # What stands above was another matter and is not rewritten any more.
            self._rows.clear()
        if message.get("stream"):
            return str(message["stream"])
        progress = bar(detail, width) if detail is not None else message.get("progress") or ""
        if not self._on_terminal and detail is not None:
            return "" if progress else f"{line(message, '', False)}\n"
        if detail is None:
            return f"{line(message, progress, bool(progress))}\n"
        shown = line(message, progress, True)[:width]
        if not message.get("id"):
            return f"\x1b[2K\r{shown}\r"
        return self._rewrite(message["id"], shown, height)

    def _rewrite(self, identifier: str, shown: str, height: int) -> str:
        """Terminal commands that put a line on the row of its id."""
        start = ""
        if identifier not in self._rows:
            self._rows[identifier] = len(self._rows)
            start = "\n"
        up = len(self._rows) - self._rows[identifier]
        if height and up >= height:
            return start
        return f"{start}\x1b[{up}A\x1b[2K\r{shown}\r\x1b[{up}B"


def line(message: dict[str, Any], progress: str, spaced: bool) -> str:
    """One message in one line; `spaced` where docker leaves room for progress even if there is none."""
    head = f"{message['id']}: " if message.get("id") else ""
    gap = " " if spaced else ""
    return f"{head}{message.get('status') or ''}{gap}{progress}"


def bar(detail: dict[str, Any], width: int) -> str:
    """How far something is, with a bar where a line of this width has room. Pure."""
    current, total = int(detail.get("current") or 0), int(detail.get("total") or 0)
    units = detail.get("units") or ""
    if current <= 0 and total <= 0:
        return ""
    if total <= 0:
        return f"{current} {units}" if units else f"{_size_text(current):>8}"
    half_percent = min(int(current / total * 100) // 2, _BAR)
    box = ""
    if width > _WIDE_ENOUGH_FOR_A_BAR:
        box = f"[{'=' * half_percent}>{' ' * (_BAR - half_percent)}] "
    if detail.get("hidecounts"):
        return box
    if units:
        return box + (f"{current}/{total} {units}" if current <= total else f"{current} {units}")
    numbers = f"{_size_text(current):>8}"
    return box + (f"{numbers}/{_size_text(total)}" if current <= total else numbers)


def _size_text(size: int) -> str:
    from lading.units import human_size

    return human_size(size)


def _size(descriptor: int) -> tuple[int, int]:
    """Columns and lines, asked anew each time: a terminal may change while a layer comes."""
    try:
        columns, lines = posix.get_terminal_size(descriptor)
    except OSError:
        return _WIDTH_UNKNOWN, 0
    return columns or _WIDTH_UNKNOWN, lines
