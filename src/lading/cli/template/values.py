"""How values look and what they count as (pure)."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

NO_VALUE = "<no value>"


def truth(value: Any) -> bool:
    """Whether a condition with this value holds: everything but false, zero, nil and the empty."""
    if isinstance(value, (bool, int, float, str, list, dict, tuple)):
        return bool(value)
    return value is not None


def show(value: Any, inside: bool = False) -> str:
    """A value as Go's %v prints it."""
    if value is None:
        return "<nil>" if inside else NO_VALUE
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
    """%v of a float: shortest form, exponents from 1e21 on."""
    text = repr(value)
    if text.endswith(".0"):
        text = text[:-2]
    mantissa, exponent, power = text.partition("e")
    if abs(value) >= 1e21 or (value and abs(value) < 1e-4):
        return text if not exponent else f"{mantissa.removesuffix('.0')}e{power[0]}{power[1:].zfill(2)}"
    return text if not exponent else f"{value:.0f}"


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
