"""How long to wait before asking again. Pure.

Source: RFC 9110, section 10.2.3, "Retry-After".
"""

from email.utils import parsedate_to_datetime

LONGEST = 30.0
"""Seconds; a registry that wants more is not waited for."""
_LONGEST_OWN = 20.0


def growing(attempt: int, first: float, chance: float) -> float:
    """Seconds to wait after attempt number `attempt`, from 1 on.

    `chance`, from 0 to 1, spreads those who were refused together.
    """
    full = min(_LONGEST_OWN, first * 2.0 ** min(attempt - 1, 16))
    return full * (0.75 + 0.5 * chance)


def retry_after(text: str, now: float) -> float:
    """Seconds from a header field that holds seconds or a date; 0 for what it does not say.

    `now` is in seconds since 1970.
    """
    text = text.strip()
    if text.isascii() and text.isdigit():
        return float(text[:9])
    if not text:
        return 0.0
    try:
        return max(0.0, parsedate_to_datetime(text).timestamp() - now)
    except (ValueError, OverflowError):
        return 0.0
