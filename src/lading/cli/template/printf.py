"""Go's Printf (pure): verbs, flags, width and precision; mistakes are shown in the output."""

from __future__ import annotations

from lading.cli.template.values import kind, show, show_float

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

_BASES = {"d": "d", "b": "b", "o": "o", "x": "x", "X": "X"}
_QUOTED = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t", "\r": "\\r", "\a": "\\a", "\b": "\\b"}
_QUOTED |= {"\f": "\\f", "\v": "\\v"}


def sprintf(template: str, values: Sequence[Any]) -> str:
    """The text; never fails, as Go's never does."""
    pieces, used, at = [], 0, 0
    while at < len(template):
        if template[at] != "%":
            end = template.find("%", at)
            end = len(template) if end < 0 else end
            pieces.append(template[at:end])
            at = end
            continue
        at += 1
        flags, at = _take(template, at, "+-# 0")
        width, at, used = _number(template, at, values, used)
        precision = None
        if template[at : at + 1] == ".":
            precision, at, used = _number(template, at + 1, values, used)
            precision = precision or 0
        if at >= len(template):
            pieces.append("%!(NOVERB)")
            break
        verb = template[at]
        at += 1
        if verb == "%":
            pieces.append("%")
        elif used >= len(values):
            pieces.append(f"%!{verb}(MISSING)")
        else:
            pieces.append(_one(verb, values[used], flags, width, precision))
            used += 1
    if used < len(values):
        extra = ", ".join(f"{kind(value)}={show(value, inside=True)}" for value in values[used:])
        pieces.append(f"%!(EXTRA {extra})")
    return "".join(pieces)


def _take(template: str, at: int, characters: str) -> tuple[str, int]:
    start = at
    while at < len(template) and template[at] in characters:
        at += 1
    return template[start:at], at


def _number(template: str, at: int, values: Sequence[Any], used: int) -> tuple[int | None, int, int]:
    if template[at : at + 1] == "*":
        value = values[used] if used < len(values) else None
        return (value if isinstance(value, int) else None), at + 1, used + 1
    digits, at = _take(template, at, "0123456789")
    return (int(digits) if digits else None), at, used


def _one(verb: str, value: Any, flags: str, width: int | None, precision: int | None) -> str:
    text = _convert(verb, value, flags, precision)
    if text is None:
        found = "<nil>" if value is None else f"{kind(value)}={show(value, inside=True)}"
        text, flags = f"%!{verb}({found})", flags.replace("0", "")
    if width is None or abs(width) <= len(text):
        return text
    if "-" in flags or width < 0:
        return text.ljust(abs(width))
    if "0" in flags and isinstance(value, (int, float)) and verb not in "vq":
        sign = text[0] if text[0] in "+-" else ""
        return sign + text[len(sign) :].rjust(width - len(sign), "0")
    return text.rjust(width)


def _convert(verb: str, value: Any, flags: str, precision: int | None) -> str | None:
    """The value by its verb, or None where the verb does not fit it."""
    if verb == "v":
        return show(value, inside=True)
    if verb == "T":
        return kind(value)
    if isinstance(value, (list, tuple)):
        items = [_one(verb, item, flags, None, precision) for item in value]
        return "[" + " ".join(items) + "]"
    if isinstance(value, bool):
        return show(value) if verb == "t" else None
    if isinstance(value, str):
        return _text(verb, value, flags, precision)
    if isinstance(value, int):
        return _integer(verb, value, flags, precision)
    if isinstance(value, float) and verb in "feEgG":
        sign = "+" if "+" in flags else ""
        default = 6 if verb in "feE" else None
        chosen = default if precision is None else precision
        if chosen is not None:
            return f"{value:{sign}.{chosen}{verb}}"
        return (sign if value >= 0 else "") + show_float(value)
    return None


def _text(verb: str, value: str, flags: str, precision: int | None) -> str | None:
    if precision is not None:
        value = value[:precision]
    if verb == "s":
        return value
    if verb == "q":
        return "`" + value + "`" if "#" in flags and "`" not in value else quote(value)
    if verb in "xX":
        digits = value.encode("utf-8", "surrogateescape").hex()
        return digits.upper() if verb == "X" else digits
    return None


def _integer(verb: str, value: int, flags: str, precision: int | None) -> str | None:
    if verb in _BASES:
        digits = format(abs(value), _BASES[verb])
        if precision is not None:
            digits = digits.rjust(precision, "0")
        prefix = {"x": "0x", "X": "0X", "o": "0", "b": "0b"}.get(verb, "") if "#" in flags else ""
        sign = "-" if value < 0 else "+" if "+" in flags else " " if " " in flags else ""
        return sign + prefix + digits
    if verb == "c":
        return chr(value)
    if verb == "q":
        return f"'{chr(value)}'"
    if verb == "U":
        return f"U+{value:04X}"
    return None


def quote(text: str) -> str:
    """A string in Go's double quotes."""
    pieces = []
    for character in text:
        if character in _QUOTED:
            pieces.append(_QUOTED[character])
        elif character.isprintable():
            pieces.append(character)
        elif ord(character) < 0x80:
            pieces.append(f"\\x{ord(character):02x}")
        else:
            pieces.append(
                f"\\u{ord(character):04x}" if ord(character) < 0x10000 else f"\\U{ord(character):08x}"
            )
    return '"' + "".join(pieces) + '"'
