"""Sizes, durations and times as Docker's clients write and read them."""

import re
import time
from datetime import UTC, datetime, timedelta

from lading.errors import InvalidParameter

NANOSECOND = 1_000_000_000
ZERO_TIME = "0001-01-01T00:00:00Z"

_INT64 = 1 << 63
_WHOLE = re.compile(r"[+-]?[0-9]{1,19}\Z")
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([kmgtp]?)(i?b?)\Z", re.IGNORECASE)
_POWERS = {"": 0, "k": 1, "m": 2, "g": 3, "t": 4, "p": 5}
_DURATION_PART = re.compile(r"(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|μs|ms|s|m|h)")
_DURATION_UNITS = {
    "ns": 1,
    "us": 1_000,
    "µs": 1_000,
    "μs": 1_000,
    "ms": 1_000_000,
    "s": NANOSECOND,
    "m": 60 * NANOSECOND,
    "h": 3600 * NANOSECOND,
}
_TIMESTAMP = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)(?:[Tt ](\d\d)(?::(\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?)?)?(Z|z|[+-]\d\d:?\d\d)?\Z"
)


def parse_whole(text: str) -> int | None:
    """A whole number as Go reads one into an int64; None where it is none, or does not fit."""
    if _WHOLE.match(text) is None:
        return None
    number = int(text)
    return number if -_INT64 <= number < _INT64 else None


def parse_size(text: str) -> int:
    """Bytes from "512m", "1.5GiB" or "4096"; every unit is a power of 1024.

    Raises InvalidParameter.
    """
    found = _SIZE.match(text.strip())
    if found is None:
        raise InvalidParameter(f"invalid size: '{text}'")
    number, unit, _ = found.groups()
    size = float(number) * 1024 ** _POWERS[unit.lower()]
    if size >= _INT64:
        raise InvalidParameter(f"invalid size: '{text}'")
    return int(size)


def human_size(size: float) -> str:
    """Four significant digits in powers of 1000, as `docker images` shows sizes."""
    for unit in ("B", "kB", "MB", "GB", "TB", "PB"):
        if size < 1000:
            return f"{size:.4g}{unit}"
        size /= 1000
    return f"{size:.4g}EB"


def parse_duration(text: str) -> int:
    """Nanoseconds from a Go duration such as "1m30s" or "-1.5h".

    Raises InvalidParameter.
    """
    body = text.removeprefix("-").removeprefix("+")
    if body == "0":
        return 0
    total, position = 0.0, 0
    while found := _DURATION_PART.match(body, position):
        total += float(found[1]) * _DURATION_UNITS[found[2]]
        position = found.end()
    if position == 0 or position != len(body) or total >= _INT64:
        raise InvalidParameter(f'time: invalid duration "{text}"')
    return -round(total) if text.startswith("-") else round(total)


def now_ns() -> int:
    """The wall clock in nanoseconds since 1970."""
    return time.time_ns()


def rfc3339(nanoseconds: int) -> str:
    """RFC 3339 in UTC with as many fractional digits as needed, as Go writes times.

    Zero stands for "never" and becomes Go's zero time.
    """
    if nanoseconds == 0:
        return ZERO_TIME
    seconds, fraction = divmod(nanoseconds, NANOSECOND)
    text = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds))
    if fraction == 0:
        return f"{text}Z"
    return f"{text}.{fraction:09d}".rstrip("0") + "Z"


def rfc3339_fixed(nanoseconds: int) -> str:
    """RFC 3339 in UTC with nine fractional digits, as `docker logs -t` writes times."""
    seconds, fraction = divmod(nanoseconds, NANOSECOND)
    return f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(seconds))}.{fraction:09d}Z"


def parse_rfc3339(text: str) -> int:
    """Nanoseconds since 1970 from RFC 3339 text; local time where no zone is given.

    Raises InvalidParameter.
    """
    found = _TIMESTAMP.match(text)
    if found is None:
        raise InvalidParameter(f'parsing time "{text}": not an RFC 3339 time')
    year, month, day, hour, minute, second = (int(part or 0) for part in found.groups()[:6])
    fraction, zone = found[7] or "", found[8]
    try:
        moment = datetime(year, month, day, hour, minute, second)
        if zone is None:
            seconds = int(moment.timestamp())
        else:
            seconds = int((moment.replace(tzinfo=UTC) - _zone_offset(zone)).timestamp())
    except (ValueError, OverflowError) as error:
        raise InvalidParameter(f'parsing time "{text}": {error}') from None
    return seconds * NANOSECOND + int(fraction.ljust(9, "0") or 0)


def _zone_offset(zone: str) -> timedelta:
    if zone in "Zz":
        return timedelta()
    digits = zone[1:].replace(":", "")
    offset = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
    return -offset if zone[0] == "-" else offset


def parse_moment(text: str, now: int) -> int:
    """Nanoseconds since 1970 from what `since` and `until` accept.

    That is seconds since 1970 with an optional fraction ("1136073845.000000001"),
    a Go duration before `now`, or an RFC 3339 time. Raises InvalidParameter.
    """
    whole, _, fraction = text.partition(".")
    seconds = parse_whole(whole)
    if seconds is not None and (fraction.isdecimal() or not fraction):
        sign = -1 if whole.startswith("-") else 1
        moment = seconds * NANOSECOND + sign * int(fraction[:9].ljust(9, "0"))
        # No event and no line of a log is older or younger than what Go's nanoseconds can tell.
        return max(-_INT64, min(moment, _INT64 - 1))
    if text[:1].isdigit() and "-" in text:
        return parse_rfc3339(text)
    return now - parse_duration(text)


def human_duration(nanoseconds: int) -> str:
    """A rough span for people, in the words `docker ps` uses: "About an hour", "3 weeks"."""
    seconds = nanoseconds // NANOSECOND
    minutes, hours = seconds // 60, (seconds + 1800) // 3600
    if seconds < 1:
        return "Less than a second"
    if seconds < 60:
        return "1 second" if seconds == 1 else f"{seconds} seconds"
    if minutes < 60:
        return "About a minute" if minutes == 1 else f"{minutes} minutes"
    if hours < 48:
        return "About an hour" if hours == 1 else f"{hours} hours"
    for unit, length, until in (
        ("days", 24, 24 * 14),
        ("weeks", 24 * 7, 24 * 60),
        ("months", 24 * 30, 24 * 730),
    ):
        if hours < until:
            return f"{hours // length} {unit}"
    return f"{hours // (24 * 365)} years"
