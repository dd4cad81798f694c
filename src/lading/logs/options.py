"""The options of each log driver: which there are, what they must look like. Pure.

Source: docker's "JSON File logging driver" and "Local file logging driver";
the errors are dockerd's own.
"""

import re
from collections.abc import Mapping

from msgspec import Struct

from lading.errors import InvalidParameter
from lading.units import parse_size, parse_whole

JSON_FILE, LOCAL, NONE = "json-file", "local", "none"
DRIVERS = (JSON_FILE, LOCAL, NONE)

_ATTRIBUTES = frozenset({"labels", "labels-regex", "env", "env-regex", "tag"})
_FILE = frozenset({"max-size", "max-file", "compress"})
_DELIVERY = frozenset({"mode", "max-buffer-size"})
_DECIMAL_SIZE = re.compile(r"(\d+(?:\.\d+)?) ?([kmgtp]?)(?:i?b)?\Z", re.IGNORECASE)
_POWERS = {"": 0, "k": 1, "m": 2, "g": 3, "t": 4, "p": 5}
_TRUTH = {word: word[0] in "1tT" for word in "1 t T TRUE true True 0 f F FALSE false False".split()}


class Rotation(Struct, frozen=True):
    """When a log file is set aside: at `max_size` bytes (0: never), keeping `max_file` files."""

    max_size: int
    max_file: int
    compress: bool


def check(driver: str, options: Mapping[str, str]) -> None:
    """Refuses a driver that is not there and options it does not know. Raises InvalidParameter."""
    if driver == NONE:
        return
    _check_delivery(options)
    if driver not in DRIVERS:
        raise InvalidParameter(f"logger: no log driver named '{driver}' is registered")
    for key in options:
        if key not in _ATTRIBUTES | _FILE | _DELIVERY:
            ending = "json-file log driver" if driver == JSON_FILE else f"log driver {driver}"
            raise InvalidParameter(f"unknown log opt '{key}' for {ending}")
    rotation(driver, options)


def _check_delivery(options: Mapping[str, str]) -> None:
    mode = options.get("mode", "")
    if mode not in ("", "blocking", "non-blocking"):
        raise InvalidParameter(f"logger: logging mode not supported: {mode}")
    if "max-buffer-size" in options:
        if mode != "non-blocking":
            raise InvalidParameter(
                "logger: max-buffer-size option is only supported with 'mode=non-blocking'"
            )
        try:
            parse_size(options["max-buffer-size"])
        except InvalidParameter as error:
            raise InvalidParameter(f"error parsing option max-buffer-size: {error.message}") from None


def rotation(driver: str, options: Mapping[str, str]) -> Rotation:
    """The file options with the driver's defaults where nothing is said. Raises InvalidParameter."""
    return _local(options) if driver == LOCAL else _json_file(options)


def _json_file(options: Mapping[str, str]) -> Rotation:
    max_size, max_file, compress = 0, 1, False
    if "max-size" in options:
        max_size = _size(options["max-size"])
        if max_size <= 0:
            raise InvalidParameter("max-size must be a positive number")
    if "max-file" in options:
        max_file = _number(options["max-file"])
        if max_file < 1:
            raise InvalidParameter("max-file cannot be less than 1")
    if "compress" in options:
        compress = _boolean(options["compress"])
        if compress and (max_file == 1 or not max_size):
            raise InvalidParameter(
                "compress cannot be true when max-file is less than 2 or max-size is not set"
            )
    return Rotation(max_size, max_file, compress)


def _local(options: Mapping[str, str]) -> Rotation:
    max_size, max_file, compress = 20 * 1024 * 1024, 5, True
    for key in ("max-size", "max-file", "compress"):
        if key not in options:
            continue
        value = options[key]
        try:
            if key == "max-size":
                max_size = _size(value)
            elif key == "max-file":
                max_file = _number(value)
            else:
                compress = _boolean(value)
        except InvalidParameter as error:
            kind = "invalid boolean value for compress" if key == "compress" else f"invalid value for {key}"
            detail = error.message if key == "compress" else f"{value}: {error.message}"
            raise InvalidParameter(f"{kind}: {detail}") from None
    if max_file < 0:
        raise InvalidParameter("max-file must not be negative")
    if compress and max_file <= 1:
        raise InvalidParameter("compression cannot be enabled when max file count is 1")
    return Rotation(max_size, max(max_file, 1), compress)


def _size(text: str) -> int:
    """Bytes; unlike memory sizes, log sizes count in powers of 1000."""
    found = _DECIMAL_SIZE.match(text)
    if found is None:
        raise InvalidParameter(f"invalid size: '{text}'")
    size = float(found[1]) * 1000 ** _POWERS[found[2].lower()]
    if size >= 1 << 63:
        raise InvalidParameter(f"invalid size: '{text}'")
    return int(size)


def _number(text: str) -> int:
    if re.fullmatch(r"[+-]?[0-9]+", text) is None:
        raise InvalidParameter(f'strconv.Atoi: parsing "{text}": invalid syntax')
    if (number := parse_whole(text)) is None:
        raise InvalidParameter(f'strconv.Atoi: parsing "{text}": value out of range')
    return number


def _boolean(text: str) -> bool:
    if text not in _TRUTH:
        raise InvalidParameter(f'strconv.ParseBool: parsing "{text}": invalid syntax')
    return _TRUTH[text]
