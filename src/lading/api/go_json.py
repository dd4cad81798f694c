"""JSON values as Go's decoder would put them into a type (encoding/json, Unmarshal). Pure.

Go matches an object's keys with a field's name without regard to case, passes
over keys it does not know, and takes null for "leave it as it is". Clients
rely on all three.
"""

import types
from collections.abc import Callable
from functools import cache
from typing import Any, Union, get_args, get_origin

import msgspec

Reading = Callable[[Any], Any]
"""Turns a decoded value into what msgspec converts strictly. Raises msgspec.ValidationError."""


@cache
def reading(kind: Any) -> Reading | None:
    """How to read a value of type `kind`; None where it is taken as it is."""
    if kind is int:
        return _int64
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        return _structure(kind)
    origin, arguments = get_origin(kind), get_args(kind)
    if origin in (Union, types.UnionType):
        readings = [found for found in map(reading, arguments) if found is not None]
        return readings[0] if readings else None
    if origin is list:
        return _list(reading(arguments[0]), _zero(arguments[0]))
    if origin is dict:
        return _mapping(reading(arguments[1]), _zero(arguments[1]))
    return None


def _structure(kind: type[msgspec.Struct]) -> Reading:
    fields = {
        field.encode_name.lower(): (field.encode_name, reading(field.type))
        for field in msgspec.structs.fields(kind)
    }

    def read(value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        found = {}
        for key, entry in value.items():
            if entry is None or (field := fields.get(key.lower())) is None:
                continue
            name, nested = field
            found[name] = nested(entry) if nested is not None else entry
        return found

    return read


def _int64(value: Any) -> Any:
    if type(value) is int and not -(1 << 63) <= value < 1 << 63:
        raise msgspec.ValidationError(f"the number {value} does not fit into 64 bits")
    return value


def _list(nested: Reading | None, zero: Any) -> Reading:
    def read(value: Any) -> Any:
        if not isinstance(value, list):
            return value
        filled = [zero if entry is None else entry for entry in value]
        return filled if nested is None else [nested(entry) for entry in filled]

    return read


def _mapping(nested: Reading | None, zero: Any) -> Reading:
    def read(value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        filled = {key: zero if entry is None else entry for key, entry in value.items()}
        return filled if nested is None else {key: nested(entry) for key, entry in filled.items()}

    return read


_ZEROS: dict[Any, Any] = {str: "", int: 0, float: 0.0, bool: False}


def _zero(kind: Any) -> Any:
    """What null becomes inside a list or a map: Go's zero value."""
    if kind in _ZEROS:
        return _ZEROS[kind]
    if get_origin(kind) is dict or (isinstance(kind, type) and issubclass(kind, msgspec.Struct)):
        return {}
    return None
