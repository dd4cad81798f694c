"""Docker's `local` format: protobuf messages, each between its length before and behind it. Pure.

The length is a 32-bit big-endian word. Source: moby api/types/plugins/logdriver,
LogEntry {source 1, time_nano 2, line 3, partial 4, partial_log_metadata 5
{last 1, id 2, ordinal 3}, attrs 6 {key 1, value 2}}.
"""

import struct
from collections.abc import Iterator, Mapping
from functools import lru_cache

from lading.logs.contract import Entry, Partial, Record, Search
from lading.units import rfc3339_fixed

_BLOCK = 64 * 1024
_LARGEST = 1024 * 1024
# What nearly every message begins with: the field "source" and half of its value.
_START = b"\x0a\x06std"
_word = struct.Struct(">I").unpack_from
_TIME_FIELD, _LINE_FIELD = 0x10, 0x1A


def entries(block: bytes) -> tuple[list[Entry], int]:
    """The whole entries at the front of a block, damaged ones left out, and how many bytes they take."""
    frames, taken = _frames(block)
    bodies = [block[start + 4 : end - 4] for start, end in frames]
    read = [_plain_entry(body) or _any_entry(body) for body in bodies]
    return [entry for entry in read if entry is not None], taken


class LocalFile:
    """See `contract.Format`."""

    def records(self, block: bytes, *, timed: bool) -> tuple[list[Record], int]:
        frames, taken = _frames(block)
        entries = [block[start + 4 : end - 4] for start, end in frames]
        read = [_plain(entry, timed) or _any(entry, timed) for entry in entries]
        return [record for record in read if record is not None], taken

    def tail(self, size: int, count: int) -> Search:
        end, found = size, 0
        while found < count and end > 0:
            start = max(end - _BLOCK, 0)
            block = yield start, end - start
            ends = _frames_backwards(block, count - found)
            if ends is None and start > 0 and end - start < _LARGEST:
                # It may only be a message that is longer than a block.
                start = max(end - _LARGEST - _BLOCK, 0)
                block = yield start, end - start
                ends = _frames_backwards(block, count - found)
            if ends is None:
                return (yield from self._tail_by_reading(size, count))
            end, found = start + ends[0], found + ends[1]
        return end, found

    def _tail_by_reading(self, size: int, count: int) -> Search:
        """As `tail`, for a file with a torn message, which cannot be walked backwards."""
        starts: list[int] = []
        position, length = 0, _BLOCK
        while position < size:
            block = yield position, min(length, size - position)
            frames, taken = _frames(block)
            starts += (position + start for start, _ in frames)
            del starts[:-count]
            position += taken
            if taken == 0:
                if length > _LARGEST or position + length >= size:
                    break
                length = _LARGEST + _BLOCK
            else:
                length = _BLOCK
        return (starts[0], len(starts)) if starts else (size, 0)


def _frames_backwards(block: bytes, count: int) -> tuple[int, int] | None:
    """Where the last messages of a block begin, and how many they are, at most `count`.

    The block ends where a message does; None where not even one is whole.
    """
    end, found = len(block), 0
    while found < count and end >= 8:
        (length,) = _word(block, end - 4)
        start = end - 8 - length
        if start < 0 or _word(block, start)[0] != length:
            break
        end, found = start, found + 1
    return (end, found) if found else None


def _frames(block: bytes) -> tuple[list[tuple[int, int]], int]:
    """Where the whole messages of a block are, lengths included, and how much of it is done with."""
    found: list[tuple[int, int]] = []
    position, size = 0, len(block)
    while position + 4 <= size:
        (length,) = _word(block, position)
        end = position + 8 + length
        if length <= _LARGEST:
            if end > size:
                break
            if _word(block, end - 4)[0] == length:
                found.append((position, end))
                position = end
                continue
        # Torn by a crash: on to what looks like the beginning of the next.
        following = block.find(_START, position + 5)
        position = following - 4 if following >= 0 else size
    return found, position


