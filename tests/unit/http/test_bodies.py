"""Bodies end where they should, however the bytes arrive."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lading.errors import InvalidParameter
from lading.http.body import ChunkedBody, FixedBody


def _encode(pieces: list[bytes], rest: bytes) -> bytes:
    chunks = b"".join(b"%x;ext=1\r\n%b\r\n" % (len(piece), piece) for piece in pieces if piece)
    return chunks + b"0\r\nTrailer: x\r\n\r\n" + rest


@given(st.lists(st.binary(max_size=40), max_size=6), st.binary(max_size=20), st.integers(1, 9))
def test_chunks_are_joined_whatever_the_cuts(pieces: list[bytes], rest: bytes, step: int) -> None:
    body, found, after = ChunkedBody(), b"", b""
    data = _encode(pieces, rest)
    for start in range(0, len(data), step):
        part = data[start : start + step]
        if body.complete:
            after += part
            continue
        decoded, left = body.feed(part)
        found += b"".join(decoded)
        after += left
    assert body.complete
    assert (found, after) == (b"".join(pieces), rest)


@pytest.mark.parametrize("data", [b"x\r\n", b"-1\r\n", b"1\r\nab\r\n", b"\r\n", b"a" * 5000])
def test_broken_chunks_are_refused(data: bytes) -> None:
    with pytest.raises(InvalidParameter, match="chunked"):
        ChunkedBody().feed(data)


@given(st.binary(max_size=50), st.binary(max_size=20), st.integers(1, 9))
def test_a_length_is_kept_to(content: bytes, rest: bytes, step: int) -> None:
    body, found, after = FixedBody(len(content)), b"", b""
    data = content + rest
    for start in range(0, len(data), step):
        decoded, left = body.feed(data[start : start + step])
        found += b"".join(decoded)
        after += left
    assert body.complete
    assert (found, after) == (content, rest)
