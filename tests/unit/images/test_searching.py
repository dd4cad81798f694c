"""Which repositories found are wanted."""

import pytest

from lading.distribution import SearchResult
from lading.errors import InvalidParameter
from lading.filters import Filters
from lading.images.searching import search_limit, wish

_FOUND = [
    SearchResult("busybox", "", 3000, True),
    SearchResult("ada/busybox", "", 7),
    SearchResult("x/busybox"),
]


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({}, ["busybox", "ada/busybox", "x/busybox"]),
        ({"is-official": ["true"]}, ["busybox"]),
        ({"is-official": ["0"]}, ["ada/busybox", "x/busybox"]),
        ({"stars": ["5", "7"]}, ["busybox", "ada/busybox"]),
        ({"is-automated": ["true"]}, []),
        ({"is-automated": ["false"]}, ["busybox", "ada/busybox", "x/busybox"]),
    ],
)
def test_filters(filters: dict[str, list[str]], expected: list[str]) -> None:
    assert [found.name for found in wish(Filters(filters)).choose(_FOUND)] == expected


@pytest.mark.parametrize("filters", [{"stars": ["many"]}, {"is-official": ["maybe"]}, {"stars": [""]}])
def test_filters_that_cannot_be(filters: dict[str, list[str]]) -> None:
    with pytest.raises(InvalidParameter, match="invalid filter '"):
        wish(Filters(filters))


def test_limits() -> None:
    assert [search_limit(limit) for limit in (0, 1, 100)] == [25, 1, 100]
    for limit in (-1, 101):
        with pytest.raises(InvalidParameter, match=rf"limit {limit} is outside the range of \[1, 100\]"):
            search_limit(limit)
