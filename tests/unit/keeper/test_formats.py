"""Log lines as docker writes them: moby's jsonlog encoder and the LogEntry of its local driver."""

import json
import struct

from hypothesis import given
from hypothesis import strategies as st

from lading.keeper.formats import JsonFormat, LocalFormat, timestamp
from lading.keeper.lines import LAST, PART, WHOLE

NOW = 1_700_000_000_120_000_000
TIME = "2023-11-14T22:13:20.12Z"


def test_time_has_no_trailing_zeros() -> None:
    assert timestamp(NOW) == TIME
    assert timestamp(1_700_000_000_000_000_000) == "2023-11-14T22:13:20Z"
    assert timestamp(1_700_000_000_000_000_001) == "2023-11-14T22:13:20.000000001Z"


def test_a_block_becomes_a_record_for_each_line() -> None:
    assert JsonFormat("").format(1, WHOLE, b"one\n\ntwo\n", NOW).decode() == (
        f'{{"log":"one\\n","stream":"stdout","time":"{TIME}"}}\n'
        f'{{"log":"\\n","stream":"stdout","time":"{TIME}"}}\n'
        f'{{"log":"two\\n","stream":"stdout","time":"{TIME}"}}\n'
    )


def test_attributes_stand_between_stream_and_time() -> None:
    line = JsonFormat('{"tag":"x"}').format(2, WHOLE, b"a\n", NOW).decode()
    assert line == f'{{"log":"a\\n","stream":"stderr","attrs":{{"tag":"x"}},"time":"{TIME}"}}\n'


def test_only_the_last_piece_of_a_line_has_the_newline_and_all_have_one_time() -> None:
    format = JsonFormat("")
    pieces = [
        format.format(1, PART, b"a", NOW),
        format.format(1, PART, b"b", NOW + 7),
        format.format(1, LAST, b"c", NOW + 9),
    ]
    records = [json.loads(piece) for piece in pieces]
    assert [record["log"] for record in records] == ["a", "b", "c\n"]
    assert {record["time"] for record in records} == {TIME}


def escaped(text: bytes) -> str:
    record = JsonFormat("").format(1, WHOLE, text + b"\n", NOW).decode()
    return record.removeprefix('{"log":"').partition('\\n","stream"')[0]


def test_escapes_are_those_of_go() -> None:
    assert escaped(b'<a href="x">\\ & \x1b[1m\t\r') == (
        '\\u003ca href=\\"x\\"\\u003e\\\\ \\u0026 \\u001b[1m\\u0009\\r'
    )
    assert escaped(b"\x00\x07\x08\x0b\x0c\x7f") == "\\u0000\\u0007\\u0008\\u000b\\u000c\x7f"
    assert escaped("héllo ☃ 🚢".encode()) == "héllo ☃ 🚢"
    assert escaped("a\u2028b\u2029c".encode()) == "a\\u2028b\\u2029c"


def test_each_byte_that_is_no_utf8_becomes_a_replacement() -> None:
    assert escaped(b"a\xffb\xe2\x98") == "a\\ufffdb\\ufffd\\ufffd"
    assert escaped(b"\xed\xa0\x80") == "\\ufffd" * 3
    assert escaped("real \ufffd".encode()) == "real \ufffd"


@given(st.binary(max_size=200).map(lambda text: text.replace(b"\n", b"")))
def test_what_was_printed_can_be_read_back(text: bytes) -> None:
    record = JsonFormat("").format(1, WHOLE, text + b"\n", NOW)
    assert record.count(b"\n") == 1
    decoded = text.decode("utf-8", "surrogateescape")
    expected = "".join("\ufffd" if "\udc80" <= letter <= "\udcff" else letter for letter in decoded)
    assert json.loads(record)["log"] == expected + "\n"


def entries(data: bytes) -> list[dict[int, object]]:
    """Reads a local log back: an independent reading of its protobuf fields."""
    found = []
    while data:
        size = struct.unpack(">I", data[:4])[0]
        assert struct.unpack(">I", data[4 + size : 8 + size])[0] == size
        found.append(fields(data[4 : 4 + size]))
        data = data[8 + size :]
    return found


def fields(data: bytes) -> dict[int, object]:
    found: dict[int, object] = {}
    while data:
        tag, data = varint(data)
        value, data = varint(data)
        if tag & 7 == 2:
            found[tag >> 3], data = data[:value], data[value:]
        else:
            found[tag >> 3] = value
    return found


def varint(data: bytes) -> tuple[int, bytes]:
    number = shift = 0
    for place, byte in enumerate(data):
        number |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return number, data[place + 1 :]
    raise AssertionError("a varint without end")


def test_local_entries() -> None:
    data = LocalFormat().format(2, WHOLE, b"one\n\n" + b"x" * 300 + b"\n", NOW)
    assert entries(data) == [
        {1: b"stderr", 2: NOW, 3: b"one"},
        {1: b"stderr", 2: NOW},
        {1: b"stderr", 2: NOW, 3: b"x" * 300},
    ]


def test_local_pieces_belong_together() -> None:
    format = LocalFormat()
    data = b"".join(
        format.format(1, kind, text, NOW + number)
        for number, (kind, text) in enumerate([(PART, b"a"), (PART, b"b"), (LAST, b""), (PART, b"next")])
    )
    found = entries(data)
    about = [fields(entry[5]) for entry in found if isinstance(entry[5], bytes)]
    assert [entry.get(3) for entry in found] == [b"a", b"b", None, b"next"]
    assert [entry[2] for entry in found] == [NOW, NOW, NOW, NOW + 3]
    assert [(each.get(1), each[3]) for each in about] == [(None, 1), (None, 2), (1, 3), (None, 1)]
    assert about[0][2] == about[1][2] == about[2][2] != about[3][2]
