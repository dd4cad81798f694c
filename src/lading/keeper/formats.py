"""How a log file spells a line: docker's `json-file` and `local` formats.

Whole blocks of lines are formatted by a few calls into C, since a container
may print faster than Python can look at single lines.
"""

from __future__ import annotations

import os
import struct
import time

from lading.keeper.lines import LAST, PART, WHOLE


def timestamp(nanoseconds: int) -> str:
    """RFC 3339 with the fraction's trailing zeros cut, as Go's RFC3339Nano prints UTC."""
    seconds, fraction = divmod(nanoseconds, 1_000_000_000)
    text = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds))
    return f"{text}.{fraction:09d}".rstrip("0").rstrip(".") + "Z"


_RARE = bytes(code for code in range(32) if code not in b"\n\r\t\x1b")
_ESCAPES = (
    (b"\\", b"\\\\"),
    (b'"', b'\\"'),
    (b"\r", b"\\r"),
    (b"\t", b"\\u0009"),
    (b"\x1b", b"\\u001b"),
    (b"<", b"\\u003c"),
    (b">", b"\\u003e"),
    (b"&", b"\\u0026"),
    (b"\xe2\x80\xa8", b"\\u2028"),
    (b"\xe2\x80\xa9", b"\\u2029"),
)
_STRANGE = {code: f"\\u{code:04x}" for code in _RARE}
# Surrogates stand for bytes that are not UTF-8; Go writes each of them so.
_STRANGE.update((code, "\\ufffd") for code in range(0xDC80, 0xDD00))


def escape(text: bytes) -> bytes:
    """`text` as the inside of a JSON string, as Go's encoder spells it, newlines untouched."""
    for raw, escaped in _ESCAPES:
        text = text.replace(raw, escaped)
    if len(text.translate(None, _RARE)) != len(text):
        return text.decode("utf-8", "surrogateescape").translate(_STRANGE).encode()
    if not text.isascii():
        try:
            text.decode()
        except UnicodeDecodeError:
            return text.decode("utf-8", "surrogateescape").translate(_STRANGE).encode()
    return text


class JsonFormat:
    """`{"log":"…\\n","stream":"stdout","time":"…"}` and a newline for each line."""

    def __init__(self, attributes: str) -> None:
        middle = f'"attrs":{attributes},' if attributes else ""
        self._after = {
            1: f'","stream":"stdout",{middle}"time":"',
            2: f'","stream":"stderr",{middle}"time":"',
        }
        self._began: dict[int, int] = {}

    def format(self, stream: int, kind: int, text: bytes, now: int) -> bytes:
        """The records of one block or piece as `lines.Splitter` gives it.

        All pieces of one line bear the time of the first.
        """
        if kind == PART:
            now = self._began.setdefault(stream, now)
        elif kind == LAST:
            now = self._began.pop(stream, now)
        after = f'{self._after[stream]}{timestamp(now)}"}}\n'.encode()
        inside = escape(text)
        if kind == WHOLE:
            inside = inside[:-1].replace(b"\n", b"\\n" + after + b'{"log":"')
        return b'{"log":"' + inside + (after if kind == PART else b"\\n" + after)


def _varint(number: int) -> bytes:
    coded = bytearray()
    while number > 0x7F:
        coded.append(number & 0x7F | 0x80)
        number >>= 7
    coded.append(number)
    return bytes(coded)


class LocalFormat:
    """Docker's `local` driver: a protobuf LogEntry between its length, twice, as big-endian words.

    LogEntry (moby api/types/plugins/logdriver): source 1, time_nano 2, line 3,
    partial 4, partial_log_metadata 5 {last 1, id 2, ordinal 3}.
    """

    def __init__(self) -> None:
        self._partial: dict[int, tuple[bytes, int, int]] = {}

    def format(self, stream: int, kind: int, text: bytes, now: int) -> bytes:
        """As `JsonFormat.format`."""
        if kind == WHOLE:
            start = self._start(stream, now)
            frames: dict[int, tuple[bytes, bytes]] = {}
            parts: list[bytes] = []
            for line in text[:-1].split(b"\n"):
                length = len(line)
                frame = frames.get(length)
                if frame is None:
                    before = start + (b"\x1a" + _varint(length) if length else b"")
                    size = struct.pack(">I", len(before) + length)
                    frame = frames[length] = (size + before, size)
                parts += (frame[0], line, frame[1])
            return b"".join(parts)
        return self._piece(stream, kind, text, now)

    def _piece(self, stream: int, kind: int, text: bytes, now: int) -> bytes:
        identifier, ordinal, began = self._partial.get(stream) or (os.urandom(32).hex().encode(), 1, now)
        about = (b"\x08\x01" if kind == LAST else b"") + b"\x12\x40" + identifier + b"\x18" + _varint(ordinal)
        if kind == LAST:
            self._partial.pop(stream, None)
        else:
            self._partial[stream] = (identifier, ordinal + 1, began)
        entry = self._start(stream, began)
        entry += b"\x1a" + _varint(len(text)) + text if text else b""
        entry += b"\x20\x01\x2a" + _varint(len(about)) + about
        size = struct.pack(">I", len(entry))
        return size + entry + size

    @staticmethod
    def _start(stream: int, now: int) -> bytes:
        return (b"\x0a\x06stdout" if stream == 1 else b"\x0a\x06stderr") + b"\x10" + _varint(now)
