"""The `filters` parameter of the list, prune and event calls.

Docker's clients send `{"key": ["value", …]}`; old ones send the legacy form
`{"key": {"value": true, …}}`. Both mean: for each key, any of the values.
"""

import json
import re
from collections.abc import Collection, Iterable, Mapping

from lading.errors import InvalidParameter


class Filters:
    """Parsed filters: for each key a tuple of accepted values."""

    __slots__ = ("_values",)

    def __init__(self, values: Mapping[str, Iterable[str]] | None = None) -> None:
        self._values = {key: tuple(accepted) for key, accepted in (values or {}).items()}

    @classmethod
    def parse(cls, text: str | None, known: Collection[str]) -> "Filters":
        """Reads the query parameter and refuses keys not in `known`.

        Raises InvalidParameter.
        """
        if not text:
            return cls()
        try:
            decoded = json.loads(text)
        except (ValueError, RecursionError):
            raise InvalidParameter(f"invalid filter: {text!r} is not JSON") from None
        if not isinstance(decoded, dict):
            raise InvalidParameter("invalid filter: a JSON object is needed")
        values = {key: _values_of(key, accepted) for key, accepted in decoded.items()}
        for key in values:
            if key not in known:
                raise InvalidParameter(f"invalid filter '{key}'")
        return cls(values)

    def __bool__(self) -> bool:
        return bool(self._values)

    def __contains__(self, key: str) -> bool:
        return bool(self._values.get(key))

    def also(self, key: str, value: str) -> "Filters":
        """These filters with one more value that is accepted under `key`."""
        return Filters({**self._values, key: (*self.get(key), value)})

    def get(self, key: str) -> tuple[str, ...]:
        """The accepted values of `key`; empty where it does not filter."""
        return self._values.get(key, ())

    def exact(self, key: str, value: str) -> bool:
        """Whether `key` does not filter, or one of its values equals `value`."""
        accepted = self.get(key)
        return not accepted or value in accepted

    def fuzzy(self, key: str, value: str) -> bool:
        """Whether `key` does not filter, or one of its values is found in `value`.

        A value is tried as a regular expression, and as plain text where it is not one.
        """
        accepted = self.get(key)
        return not accepted or any(_found(pattern, value) for pattern in accepted)

    def labels(self, labels: Mapping[str, str] | None, key: str = "label") -> bool:
        """Whether every `name` or `name=value` asked for under `key` is among `labels`."""
        present = labels or {}
        for wanted in self.get(key):
            name, separator, value = wanted.partition("=")
            if name not in present or (separator and present[name] != value):
                return False
        return True

    def flag(self, key: str) -> bool | None:
        """The one boolean value of `key`, or None where it does not filter.

        Raises InvalidParameter.
        """
        accepted = self.get(key)
        if not accepted:
            return None
        truths = {_BOOLEANS.get(value.lower()) for value in accepted}
        if len(truths) != 1 or None in truths:
            raise InvalidParameter(f"invalid filter '{key}={list(accepted)}'")
        return truths.pop()


_BOOLEANS = {"1": True, "true": True, "t": True, "0": False, "false": False, "f": False}


def _values_of(key: str, accepted: object) -> list[str]:
    if isinstance(accepted, list) and all(isinstance(value, str) for value in accepted):
        return accepted
    if isinstance(accepted, dict):
        return [value for value, wanted in accepted.items() if wanted]
    raise InvalidParameter(f"invalid filter '{key}': a list of strings is needed")


def _found(pattern: str, value: str) -> bool:
    try:
        return re.search(pattern, value) is not None
    except re.error:
        return pattern in value
