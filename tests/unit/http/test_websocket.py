"""WebSocket's handshake and frames, with the examples of RFC 6455."""

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lading.errors import InvalidParameter
from lading.http import Headers, handshake
from lading.http.websocket import BINARY, CLOSE, PING, TEXT, Arrived, Decoder, FrameError, closing, frame

_ASKED = {
    "Upgrade": "websocket",
    "Connection": "keep-alive, Upgrade",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    "Sec-WebSocket-Version": "13",
}


def _masked(first: int, data: bytes, mask: bytes = b"\x37\xfa\x21\x3d") -> bytes:
    length = len(data)
    if length < 126:
        head = bytes((first, 0x80 | length))
    elif length < 1 << 16:
        head = bytes((first, 0xFE)) + length.to_bytes(2, "big")
    else:
        head = bytes((first, 0xFF)) + length.to_bytes(8, "big")
    return head + mask + bytes(byte ^ mask[place % 4] for place, byte in enumerate(data))


def test_the_handshake_of_the_standard() -> None:
    head = handshake(Headers(_ASKED.items()))
    assert head.startswith(b"HTTP/1.1 101 ")
    assert b"\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n" in head
    assert b"-Protocol" not in head
    offered = handshake(Headers({**_ASKED, "Sec-WebSocket-Protocol": "one, two"}.items()))
    assert b"\r\nSec-WebSocket-Protocol: one\r\n" in offered


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("Upgrade", "tcp"),
        ("Connection", "close"),
        ("Sec-WebSocket-Key", "c2hvcnQ="),
        ("Sec-WebSocket-Key", "!"),
        ("Sec-WebSocket-Version", "8"),
    ],
)
def test_what_is_no_handshake(field: str, value: str) -> None:
    with pytest.raises(InvalidParameter):
        handshake(Headers({**_ASKED, field: value}.items()))


def test_frames_of_the_standard() -> None:
    assert Decoder().feed(b"\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58") == [Arrived(TEXT, b"Hello")]
    assert frame(TEXT, b"Hello") == b"\x81\x05Hello"
    assert frame(BINARY, bytes(256))[:4] == b"\x82\x7e\x01\x00"
    assert frame(BINARY, bytes(65536))[:10] == b"\x82\x7f\0\0\0\0\0\1\0\0"
    assert closing(1000) == b"\x88\x02\x03\xe8"


def test_a_message_in_fragments_with_a_ping_between() -> None:
    data = _masked(0x02, b"one ") + _masked(0x89, b"there?") + _masked(0x80, b"message") + _masked(0x88, b"")
    assert Decoder().feed(data) == [
        Arrived(BINARY, b"one "),
        Arrived(PING, b"there?"),
        Arrived(BINARY, b"message"),
        Arrived(CLOSE, b""),
    ]


@pytest.mark.parametrize(
    "data",
    [
        b"\x81\x05Hello",
        _masked(0xC1, b"x"),
        _masked(0x83, b"x"),
        _masked(0x09, b"x"),
        _masked(0x89, bytes(126)),
        _masked(0x80, b"x"),
        _masked(0x01, b"x") + _masked(0x81, b"x"),
    ],
    ids=["unmasked", "reserved bit", "unknown", "fragmented ping", "long ping", "rest of none", "nested"],
)
def test_frames_that_cannot_be(data: bytes) -> None:
    with pytest.raises(FrameError):
        Decoder().feed(data)


@given(
    st.lists(st.binary(max_size=300), max_size=6),
    st.lists(st.integers(1, 50), min_size=1),
    st.binary(min_size=4, max_size=4),
)
def test_however_the_bytes_are_cut(messages: list[bytes], cuts: list[int], mask: bytes) -> None:
    data = b"".join(_masked(0x82, message, mask) for message in messages)
    decoder, found, place = Decoder(), b"", 0
    for turn in range(len(data)):
        step = cuts[turn % len(cuts)]
        found += b"".join(arrived.data for arrived in decoder.feed(data[place : place + step]))
        place += step
    assert found == b"".join(messages)


def test_a_long_message_is_not_held_back() -> None:
    data = os.urandom(100_000)
    whole = _masked(0x82, data)
    decoder = Decoder()
    first = b"".join(arrived.data for arrived in decoder.feed(whole[:5000]))
    assert len(first) > 4900
    assert first + b"".join(arrived.data for arrived in decoder.feed(whole[5000:])) == data
