"""What a client asks of a log, and the bytes it gets."""

import struct

from hypothesis import given
from hypothesis import strategies as st

from lading.logs import LogQuery
from lading.logs.contract import Record
from lading.logs.query import Encoder
from lading.units import rfc3339_fixed

START = 1_700_000_000_000_000_000


def record(number: int, stream: str = "stdout") -> Record:
    return stream, f"line {number}\n".encode(), rfc3339_fixed(START + number), None


def unframe(data: bytes) -> list[tuple[int, bytes]]:
    frames = []
    while data:
        stream, length = struct.unpack_from(">BxxxI", data)
        frames.append((stream, data[8 : 8 + length]))
        data = data[8 + length :]
    return frames


def test_each_record_is_a_frame_of_its_stream() -> None:
    data = Encoder(LogQuery(), framed=True).encode([record(1), record(2, "stderr")])
    assert unframe(data) == [(1, b"line 1\n"), (2, b"line 2\n")]


def test_a_terminal_gets_bare_text() -> None:
    assert Encoder(LogQuery(), framed=False).encode([record(1), record(2)]) == b"line 1\nline 2\n"


def test_the_time_stands_before_the_details() -> None:
    entry = ("stdout", b"x\n", "2024-01-02T03:04:05.000000001Z", {"b": "2 3", "a": "1"})
    query = LogQuery(timestamps=True, details=True)
    assert Encoder(query, framed=False).encode([entry]) == b"2024-01-02T03:04:05.000000001Z a=1,b=2+3 x\n"


def test_details_of_nothing_are_a_space() -> None:
    assert Encoder(LogQuery(details=True), framed=False).encode([record(1)]) == b" line 1\n"


def test_one_stream_alone() -> None:
    records = [record(1), record(2, "stderr"), record(3)]
    assert Encoder(LogQuery(stdout=False), framed=False).encode(records) == b"line 2\n"
    assert Encoder(LogQuery(stderr=False), framed=False).encode(records) == b"line 1\nline 3\n"


@given(
    st.lists(st.integers(0, 10**12), unique=True).map(sorted), st.integers(1, 10**12), st.integers(1, 10**12)
)
def test_since_and_until_include_their_moment(numbers: list[int], since: int, until: int) -> None:
    query = LogQuery(since_ns=START + since, until_ns=START + until)
    encoder = Encoder(query, framed=True)
    frames = unframe(encoder.encode([record(number) for number in numbers]))
    assert [text for _, text in frames] == [
        f"line {number}\n".encode() for number in numbers if since <= number <= until
    ]
    assert encoder.done == any(number > until for number in numbers)
