"""The client wing's pure parts: frames, detach keys, columns, references, fields, addresses, JSON."""

import csv
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.cli.recorder import framed

from lading import paths
from lading.cli.columns import align
from lading.cli.detach_keys import DetachScanner, parse_detach_keys
from lading.cli.errors import BadValue, CommandFailed
from lading.cli.frames import Frames
from lading.cli.reference import parse_reference
from lading.cli.run_options.fields import comma_fields
from lading.client import DEFAULT_SOCKET, BadAddress, dumps, loads, parse_address


def cut(data: bytes, places: list[int]) -> list[bytes]:
    """`data` in pieces."""
    ends = sorted(place % (len(data) + 1) for place in places)
    return [data[start:end] for start, end in zip([0, *ends], [*ends, len(data)], strict=True)]


_CUTS = st.lists(st.integers(0, 10_000), max_size=8)


@given(st.lists(st.tuples(st.sampled_from([1, 2]), st.binary(max_size=50)), max_size=10), _CUTS)
def test_frames_come_apart_wherever_the_stream_is_cut(
    frames: list[tuple[int, bytes]], places: list[int]
) -> None:
    reader = Frames()
    streams = {1: b"", 2: b""}
    for piece in cut(framed(*frames), places):
        for stream, data in reader.feed(piece):
            streams[stream] += data
    assert streams == {
        number: b"".join(data for stream, data in frames if stream == number) for number in (1, 2)
    }


def test_what_is_no_frame_is_noticed() -> None:
    with pytest.raises(ValueError, match="unrecognized stream"):
        Frames().feed(b"plain text, no frames")


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        ("", b"\x10\x11"),
        ("ctrl-p,ctrl-q", b"\x10\x11"),
        ("ctrl-a,x", b"\x01x"),
        ("ctrl-@,ctrl-[,ctrl-_", b"\x00\x1b\x1f"),
        ("nonsense", b"\x10\x11"),
    ],
)
def test_detach_keys(text: str, keys: bytes) -> None:
    assert parse_detach_keys(text) == keys


@given(st.binary(max_size=40), st.lists(st.sampled_from(b"ab"), min_size=1, max_size=4).map(bytes), _CUTS)
def test_the_first_detach_sequence_is_found_wherever_input_is_cut(
    noise: bytes, keys: bytes, places: list[int]
) -> None:
    typed = bytes(byte % 3 + ord("a") for byte in noise)
    scanner = DetachScanner(keys)
    passed, detached = b"", False
    for piece in cut(typed, places):
        more, detached = scanner.feed(piece)
        passed += more
        if detached:
            break
    assert detached == (keys in typed)
    if detached:
        assert passed == typed[: typed.index(keys)]
    else:
        assert typed.startswith(passed)
        assert keys.startswith(typed[len(passed) :])


_CELL = st.text(alphabet="abc é…", max_size=12)


@given(st.lists(st.tuples(_CELL, _CELL, _CELL), min_size=1, max_size=6))
def test_columns_begin_at_the_same_place(rows: list[tuple[str, str, str]]) -> None:
    lines = align("\n".join("\t".join(row) for row in rows)).split("\n")
    starts = [0]
    for column in (0, 1):
        starts.append(starts[-1] + max(10, max(len(row[column]) for row in rows) + 3))
    for line, row in zip(lines, rows, strict=True):
        assert line[: starts[1]].rstrip() == row[0].rstrip()
        assert line[starts[1] : starts[2]].rstrip() == row[1].rstrip()
        assert line[starts[2] :] == row[2]


@pytest.mark.parametrize(
    ("text", "familiar", "name"),
    [
        ("busybox", "busybox:latest", "docker.io/library/busybox"),
        ("docker.io/busybox:1", "busybox:1", "docker.io/library/busybox"),
        ("index.docker.io/a/b", "a/b:latest", "docker.io/a/b"),
        ("localhost/a:x", "localhost/a:x", "localhost/a"),
        ("host:5000/a/b", "host:5000/a/b:latest", "host:5000/a/b"),
    ],
)
def test_references(text: str, familiar: str, name: str) -> None:
    reference = parse_reference(text)
    assert (reference.familiar(), reference.name) == (familiar, name)


@given(st.text(max_size=30))
def test_any_text_is_a_reference_or_refused(text: str) -> None:
    try:
        reference = parse_reference(text)
    except CommandFailed:
        return
    assert parse_reference(reference.familiar()).familiar() == reference.familiar()


@given(st.lists(st.text(alphabet='ab ,"=', max_size=6), min_size=1, max_size=5))
def test_fields_are_read_back_from_what_csv_writes(fields: list[str]) -> None:
    class Line:
        text = ""

        def write(self, text: str) -> None:
            self.text = text

    line = Line()
    csv.writer(line, lineterminator="", quoting=csv.QUOTE_MINIMAL).writerow(fields)
    if line.text:
        assert comma_fields(line.text) == fields


@given(st.text(alphabet='a,"', max_size=12))
def test_damaged_fields_are_refused_not_misread(text: str) -> None:
    try:
        fields = comma_fields(text)
    except BadValue:
        return
    assert fields == next(csv.reader([text]))


@pytest.mark.parametrize(
    ("text", "path", "host", "port"),
    [
        ("unix:///tmp/x.sock", "/tmp/x.sock", "", 0),
        ("tcp://example.org:99", "", "example.org", 99),
        ("tcp://example.org", "", "example.org", 2375),
        ("example.org:99", "", "example.org", 99),
        ("tcp://[::1]:5", "", "::1", 5),
        ("tcp://:5", "", "127.0.0.1", 5),
    ],
)
def test_addresses(text: str, path: str, host: str, port: int) -> None:
    address = parse_address(text)
    assert (address.path, address.host, address.port) == (path, host, port)


@pytest.mark.parametrize("text", ["ssh://x", "tcp://x:y", "tcp://[::1", "tcp://x:99999", "npipe:////./pipe"])
def test_bad_addresses_are_refused(text: str) -> None:
    with pytest.raises(BadAddress, match="unable to parse host"):
        parse_address(text)


def test_client_and_engine_agree_on_the_default_socket() -> None:
    assert DEFAULT_SOCKET == paths.DEFAULT_SOCKET


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@given(_JSON)
def test_quick_json_is_json(value: Any) -> None:
    assert json.loads(dumps(value)) == value
    assert loads(json.dumps(value, indent=1)) == value


@given(st.text(alphabet='{}[]:,"0123456789.-+eE truefalsn\\', max_size=20))
def test_what_is_not_json_is_refused(text: str) -> None:
    try:
        expected = json.loads(text)
    except ValueError:
        with pytest.raises(ValueError):
            loads(text)
    else:
        assert loads(text) == expected
