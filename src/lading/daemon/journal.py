"""The daemon's own log, on standard error: text as logrus writes it, or JSON lines."""

import json
import logging
import sys
from typing import Any

from lading.units import now_ns, rfc3339

_LEVELS = {
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "warn": logging.WARNING,
    "error": logging.ERROR,
    "fatal": logging.CRITICAL,
}
_NAMES = {
    logging.DEBUG: "debug",
    logging.INFO: "info",
    logging.WARNING: "warning",
    logging.ERROR: "error",
    logging.CRITICAL: "fatal",
}


def set_up(level: str, style: str) -> None:
    """Directs everything logged in this process; may be called again on reload."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Json() if style == "json" else _Text())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(_LEVELS[level])
    logging.getLogger("asyncio").setLevel(logging.WARNING)


class _Text(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        return " ".join(f"{key}={_quoted(value)}" for key, value in _fields(self, record).items())


class _Json(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        return json.dumps(_fields(self, record))


def _fields(formatter: logging.Formatter, record: logging.LogRecord) -> dict[str, Any]:
    entry = {
        "time": rfc3339(now_ns()),
        "level": _NAMES.get(record.levelno, "info"),
        "msg": record.getMessage(),
        "room": record.name.removeprefix("lading."),
    }
    if record.exc_info:
        entry["error"] = formatter.formatException(record.exc_info)
    return entry


def _quoted(value: str) -> str:
    return json.dumps(value) if any(character in ' "=\n' for character in value) else value
