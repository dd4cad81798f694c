"""Values of flags: from text to what they mean, with the messages users know."""

from __future__ import annotations

from lading.cli.errors import BadValue

_TRUE = frozenset(("1", "t", "T", "TRUE", "true", "True"))
_FALSE = frozenset(("0", "f", "F", "FALSE", "false", "False"))
_INT64 = 1 << 63


def read_bool(text: str) -> bool:
    """Raises BadValue."""
    if text in _TRUE:
        return True
    if text in _FALSE:
        return False
    raise BadValue(f'strconv.ParseBool: parsing "{text}": invalid syntax')


def whole_number(text: str) -> int | None:
    """An integer in Go's notation (0x10, 0o17, 017, 1_000), or None."""
    if not text.isascii() or text != text.strip():
        return None
    digits = text.lstrip("+-")
    octal = len(digits) > 1 and digits[0] == "0" and digits.replace("_", "").isdecimal()
    try:
        return int(text, 8 if octal else 0)
    except ValueError:
        return None


def read_int(text: str) -> int:
    """A signed 64-bit integer. Raises BadValue."""
    number = whole_number(text)
    if number is None:
        raise BadValue(f'strconv.ParseInt: parsing "{text}": invalid syntax')
    if not -_INT64 <= number < _INT64:
        raise BadValue(f'strconv.ParseInt: parsing "{text}": value out of range')
    return number


def _read_unsigned(text: str, limit: int) -> int:
    number = whole_number(text)
    if number is None or text[0] in "+-":
        raise BadValue(f'strconv.ParseUint: parsing "{text}": invalid syntax')
    if number >= limit:
        raise BadValue(f'strconv.ParseUint: parsing "{text}": value out of range')
    return number


def read_uint(text: str) -> int:
    """Raises BadValue."""
    return _read_unsigned(text, 1 << 64)


def read_uint16(text: str) -> int:
    """Raises BadValue."""
    return _read_unsigned(text, 1 << 16)


def read_size(text: str) -> int:
    """Bytes, from "512m" and the like. Raises BadValue."""
    from lading.errors import InvalidParameter
    from lading.units import parse_size

    try:
        return parse_size(text)
    except InvalidParameter as error:
        raise BadValue(error.message) from None


def read_size_or_unlimited(text: str) -> int:
    """As `read_size`; -1 stands for no limit. Raises BadValue."""
    return -1 if text == "-1" else read_size(text)


def read_duration(text: str) -> int:
    """Nanoseconds, from "1m30s" and the like. Raises BadValue."""
    from lading.errors import InvalidParameter
    from lading.units import parse_duration

    try:
        return parse_duration(text)
    except InvalidParameter as error:
        raise BadValue(error.message) from None


READERS = {
    "int": read_int,
    "uint": read_uint,
    "uint16": read_uint16,
    "bytes": read_size,
    "duration": read_duration,
}
