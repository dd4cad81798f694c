"""What a server demands of those who ask: `WWW-Authenticate`. Pure.

Source: RFC 9110, sections 11.2 and 11.6.1; the distribution specification's token flow.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

_TOKEN = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_SCHEME = re.compile(rf"\s*({_TOKEN})(?=[\s,]|\Z)(?!\s*=)")
_PARAMETER = re.compile(rf'\s*({_TOKEN})\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]*))')
# What follows `Negotiate`: one word, at whose end may be equals signs.
_TOKEN68 = re.compile(r"\s+[A-Za-z0-9._~+/-]+=*\s*(?=,|\Z)")
_SEPARATORS = re.compile(r"[\s,]*")
_ESCAPED = re.compile(r"\\(.)")


@dataclass(frozen=True, slots=True)
class Challenge:
    """One way to authenticate; the scheme and the names of parameters are in lower case."""

    scheme: str
    parameters: Mapping[str, str] = field(default_factory=dict)


def challenges(values: Iterable[str]) -> list[Challenge]:
    """The challenges of all header fields, in their order. What cannot be read ends its field."""
    return [challenge for value in values for challenge in _of_field(value)]


def _of_field(value: str) -> list[Challenge]:
    found: list[Challenge] = []
    position = _skip(value, 0)
    while (scheme := _SCHEME.match(value, position)) is not None:
        parameters: dict[str, str] = {}
        position = scheme.end()
        if (blob := _TOKEN68.match(value, position)) is not None:
            position = blob.end()
        else:
            position = _parameters(value, position, parameters)
        found.append(Challenge(scheme[1].lower(), parameters))
        position = _skip(value, position)
    return found


def _parameters(value: str, position: int, found: dict[str, str]) -> int:
    start = _skip(value, position)
    while (match := _PARAMETER.match(value, start)) is not None:
        quoted = match[2]
        found.setdefault(match[1].lower(), match[3] if quoted is None else _ESCAPED.sub(r"\1", quoted))
        position = match.end()
        start = _skip(value, position)
    return position


def _skip(value: str, position: int) -> int:
    match = _SEPARATORS.match(value, position)
    return match.end() if match else position
