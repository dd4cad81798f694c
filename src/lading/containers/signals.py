"""Signal names as docker's clients write them. Pure."""

import signal

from lading.errors import InvalidParameter
from lading.units import parse_whole

_REAL_TIME = {"RTMIN": signal.SIGRTMIN, "RTMAX": signal.SIGRTMAX}


def parse_signal(text: str) -> int:
    """The number of "SIGTERM", "term", "15" or "SIGRTMIN+3". Raises InvalidParameter."""
    if text.isdecimal():
        number = parse_whole(text) or 0
        if 0 < number <= signal.SIGRTMAX:
            return number
        raise InvalidParameter(f"Invalid signal: {text}")
    name = text.upper().removeprefix("SIG")
    try:
        return signal.Signals[f"SIG{name}"].value
    except KeyError:
        pass
    for base, start in _REAL_TIME.items():
        offset = name.removeprefix(base)
        distance = parse_whole(offset) if offset != name and offset[:1] in ("+", "-") else None
        if distance is not None and signal.SIGRTMIN <= start + distance <= signal.SIGRTMAX:
            return start + distance
    raise InvalidParameter(f"Invalid signal: {text}")
