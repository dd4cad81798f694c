"""Identifiers: 64 hexadecimal digits, shown as the first twelve."""

import re
import secrets

ID_LENGTH = 64
SHORT_LENGTH = 12

_FULL = re.compile(r"[0-9a-f]{64}\Z")
_PREFIX = re.compile(r"[0-9a-f]{1,64}\Z")


def new_id() -> str:
    """A fresh identifier whose short form is not a decimal number.

    An all-digit short form could be taken for a number by tools that use it as
    a host name, so such identifiers are not handed out.
    """
    while True:
        fresh = secrets.token_hex(ID_LENGTH // 2)
        if not fresh[:SHORT_LENGTH].isdecimal():
            return fresh


def short_id(identifier: str) -> str:
    """The form shown to people: twelve digits, without a digest's algorithm."""
    return identifier.removeprefix("sha256:")[:SHORT_LENGTH]


def is_full_id(text: str) -> bool:
    """Whether `text` is a complete identifier."""
    return _FULL.match(text) is not None


def may_be_id_prefix(text: str) -> bool:
    """Whether `text` could abbreviate an identifier."""
    return _PREFIX.match(text) is not None
