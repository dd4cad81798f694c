"""Times and identifiers as lists show them."""

from __future__ import annotations

import time

from lading.units import NANOSECOND, human_duration

_SIZE_UNITS = ("B", "kB", "MB", "GB", "TB", "PB")


def ago(seconds: float) -> str:
    """How long ago a moment was: "2 hours ago"."""
    return f"{human_duration(int((time.time() - seconds) * NANOSECOND))} ago"


def local_time(seconds: float) -> str:
    """A moment in local time: "2026-11-25 07:31:53 +0000 UTC"."""
    return time.strftime("%Y-%m-%d %H:%M:%S %z %Z", time.localtime(seconds))


def rough_size(size: float) -> str:
    """Three significant digits in powers of 1000, as lists show sizes."""
    for unit in _SIZE_UNITS:
        if size < 1000:
            return f"{size:.3g}{unit}"
        size /= 1000
    return f"{size:.3g}EB"


def binary_size(size: float) -> str:
    """Four significant digits in powers of 1024, as memory is shown."""
    for unit in ("B", "KiB", "MiB", "GiB", "TiB", "PiB"):
        if size < 1024:
            return f"{size:.4g}{unit}"
        size /= 1024
    return f"{size:.4g}EiB"


def short(identifier: str) -> str:
    """The first twelve digits of an ID, without its algorithm."""
    return identifier.rpartition(":")[2][:12]


def cut(text: str, length: int) -> str:
    """`text`, its end replaced by an ellipsis where it is longer."""
    return text if len(text) <= length else text[: length - 1] + "…"
