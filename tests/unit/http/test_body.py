"""Where a body ends, however the network cut it up."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lading.errors import InvalidParameter
from lading.http.body import ChunkedBody, FixedBody

_cuts = st.lists(st.integers(1, 40), max_size=60)


def _cut(data: bytes, sizes: list[int]) -> list[bytes]:
    pieces, at = [], 0
    for size in sizes:
        pieces.append(data[at : at + size])
        at += size
    return [piece for piece in (*pieces, data[at:]) if piece]


def _feed(body: FixedBody | ChunkedBody, pieces: list[bytes]) -> tuple[bytes, bytes]:
    decoded, rest = b"", b""
    for piece in pieces:
        if body.complete:
            rest += piece
            continue
        found, after = body.feed(piece)
        decoded += b"".join(found)
        rest += after
    return decoded, rest


@given(st.lists(st.binary(min_size=1, max_size=50), max_size=8), st.binary(max_size=20), _cuts)
def test_chunks_are_put_together_and_what_follows_is_kept(
    chunks: list[bytes], following: bytes, cuts: list[int]
) -> None:
    wire = b"".join(b"%X;name=value\r\n%b\r\n" % (len(chunk), chunk) for chunk in chunks)
    wire += b"0\r\nTrailer: ignored\r\n\r\n" + following
    body = ChunkedBody()
    assert _feed(body, _cut(wire, cuts)) == (b"".join(chunks), following)
    assert body.complete


@given(st.binary(max_size=100), st.binary(max_size=20), _cuts)
def test_a_known_length_is_kept_to(content: bytes, following: bytes, cuts: list[int]) -> None:
    body = FixedBody(len(content))
    assert _feed(body, _cut(content + following, cuts)) == (content, following)
    assert body.complete


@given(st.lists(st.binary(min_size=1, max_size=50), min_size=1, max_size=4), st.data())
def test_a_chunked_body_cut_short_is_never_complete(chunks: list[bytes], data: st.DataObject) -> None:
    wire = b"".join(b"%x\r\n%b\r\n" % (len(chunk), chunk) for chunk in chunks) + b"0\r\n\r\n"
    body = ChunkedBody()
    body.feed(wire[: data.draw(st.integers(0, len(wire) - 1))])
    assert not body.complete


@given(st.lists(st.binary(max_size=60), max_size=10))
def test_garbage_is_refused_or_waited_for(pieces: list[bytes]) -> None:
    body = ChunkedBody()
    try:
        decoded, _ = _feed(body, pieces)
    except InvalidParameter:
        return
    assert len(decoded) <= len(b"".join(pieces))


@pytest.mark.parametrize(
    "endless", [b"0" * 10_000, b"5" + b" " * 10_000, b"0\r\n" + b"Name: value\r\n" * 10_000]
)
def test_lines_and_trailers_have_a_limit(endless: bytes) -> None:
    body = ChunkedBody()
    with pytest.raises(InvalidParameter):
        _feed(body, _cut(endless, [100] * (len(endless) // 100)))
