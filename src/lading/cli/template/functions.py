"""The functions a template may call: Go's own, and docker's for text (pure)."""

from __future__ import annotations

import html
import json

from lading.cli.template.errors import CallError, WrongType
from lading.cli.template.printf import sprintf
from lading.cli.template.values import kind, show, truth

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


def to_json(value: Any) -> str:
    """Compact JSON. What HTML cares about is escaped in records, as their Go counterparts do."""
    records = []

    def plain(value: Any) -> Any:
        if not hasattr(value, "as_dict"):
            return str(value)
        records.append(value)
        return value.as_dict()

    text = json.dumps(value, separators=(",", ":"), ensure_ascii=False, default=plain)
    if records:
        for character in "<>&":
            text = text.replace(character, f"\\u{ord(character):04x}")
    return text


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    raise WrongType(value, "string", kind(value))


def _whole(value: Any) -> int:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    raise WrongType(value, "integer", kind(value))


def _split(text: Any, separator: Any) -> list[str]:
    return list(_text(text)) if _text(separator) == "" else _text(text).split(separator)


def _join(items: Any, separator: Any) -> str:
    if not isinstance(items, (list, tuple)) and items is not None:
        raise WrongType(items, "[]string", kind(items))
    return _text(separator).join(map(_text, items or ()))


def _title(text: Any) -> str:
    words, before = [], " "
    for character in _text(text):
        inside = before.isalnum() or before == "_"
        words.append(character if inside else character.upper())
        before = character
    return "".join(words)


def _pad(text: Any, left: Any, right: Any) -> str:
    return " " * _whole(left) + text + " " * _whole(right) if _text(text) else ""


def _truncate(text: Any, length: Any) -> str:
    return _text(text)[: _whole(length)]


def _print(*values: Any) -> str:
    """Spaces only between operands neither of which is a string, as fmt.Sprint does."""
    pieces: list[str] = []
    for position, value in enumerate(values):
        if position and not isinstance(value, str) and not isinstance(values[position - 1], str):
            pieces.append(" ")
        pieces.append(show(value, inside=True))
    return "".join(pieces)


def _println(*values: Any) -> str:
    return " ".join(show(value, inside=True) for value in values) + "\n"


def _printf(template: Any, *values: Any) -> str:
    return sprintf(_text(template), values)


def _length(value: Any) -> int:
    if isinstance(value, str):
        return len(value.encode("utf-8", "surrogateescape"))
    if isinstance(value, (list, tuple, dict)):
        return len(value)
    if value is None:
        # null in JSON stands for a list or a mapping without entries, whose length Go gives as 0.
        return 0
    raise CallError(f"len of type {kind(value)}")


def _index(value: Any, *keys: Any) -> Any:
    for key in keys:
        if isinstance(value, dict):
            value = _entry(value, key)
        elif isinstance(value, (list, tuple, str)):
            place = _whole_index(key)
            if not 0 <= place < len(value):
                raise CallError(f"index out of range: {place}")
            value = ord(value[place]) if isinstance(value, str) else value[place]
        elif value is None:
            raise CallError("index of untyped nil")
        else:
            raise CallError(f"can't index item of type {kind(value)}")
    return value


def _entry(mapping: dict[str, Any], key: Any) -> Any:
    if not isinstance(key, str):
        raise CallError(f"value has type {kind(key)}; should be string")
    if key in mapping:
        return mapping[key]
    # A mapping of strings gives its zero value, as map[string]string does.
    return "" if mapping and all(isinstance(value, str) for value in mapping.values()) else None


def _whole_index(key: Any) -> int:
    if isinstance(key, int) and not isinstance(key, bool):
        return key
    raise CallError(f"cannot index slice/array with {'nil' if key is None else f'type {kind(key)}'}")


def _slice(value: Any, *bounds: Any) -> Any:
    if not isinstance(value, (str, list, tuple)):
        raise CallError(f"can't slice item of type {kind(value)}")
    places = [_whole_index(bound) for bound in bounds]
    start, end = (*places, *(0, len(value))[len(places) :])[:2]
    if not 0 <= start <= end <= len(value):
        raise CallError(f"index out of range: {end}")
    return value[start:end]


def _family(value: Any) -> str:
    for types, name in ((bool, "bool"), (int, "int"), (float, "float"), (str, "string")):
        if isinstance(value, types):
            return name
    return "nil" if value is None else "other"


def _equal(first: Any, *others: Any) -> bool:
    if not others:
        raise CallError("missing argument for comparison")
    family = _family(first)
    for other in others:
        theirs = _family(other)
        if "nil" in (family, theirs):
            if family == theirs:
                return True
            continue
        if "other" in (family, theirs):
            raise CallError(
                f"non-comparable type {show(first)}: {kind(first if family == 'other' else other)}"
            )
        if family != theirs:
            raise CallError("incompatible types for comparison")
        if first == other:
            return True
    return False


def _less(first: Any, second: Any) -> bool:
    families = _family(first), _family(second)
    if families[0] not in ("int", "float", "string"):
        raise CallError("invalid type for comparison")
    if families[0] != families[1]:
        raise CallError("incompatible types for comparison")
    return bool(first < second)


def _not_equal(first: Any, second: Any) -> bool:
    return not _equal(first, second)


def _less_or_equal(first: Any, second: Any) -> bool:
    return _less(first, second) or _equal(first, second)


def _greater(first: Any, second: Any) -> bool:
    return not _less_or_equal(first, second)


def _greater_or_equal(first: Any, second: Any) -> bool:
    return not _less(first, second)


def _and(first: Any, *others: Any) -> Any:
    return next((value for value in (first, *others) if not truth(value)), (first, *others)[-1])


def _or(first: Any, *others: Any) -> Any:
    return next((value for value in (first, *others) if truth(value)), (first, *others)[-1])


def _not(value: Any) -> bool:
    return not truth(value)


def _html(*values: Any) -> str:
    return html.escape(_print(*values)).replace("&quot;", "&#34;").replace("&#x27;", "&#39;")


def _urlquery(*values: Any) -> str:
    from urllib.parse import quote_plus

    return quote_plus(_print(*values))


def _js(*values: Any) -> str:
    special = {"\\": "\\\\", "'": "\\'", '"': '\\"', "\n": "\\u000A", "\r": "\\u000D", "\t": "\\u0009"}
    special |= {character: f"\\u{ord(character):04X}" for character in "<>&="}
    return "".join(special.get(character, character) for character in _print(*values))


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "and": _and,
    "eq": _equal,
    "ge": _greater_or_equal,
    "gt": _greater,
    "html": _html,
    "index": _index,
    "join": _join,
    "js": _js,
    "json": to_json,
    "le": _less_or_equal,
    "len": _length,
    "lower": lambda text: _text(text).lower(),
    "lt": _less,
    "ne": _not_equal,
    "not": _not,
    "or": _or,
    "pad": _pad,
    "print": _print,
    "printf": _printf,
    "println": _println,
    "slice": _slice,
    "split": _split,
    "title": _title,
    "truncate": _truncate,
    "upper": lambda text: _text(text).upper(),
    "urlquery": _urlquery,
}
