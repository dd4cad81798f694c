"""Progress reports of the engine: lines that are rewritten on a terminal, a log elsewhere."""

from __future__ import annotations

import os

from lading.cli.say import write

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any


def show(messages: Iterable[Any], descriptor: int | None) -> str:
    """Shows the messages of a pull, load or import (Engine API 1.51, "CreateImageInfo").

    Returns the engine's error, or "". Nothing is shown where `descriptor` is None.
    """
    rows: dict[str, int] = {}
    on_terminal = descriptor is not None and os.isatty(descriptor)
    for message in messages:
        error = message.get("error") or (message.get("errorDetail") or {}).get("message")
        if error:
            return str(error)
        if descriptor is None:
            continue
        text = message.get("stream")
        if text is not None:
            write(descriptor, text.encode("utf-8", "surrogateescape"))
        elif on_terminal and message.get("id"):
            write(descriptor, _rewrite(rows, message).encode())
        elif not message.get("progress") or not message.get("id"):
            write(descriptor, (_line(message) + "\n").encode())
    return ""


def _line(message: dict[str, Any]) -> str:
    head = f"{message['id']}: " if message.get("id") else ""
    progress = f" {message['progress']}" if message.get("progress") else ""
    return f"{head}{message.get('status', '')}{progress}"


def _rewrite(rows: dict[str, int], message: dict[str, Any]) -> str:
    """Terminal commands that put the message on the row of its id."""
    row = rows.get(message["id"])
    if row is None:
        rows[message["id"]] = len(rows)
        return f"{_line(message)}\n"
    up = len(rows) - row
    return f"\x1b[{up}A\x1b[2K\r{_line(message)}\x1b[{up}B\r"
