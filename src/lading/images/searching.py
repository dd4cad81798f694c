"""Which of the repositories found at a registry are wanted. Pure.

Source: Engine API 1.51, ImageSearch; moby's checks of its parameters.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from lading.distribution import SearchResult
from lading.errors import InvalidParameter
from lading.filters import Filters

SEARCH_FILTERS = ("is-automated", "is-official", "stars")
_DEFAULT_LIMIT = 25
_MOST = 100


def search_limit(limit: int) -> int:
    """How many to ask for; 0 for docker's default. Raises InvalidParameter."""
    limit = limit or _DEFAULT_LIMIT
    if not 1 <= limit <= _MOST:
        raise InvalidParameter(f"limit {limit} is outside the range of [1, {_MOST}]")
    return limit


@dataclass(frozen=True, slots=True)
class Wish:
    """What the filters ask for."""

    official: bool | None = None
    automated: bool = False
    stars: int = 0

    def choose(self, found: Iterable[SearchResult]) -> list[SearchResult]:
        """Those that fit. Nothing counts as automated: Docker Hub no longer says so."""
        if self.automated:
            return []
        return [
            result
            for result in found
            if self.official in (None, result.is_official) and result.star_count >= self.stars
        ]


def wish(filters: Filters) -> Wish:
    """Raises InvalidParameter."""
    return Wish(
        filters.flag("is-official"),
        bool(filters.flag("is-automated")),
        max((_stars(text) for text in filters.get("stars")), default=0),
    )


def _stars(text: str) -> int:
    digits = text[1:] if text[:1] in ("+", "-") else text
    if not (digits.isascii() and digits.isdigit()):
        raise InvalidParameter(
            f"invalid filter 'stars={text}': strconv.Atoi: parsing \"{text}\": invalid syntax"
        )
    return int(text)
