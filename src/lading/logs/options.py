"""The options of each log driver: which there are, what they must look like. Pure.

Source: docker's "JSON File logging driver" and "Local file logging driver";
the errors are dockerd's own.
"""

import re
from collections.abc import Mapping

from msgspec import Struct

from lading.errors import InvalidParameter
from lading.logs.servers import SERVERS, check_server
from lading.logs.values import parse_boolean, parse_number
from lading.units import parse_size

JSON_FILE, LOCAL, NONE = "json-file", "local", "none"
DRIVERS = tuple(sorted((JSON_FILE, LOCAL, *SERVERS)))
"""As `docker info` lists them; "none" is always there, and never listed."""

_MISSING = {
    "awslogs": "this engine has no client for Amazon CloudWatch Logs",
    "gcplogs": "this engine has no client for Google Cloud Logging",
}

_ATTRIBUTES = frozenset({"labels", "labels-regex", "env", "env-regex", "tag"})
_FILE = frozenset({"max-size", "max-file", "compress"})
_DELIVERY = frozenset({"mode", "max-buffer-size"})
# What `docker logs` reads where a log server gets the log: docker's dual logging.
_CACHE = frozenset({"cache-disabled", "cache-max-size", "cache-max-file", "cache-compress"})
_BUFFER = 1_000_000
_UNLIMITED = 1_000_000
_DECIMAL_SIZE = re.compile(r"(\d+(?:\.\d+)?) ?([kmgtp]?)(?:i?b)?\Z", re.IGNORECASE)
_POWERS = {"": 0, "k": 1, "m": 2, "g": 3, "t": 4, "p": 5}


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
        reason = f": {_MISSING[driver]}" if driver in _MISSING else ""
        raise InvalidParameter(f"logger: no log driver named '{driver}' is registered{reason}")
    _check_cache(options)
    own = {key: value for key, value in options.items() if key not in _DELIVERY | _CACHE}
    if driver in SERVERS:
        check_server(driver, own)
        return
    for key in own:
        if key not in _ATTRIBUTES | _FILE:
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


def _check_cache(options: Mapping[str, str]) -> None:
    if text := options.get("cache-disabled", ""):
        try:
            parse_boolean(text)
        except InvalidParameter:
            raise InvalidParameter(f"invalid value for option cache-disabled: {text}") from None
    _local(_cache(options))


def _cache(options: Mapping[str, str]) -> dict[str, str]:
    """The options of the file that `docker logs` reads."""
    prefix = "cache-"
    cache = {key.removeprefix(prefix): options[key] for key in options if key.startswith(prefix)}
    cache.pop("disabled", None)
    return {"compress": "false", **cache}


def with_defaults(
    options: Mapping[str, str], defaults: Mapping[str, str], *, same_driver: bool
) -> dict[str, str]:
    """A container's options, below them the daemon's; of another driver only those of the cache count."""
    below = {key: value for key, value in defaults.items() if same_driver or key in _CACHE}
    return {**below, **options}


class Delivery(Struct, frozen=True):
    """How what is to be sent to a log server waits on the disk, and for how long.

    `keep` counts the files that stay though they were sent; `buffer` is how
    many bytes may wait while the server is away, 0 for any number.
    """

    spool: Rotation
    keep: int
    buffer: int
    readable: bool


def delivery(options: Mapping[str, str]) -> Delivery:
    """The options `mode`, `max-buffer-size` and `cache-…`. Raises InvalidParameter.

    Unless the user set a limit, no file goes away before it was sent.
    """
    cache = _cache(options)
    # Never compressed: it may have to be sent yet, and a place in it be found again.
    local = _local({**cache, "compress": "false"})
    limited = "max-size" in cache or "max-file" in cache
    readable = not parse_boolean(options.get("cache-disabled") or "false")
    buffer = 0
    if options.get("mode") == "non-blocking":
        buffer = parse_size(options["max-buffer-size"]) if "max-buffer-size" in options else _BUFFER
        if not limited:
            files = max(local.max_file, -(-buffer // local.max_size) + 1)
            return Delivery(Rotation(local.max_size, files, False), files, buffer, readable)
    spool = local if limited else Rotation(local.max_size, _UNLIMITED, False)
    return Delivery(spool, local.max_file if readable else 1, buffer, readable)


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
        max_file = parse_number(options["max-file"])
        if max_file < 1:
            raise InvalidParameter("max-file cannot be less than 1")
    if "compress" in options:
        compress = parse_boolean(options["compress"])
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
                max_file = parse_number(value)
            else:
                compress = parse_boolean(value)
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
