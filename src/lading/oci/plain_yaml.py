"""The part of YAML that programs write: block mappings and lists of scalars. Pure.

Anchors, tags, block scalars and several documents are refused, as none of the
documents read here has them. Source: YAML 1.2.2.
"""

import json
import re
from typing import Any

_KEY = re.compile(r"""("(?:[^"\\]|\\.)*"|'(?:[^']|'')*'|[^\s#&*!|>%@`"'\[\]{},][^#]*?)\s*:(?:\s+|\Z)""")
_COMMENT = re.compile(r"(?:^|\s)#.*\Z")
_INTEGER = re.compile(r"[-+]?[0-9]+\Z")
_OCTAL = re.compile(r"0o?[0-7]+\Z")
_WORDS = {"true": True, "false": False, "null": None, "~": None, "": None}
_REFUSED = "&*!|>%@`"

_Line = tuple[int, str]


def parse(text: str) -> Any:
    """Mappings, lists, strings, whole numbers, truth values and None. Raises ValueError."""
    if text.lstrip().startswith("{"):
        # JSON is YAML.
        return json.loads(text)
    lines = [line for raw in text.splitlines() if (line := _read(raw)) is not None]
    if lines and lines[0] == (0, "---"):
        del lines[0]
    if not lines:
        return None
    value, rest = _block(lines, 0)
    if rest != len(lines):
        raise ValueError(f"unexpected line: {lines[rest][1]}")
    return value


def _read(raw: str) -> _Line | None:
    if "\t" in raw[: len(raw) - len(raw.lstrip())]:
        raise ValueError("a tab indents a line")
    text = raw.strip()
    if not text or text.startswith("#"):
        return None
    return len(raw) - len(raw.lstrip()), text


def _block(lines: list[_Line], position: int) -> tuple[Any, int]:
    """The value that begins at a line, and the first line after it."""
    indent, text = lines[position]
    if text == "-" or text.startswith("- "):
        return _list(lines, position, indent)
    if _KEY.match(text):
        return _mapping(lines, position, indent)
    return _scalar(text), position + 1


def _list(lines: list[_Line], position: int, indent: int) -> tuple[list[Any], int]:
    found: list[Any] = []
    while position < len(lines) and lines[position][0] == indent:
        text = lines[position][1]
        if text != "-" and not text.startswith("- "):
            break
        inner = text[1:].lstrip()
        if not inner:
            value, position = _below(lines, position + 1, indent)
        else:
            # What follows the dash is a line of its own, further in.
            lines[position] = (indent + len(text) - len(inner), inner)
            value, position = _block(lines, position)
        found.append(value)
    return found, position


def _mapping(lines: list[_Line], position: int, indent: int) -> tuple[dict[str, Any], int]:
    found: dict[str, Any] = {}
    while position < len(lines) and lines[position][0] == indent:
        text = lines[position][1]
        match = _KEY.match(text)
        if match is None or text.startswith("- "):
            break
        key = str(_quoted(match[1]) if match[1][0] in "\"'" else match[1])
        if key in found:
            raise ValueError(f"{key} is said twice")
        inner = (
            _COMMENT.sub("", text[match.end() :])
            if text[match.end() :].startswith("#")
            else text[match.end() :]
        )
        if inner:
            found[key], position = _scalar(inner), position + 1
        else:
            found[key], position = _below(lines, position + 1, indent)
    return found, position


def _below(lines: list[_Line], position: int, indent: int) -> tuple[Any, int]:
    """The value in the lines further in; a list may be as far out as its key."""
    if position < len(lines):
        inner, text = lines[position]
        if inner > indent or (inner == indent and (text == "-" or text.startswith("- "))):
            return _block(lines, position)
    return None, position


def _scalar(text: str) -> Any:
    if text[0] in "\"'":
        return _quoted(text)
    text = _COMMENT.sub("", text).strip()
    if text[:1] in ("[", "{"):
        return _flow(text)
    if text[:1] and text[0] in _REFUSED:
        raise ValueError(f"not understood: {text}")
    if text.lower() in _WORDS:
        return _WORDS[text.lower()]
    if _OCTAL.match(text) and len(text) > 1:
        return int(text.replace("o", ""), 8)
    return int(text) if _INTEGER.match(text) else text


def _quoted(text: str) -> str:
    if text[0] == "'":
        end = re.match(r"'((?:[^']|'')*)'", text)
        if end is None or _COMMENT.sub("", text[end.end() :]).strip():
            raise ValueError(f"not understood: {text}")
        return end[1].replace("''", "'")
    value, length = json.JSONDecoder().raw_decode(text)
    if _COMMENT.sub("", text[length:]).strip():
        raise ValueError(f"not understood: {text}")
    return str(value)


def _flow(text: str) -> Any:
    """A list or mapping on one line: empty, JSON, or a list of plain words."""
    try:
        return json.loads(text)
    except ValueError:
        inner = text[1:-1]
        if text[0] != "[" or text[-1] != "]" or any(mark in inner for mark in "[]{}:\"'"):
            raise ValueError(f"not understood: {text}") from None
        return [_scalar(part.strip()) for part in inner.split(",") if part.strip()]
