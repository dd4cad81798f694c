"""What a registry's refusals mean, worded as docker words them. Pure.

Source: distribution specification, "Error Codes"; RFC 6750, section 3.1.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import msgspec

from lading.distribution.challenge import Challenge
from lading.distribution.values import TooManyRequests
from lading.errors import Forbidden, LadingError, NotFound, Unauthorized

REPEATABLE = frozenset({408, 429, 500, 502, 503, 504})
"""Statuses that may be others the next time."""

_MESSAGES = {
    "UNAUTHORIZED": "authentication required",
    "DENIED": "requested access to the resource is denied",
    "TOOMANYREQUESTS": "too many requests",
    "UNSUPPORTED": "The operation is unsupported.",
    "UNAVAILABLE": "service unavailable",
    "NAME_UNKNOWN": "repository name not known to registry",
    "MANIFEST_UNKNOWN": "manifest unknown",
    "BLOB_UNKNOWN": "blob unknown to registry",
}
_KINDS: dict[str, type[LadingError]] = {
    "UNAUTHORIZED": Unauthorized,
    "DENIED": Forbidden,
    "TOOMANYREQUESTS": TooManyRequests,
    "NAME_UNKNOWN": NotFound,
    "MANIFEST_UNKNOWN": NotFound,
    "BLOB_UNKNOWN": NotFound,
}
_STATUSES: dict[int, type[LadingError]] = {
    401: Unauthorized,
    403: Forbidden,
    404: NotFound,
    429: TooManyRequests,
}
_RFC6750 = {"invalid_token": "UNAUTHORIZED", "insufficient_scope": "DENIED"}


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a registry did not do it. `code` is the registry's word, empty where it has none."""

    status: int
    code: str
    text: str

    def error(self) -> LadingError:
        """As an error."""
        kind = _KINDS.get(self.code) or _STATUSES.get(self.status, LadingError)
        return kind(self.text)


def refusal(status: int, demands: Sequence[Challenge], body: bytes) -> Refusal:
    """What an answer with a status of 400 or more says. `demands` are its challenges."""
    if status >= 500 and not _errors(body):
        return Refusal(status, "", f"received unexpected HTTP status: {_status_line(status)}")
    for demand in demands:
        code = _RFC6750.get(demand.parameters.get("error", "")) if demand.scheme == "bearer" else None
        if code is not None:
            return _coded(status, code, demand.parameters.get("error_description", ""))
    found = _errors(body)
    if found:
        return _coded(status, *found[0])
    details = _member(body, "details")
    if status in (401, 429) and details:
        return _coded(status, "UNAUTHORIZED" if status == 401 else "TOOMANYREQUESTS", details)
    if status == 401:
        return _coded(status, "UNAUTHORIZED", "")
    if status == 429:
        return _coded(status, "TOOMANYREQUESTS", "")
    return Refusal(status, "", _unreadable(status, body))


def _coded(status: int, code: str, message: str) -> Refusal:
    word = code.lower().replace("_", " ")
    return Refusal(status, code, f"{word}: {message or _MESSAGES.get(code, 'unknown error')}")


def _errors(body: bytes) -> list[tuple[str, str]]:
    errors = (_document(body) or {}).get("errors")
    if not isinstance(errors, list):
        return []
    return [
        (entry["code"], entry["message"] if isinstance(entry.get("message"), str) else "")
        for entry in errors
        if isinstance(entry, dict) and isinstance(entry.get("code"), str) and entry["code"]
    ]


def _member(body: bytes, name: str) -> str:
    value = (_document(body) or {}).get(name)
    return value if isinstance(value, str) else ""


def _document(body: bytes) -> dict[str, Any] | None:
    try:
        document = msgspec.json.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    return document if isinstance(document, dict) else None


def _unreadable(status: int, body: bytes) -> str:
    shown = body[:500].decode("utf-8", "replace")
    why = "invalid character in JSON"
    if _document(body) is not None:
        why = "no error details found in HTTP response body"
    if not body.strip():
        return f"unexpected status from registry: {_status_line(status)}"
    return f"error parsing HTTP {status} response body: {why}: {msgspec.json.encode(shown).decode()}"


def _status_line(status: int) -> str:
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return str(status)
