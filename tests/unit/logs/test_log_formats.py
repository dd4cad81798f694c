"""The two log formats, as docker's own files spell them, and what crashes leave of them."""

import json
import struct
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lading.logs.contract import Format, Record
from lading.logs.json_file import JsonFile
from lading.logs.local_file import LocalFile
from lading.units import rfc3339, rfc3339_fixed

START = 1_700_000_000_000_000_000


def json_line(text: str, stream: str = "stdout", time_ns: int = START) -> bytes:
    return json.dumps({"log": text, "stream": stream, "time": rfc3339(time_ns)}).encode() + b"\n"


def varint(number: int) -> bytes:
    low, rest = number & 0x7F, number >> 7
    return bytes([low | 0x80]) + varint(rest) if rest else bytes([low])


def field(number: int, value: bytes | int) -> bytes:
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    return varint(number << 3 | 2) + varint(len(value)) + value


def local_frame(message: bytes) -> bytes:
    length = struct.pack(">I", len(message))
    return length + message + length


def local_line(text: str, stream: str = "stdout", time_ns: int = START) -> bytes:
    line = text.removesuffix("\n").encode()
    message = field(1, stream.encode()) + field(2, time_ns) + (field(3, line) if line else b"")
    if not text.endswith("\n"):
        message += field(4, 1) + field(5, field(2, b"f" * 64) + field(3, 1))
    return local_frame(message)


FORMATS: list[tuple[Format, Callable[..., bytes]]] = [(JsonFile(), json_line), (LocalFile(), local_line)]
Entry = tuple[str, str, int]
# Lone surrogates cannot be in UTF-8; \x0b and friends must not be taken for ends of lines.
texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\n"), max_size=300)
entries = st.lists(
    st.tuples(
        texts, st.sampled_from(["\n", ""]), st.sampled_from(["stdout", "stderr"]), st.integers(0, 10**15)
    ).map(lambda parts: (parts[0] + parts[1] or "\n", parts[2], START + parts[3])),
    max_size=30,
)


def expected(written: list[Entry]) -> list[Record]:
    return [(stream, text.encode(), rfc3339_fixed(time_ns), None) for text, stream, time_ns in written]


def find_tail(form: Format, data: bytes, count: int) -> tuple[int, int]:
    search = form.tail(len(data), count)
    try:
        offset, length = next(search)
        while True:
            offset, length = search.send(data[offset : offset + length])
    except StopIteration as result:
        place, found = result.value
        return place, found


@pytest.mark.parametrize("which", [0, 1])
@given(written=entries, cut=st.integers(0, 100))
def test_whole_records_are_read_and_an_unfinished_one_waits(
    which: int, written: list[Entry], cut: int
) -> None:
    form, write = FORMATS[which]
    lines = [write(*entry) for entry in written]
    data = b"".join(lines)
    torn = data[: max(len(data) - cut, 0)]
    records, taken = form.records(torn, timed=True)
    assert records == expected(written)[: len(records)]
    assert taken == sum(map(len, lines[: len(records)]))
    rest, _ = form.records(data[taken:], timed=True)
    assert records + rest == expected(written)


@pytest.mark.parametrize("which", [0, 1])
@given(written=entries, count=st.integers(1, 40))
def test_the_tail_is_the_end_of_the_whole(which: int, written: list[Entry], count: int) -> None:
    form, write = FORMATS[which]
    data = b"".join(write(*entry) for entry in written)
    place, found = find_tail(form, data, count)
    assert found == min(count, len(written))
    assert form.records(data[place:], timed=True)[0] == expected(written)[-count:]


@pytest.mark.parametrize("which", [0, 1])
def test_the_tail_of_a_file_of_many_blocks(which: int) -> None:
    form, write = FORMATS[which]
    written = [
        (f"{number} {'x' * (number % 40000)}\n", "stdout", START + number) for number in range(0, 40000, 97)
    ]
    data = b"".join(write(*entry) for entry in written)
    for count in (1, 2, 50, 412, 413, 1000):
        place, found = find_tail(form, data, count)
        assert found == min(count, len(written))
        assert form.records(data[place:], timed=True)[0] == expected(written)[-count:]


@pytest.mark.parametrize("which", [0, 1])
def test_a_record_torn_by_a_crash_costs_itself_only(which: int) -> None:
    form, write = FORMATS[which]
    before, torn, after = write("before\n"), write("torn by the crash\n")[:-20], write("after\n")
    records, taken = form.records(before + torn + after * 2, timed=True)
    assert [record[1] for record in records] == [b"before\n", b"after\n", b"after\n"]
    assert taken == len(before + torn + after * 2)
    place, found = find_tail(form, before + torn + after * 2, 2)
    assert found == 2
    assert [record[1] for record in form.records((before + torn + after * 2)[place:], timed=False)[0]] == [
        b"after\n",
        b"after\n",
    ]


def test_zeros_that_a_power_cut_left_are_passed_over() -> None:
    data = json_line("a\n") + b"\0" * 300 + json_line("b\n")
    assert [record[1] for record in JsonFile().records(data, timed=False)[0]] == [b"a\n", b"b\n"]


def test_attributes_are_read() -> None:
    line = b'{"log":"x\\n","stream":"stdout","attrs":{"tag":"web"},"time":"2024-01-02T03:04:05.1Z"}\n'
    assert JsonFile().records(line, timed=True)[0] == [
        ("stdout", b"x\n", "2024-01-02T03:04:05.100000000Z", {"tag": "web"})
    ]
    message = (
        field(1, b"stderr") + field(2, START) + field(3, b"x") + field(6, field(1, b"tag") + field(2, b"web"))
    )
    assert LocalFile().records(local_frame(message), timed=False)[0] == [
        ("stderr", b"x\n", "", {"tag": "web"})
    ]


def test_times_of_other_writers_are_understood() -> None:
    line = b'{"log":"x\\n","stream":"stdout","time":"2024-01-02T05:04:05+02:00"}\n'
    assert JsonFile().records(line, timed=True)[0][0][2] == "2024-01-02T03:04:05.000000000Z"


def test_the_last_piece_of_a_long_local_line_ends_it() -> None:
    last = field(5, field(1, 1) + field(2, b"f" * 64) + field(3, 2))
    message = field(1, b"stdout") + field(2, START) + field(3, b"end") + field(4, 1) + last
    assert LocalFile().records(local_frame(message), timed=False)[0][0][1] == b"end\n"
