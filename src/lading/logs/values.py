"""Values of log options, read as Go's strconv reads them. Pure."""

import re

from lading.errors import InvalidParameter
from lading.units import parse_whole

_TRUTH = {word: word[0] in "1tT" for word in "1 t T TRUE true True 0 f F FALSE false False".split()}


def parse_number(text: str) -> int:
    """Raises InvalidParameter."""
    if re.fullmatch(r"[+-]?[0-9]+", text) is None:
        raise InvalidParameter(f'strconv.Atoi: parsing "{text}": invalid syntax')
    if (number := parse_whole(text)) is None:
        raise InvalidParameter(f'strconv.Atoi: parsing "{text}": value out of range')
    return number


def parse_boolean(text: str) -> bool:
    """Raises InvalidParameter."""
    if text not in _TRUTH:
        raise InvalidParameter(f'strconv.ParseBool: parsing "{text}": invalid syntax')
    return _TRUTH[text]