def _line_start(entry: bytes) -> int:
    """Where the line begins in a usual message: source, a time of nine bytes, a line. 0 for another."""
    if not entry.startswith(_START) or len(entry) < 20 or entry[8] != _TIME_FIELD or entry[18] != _LINE_FIELD:
        return 0
    length, start = entry[19], 20
    if length > 0x7F:
        if len(entry) < 21 or entry[20] > 0x7F:
            return 0
        length, start = length & 0x7F | entry[20] << 7, 21
    if start + length != len(entry) or entry[17] > 0x7F or entry[16] < 0x80:
        return 0
    return start


def _plain(entry: bytes, timed: bool) -> Record | None:
    start = _line_start(entry)
    if not start:
        return None
    time = _time(entry[9:18]) if timed else ""
    return entry[2:8].decode(), entry[start:] + b"\n", time, None


def _plain_entry(body: bytes) -> Entry | None:
    start = _line_start(body)
    return Entry(body[2:8].decode(), _time_ns(body[9:18]), body[start:]) if start else None


# Lines that came together have the same time, so most need not be worked out again.
@lru_cache(maxsize=64)
def _time(number: bytes) -> str:
    return rfc3339_fixed(_varint(number, 0)[0])


@lru_cache(maxsize=64)
def _time_ns(number: bytes) -> int:
    return _varint(number, 0)[0]


def _any_entry(body: bytes) -> Entry | None:
    """Any message, as `_any` reads it."""
    stream, line, time_ns, partial = "stdout", b"", 0, None
    try:
        for number, value in _fields(body):
            if number == 1 and isinstance(value, bytes):
                stream = value.decode()
            elif number == 2 and isinstance(value, int):
                time_ns = value
            elif number == 3 and isinstance(value, bytes):
                line = value
            elif number == 5 and isinstance(value, bytes):
                partial = _partial(value)
    except (ValueError, IndexError):
        return None
    return Entry(stream, time_ns, line, partial)


def _partial(message: bytes) -> Partial:
    fields = dict(_fields(message))
    identifier, ordinal = fields.get(2, b""), fields.get(3, 0)
    if not isinstance(identifier, bytes) or not isinstance(ordinal, int):
        raise ValueError("not about a piece of a line")
    return Partial(identifier.decode(), ordinal, bool(fields.get(1, 0)))


def _any(entry: bytes, timed: bool) -> Record | None:
    """Any message, field by field; None for what is no message."""
    source, line, time_ns, unfinished = "stdout", b"", 0, False
    attributes: dict[str, str] = {}
    try:
        for number, value in _fields(entry):
            if number == 1 and isinstance(value, bytes):
                source = value.decode()
            elif number == 2 and isinstance(value, int):
                time_ns = value
            elif number == 3 and isinstance(value, bytes):
                line = value
            elif number == 4:
                unfinished = unfinished or bool(value)
            elif number == 5 and isinstance(value, bytes):
                unfinished = not dict(_fields(value)).get(1, 0)
            elif number == 6 and isinstance(value, bytes):
                attributes |= [_attribute(value)]
    except (ValueError, IndexError):
        return None
    text = line if unfinished else line + b"\n"
    return source, text, rfc3339_fixed(time_ns) if timed else "", attributes or None


def _attribute(entry: bytes) -> tuple[str, str]:
    fields: Mapping[int, int | bytes] = dict(_fields(entry))
    key, value = fields.get(1, b""), fields.get(2, b"")
    if not isinstance(key, bytes) or not isinstance(value, bytes):
        raise ValueError("not an attribute")
    return key.decode(), value.decode()


def _fields(message: bytes) -> Iterator[tuple[int, int | bytes]]:
    """The fields of a protobuf message. Raises ValueError or IndexError for what is none."""
    position = 0
    while position < len(message):
        tag, position = _varint(message, position)
        kind = tag & 7
        if kind == 0:
            value, position = _varint(message, position)
            yield tag >> 3, value
        elif kind == 2:
            length, position = _varint(message, position)
            if position + length > len(message):
                raise ValueError("field exceeds its message")
            yield tag >> 3, message[position : position + length]
            position += length
        else:
            raise ValueError("unexpected wire type")


def _varint(message: bytes, position: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = message[position]
        value |= (byte & 0x7F) << shift
        position += 1
        if byte < 0x80:
            return value, position
        shift += 7
