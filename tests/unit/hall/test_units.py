"""Sizes, durations and times read and write as Docker's clients do."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lading import units
from lading.errors import InvalidParameter


@pytest.mark.parametrize(
    ("text", "size"),
    [("4096", 4096), ("1b", 1), ("512m", 512 << 20), ("1.5GiB", 3 << 29), ("2kb", 2048), ("1 g", 1 << 30)],
)
def test_sizes(text: str, size: int) -> None:
    assert units.parse_size(text) == size


@pytest.mark.parametrize("text", ["", "m", "-1", "1x", "1.2.3", "0x10"])
def test_bad_sizes_are_refused(text: str) -> None:
    with pytest.raises(InvalidParameter):
        units.parse_size(text)


@pytest.mark.parametrize(
    ("text", "nanoseconds"),
    [
        ("1s", 10**9),
        ("1m30s", 90 * 10**9),
        ("1.5h", 5400 * 10**9),
        ("-2us", -2000),
        ("0", 0),
        ("300ms", 3 * 10**8),
    ],
)
def test_durations(text: str, nanoseconds: int) -> None:
    assert units.parse_duration(text) == nanoseconds


@pytest.mark.parametrize("text", ["", "s", "5", "1s junk", "1d"])
def test_bad_durations_are_refused(text: str) -> None:
    with pytest.raises(InvalidParameter):
        units.parse_duration(text)


def test_times_lose_trailing_zeros_as_go_writes_them() -> None:
    assert units.rfc3339(1_700_000_000_120_000_000) == "2023-11-14T22:13:20.12Z"
    assert units.rfc3339(1_700_000_000_000_000_000) == "2023-11-14T22:13:20Z"
    assert units.rfc3339(0) == "0001-01-01T00:00:00Z"
    assert units.rfc3339_fixed(1_700_000_000_120_000_000) == "2023-11-14T22:13:20.120000000Z"


@given(st.integers(min_value=1, max_value=4 * 10**18))
def test_a_written_time_reads_back(nanoseconds: int) -> None:
    assert units.parse_rfc3339(units.rfc3339(nanoseconds)) == nanoseconds
    assert units.parse_rfc3339(units.rfc3339_fixed(nanoseconds)) == nanoseconds


def test_moments() -> None:
    now = 1_700_000_000 * 10**9
    assert units.parse_moment("1136073845.000000001", now) == 1136073845 * 10**9 + 1
    assert units.parse_moment("10m", now) == now - 600 * 10**9
    assert units.parse_moment("2023-11-14T22:13:20+01:00", now) == now - 3600 * 10**9
    with pytest.raises(InvalidParameter):
        units.parse_moment("yesterday", now)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "Less than a second"),
        (1, "1 second"),
        (59, "59 seconds"),
        (60, "About a minute"),
        (150, "2 minutes"),
        (3600, "About an hour"),
        (2 * 3600 + 1799, "2 hours"),
        (2 * 3600 + 1800, "3 hours"),
        (47 * 3600, "47 hours"),
        (48 * 3600, "2 days"),
        (14 * 86400, "2 weeks"),
        (60 * 86400, "2 months"),
        (800 * 86400, "2 years"),
    ],
)
def test_spans_in_words(seconds: int, words: str) -> None:
    assert units.human_duration(seconds * 10**9) == words


def test_sizes_for_people() -> None:
    assert units.human_size(0) == "0B"
    assert units.human_size(1234) == "1.234kB"
    assert units.human_size(4_261_550) == "4.262MB"
