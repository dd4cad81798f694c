"""How values look and what they count as (pure)."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

NO_VALUE = "<no value>"


class _Absent(str):
    """What a mapping of strings has where it has no entry: empty, and shown as no value."""

    __slots__ = ()


ABSENT = _Absent()


def truth(value: Any) -> bool:
    """Whether a condition with this value holds: everything but false, zero, nil and the empty."""
    if isinstance(value, (bool, int, float, str, list, dict, tuple)):
        return bool(value)
    return value is not None


def show(value: Any, inside: bool = False) -> str:
    """A value as Go's %v prints it."""
    if value is None:
        return "<nil>" if inside else NO_VALUE
    if value is ABSENT:
        return NO_VALUE
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return show_float(value)
    if isinstance(value, (list, tuple)):
        return "[" + " ".join(show(item, inside=True) for item in value) + "]"
    if isinstance(value, dict):
        pairs = (f"{key}:{show(value[key], inside=True)}" for key in sorted(value))
        return "map[" + " ".join(pairs) + "]"
    return str(value)


def show_float(value: float) -> str:
    """%v of a float: the fewest digits that tell it apart, with an exponent from a million on."""
    if value != value or value in (float("inf"), float("-inf")):
        return "NaN" if value != value else f"{'+' if value > 0 else '-'}Inf"
    digits, _, power = f"{value:.16e}".partition("e")
    mantissa = repr(value).partition("e")[0].replace("-", "").replace(".", "").strip("0") or "0"
    if value and not -4 <= int(power) < _EXPONENT_FROM:
        shortest = mantissa[0] + ("." + mantissa[1:] if len(mantissa) > 1 else "")
        return f"{'-' if digits[0] == '-' else ''}{shortest}e{int(power):+03d}"
    text = f"{value:.{max(len(mantissa) - int(power) - 1, 0)}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


_EXPONENT_FROM = 6


def kind(value: Any) -> str:
    """A value's type as messages name it."""
    if value is None:
        return "<nil>"
    for types, name in (
        (bool, "bool"),
        (int, "int"),
        (float, "float64"),
        (str, "string"),
        ((list, tuple), "[]interface {}"),
        (dict, "map[string]interface {}"),
    ):
        if isinstance(value, types):
            return name
    return type(value).__name__
