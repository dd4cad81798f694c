"""Queries and answers as they are on the wire. Pure.

Source: RFC 1035 section 4, RFC 6891 (EDNS), RFC 3596 (AAAA and its reverse names).
"""

from __future__ import annotations

import struct

A, PTR, AAAA, OPT, ANY = 1, 12, 28, 41, 255
INTERNET = 1

NOERROR, FORMERR, SERVFAIL, NOTIMP, REFUSED, BADVERS = 0, 1, 2, 4, 5, 16

SMALLEST = 512
"""What every client takes in a datagram; with EDNS it says how much more."""
LARGEST = 65535
TTL = 600
"""Seconds an answer may be kept, as docker says."""

_HEADER = struct.Struct("!6H")
_RECORD = struct.Struct("!HHIH")
_RESPONSE, _OPCODE, _TRUNCATED, _RECURSIVE, _AVAILABLE, _UNCHECKED = 0x8000, 0x7800, 0x200, 0x100, 0x80, 0x10
_HEADER_SIZE = 12
_LONGEST_LABEL, _LONGEST_NAME = 63, 255
_OUR_PAYLOAD = 1232
_OWNER = b"\xc0\x0c"
"""Points to the question's name, right behind the header."""


class Ignored(Exception):
    """What must not be answered: no query, or nothing whose sender could understand an answer."""


class Refusal(Exception):
    """A query that cannot be; `answer` is what to say to it."""

    def __init__(self, answer: bytes) -> None:
        super().__init__(answer)
        self.answer = answer


class Query:
    """One question. `name` is in small letters without the last dot, None where it is no usual name.

    `limit` is how many bytes of an answer the client takes in a datagram.
    """

    __slots__ = ("edns", "flags", "kind", "limit", "name", "number", "question")

    def __init__(self, number: int, flags: int, name: bytes | None, kind: int, question: bytes) -> None:
        self.number = number
        self.flags = flags
        self.name = name
        self.kind = kind
        self.question = question
        self.limit = SMALLEST
        self.edns = False


def parse(packet: bytes) -> Query:
    """Raises Ignored or Refusal."""
    if len(packet) < _HEADER_SIZE:
        raise Ignored
    number, flags, questions, answers, authorities, additional = _HEADER.unpack_from(packet)
    if flags & _RESPONSE:
        raise Ignored
    if flags & _OPCODE:
        raise Refusal(_bare(number, flags, NOTIMP))
    try:
        if questions != 1:
            raise ValueError(questions)
        name, end = _name(packet, _HEADER_SIZE)
        kind, form = struct.unpack_from("!HH", packet, end)
        query = Query(number, flags, name, kind, packet[_HEADER_SIZE : end + 4])
        if form not in (INTERNET, ANY):
            query.name = None
        if answers == authorities == 0 and additional:
            version = _options(query, packet, end + 4, additional)
            if version:
                raise Refusal(answer(query, (), BADVERS))
    except (ValueError, IndexError, struct.error):
        raise Refusal(_bare(number, flags, FORMERR)) from None
    return query


def _name(packet: bytes, start: int) -> tuple[bytes | None, int]:
    """A name that is written out, and where it ends. Raises ValueError or IndexError."""
    labels = []
    position = start
    usual = True
    while length := packet[position]:
        if length > _LONGEST_LABEL:
            raise ValueError(length)
        label = packet[position + 1 : position + 1 + length]
        # It would look like two.
        usual = usual and b"." not in label
        labels.append(label)
        position += 1 + length
    if position + 1 - start > _LONGEST_NAME:
        raise ValueError(position)
    return b".".join(labels).lower() if usual else None, position + 1


def _options(query: Query, packet: bytes, position: int, records: int) -> int:
    """Notes what the EDNS record says; its version. Raises ValueError or struct.error."""
    version = 0
    for _ in range(records):
        position = _skip_name(packet, position)
        kind, form, life, length = _RECORD.unpack_from(packet, position)
        position += _RECORD.size + length
        if position > len(packet):
            raise ValueError(position)
        if kind == OPT:
            if query.edns:
                raise ValueError(kind)
            query.edns = True
            query.limit = max(SMALLEST, form)
            version = life >> 16 & 0xFF
    return version


def _skip_name(packet: bytes, position: int) -> int:
    while length := packet[position]:
        if length >= 0xC0:
            return position + 2
        position += 1 + length
    return position + 1


def _bare(number: int, flags: int, code: int) -> bytes:
    return _HEADER.pack(number, _answer_flags(flags) | code, 0, 0, 0, 0)


def _answer_flags(flags: int) -> int:
    return _RESPONSE | _AVAILABLE | flags & (_OPCODE | _RECURSIVE | _UNCHECKED)


def answer(
    query: Query, records: tuple[tuple[int, bytes], ...], code: int = NOERROR, limit: int = 0
) -> bytes:
    """The answer with records of (type, data); as many as fit into `limit`, by default the client's.

    Where one is left out, it says so, and the client may ask by TCP.
    """
    limit = limit or query.limit
    flags = _answer_flags(query.flags) | code & 0xF
    options = b""
    if query.edns:
        options = b"\0" + _RECORD.pack(OPT, _OUR_PAYLOAD, code >> 4 << 24, 0)
    parts = [query.question]
    size = _HEADER_SIZE + len(query.question) + len(options)
    count = 0
    for kind, data in records:
        record = _OWNER + _RECORD.pack(kind, INTERNET, TTL, len(data)) + data
        if size + len(record) > limit:
            flags |= _TRUNCATED
            break
        parts.append(record)
        size += len(record)
        count += 1
    header = _HEADER.pack(query.number, flags, 1, count, 0, 1 if options else 0)
    return b"".join((header, *parts, options))


def encode_name(name: bytes) -> bytes:
    """A name as in a record. Raises ValueError where it cannot be one."""
    coded = b""
    for label in name.split(b"."):
        if not 0 < len(label) <= _LONGEST_LABEL:
            raise ValueError(name)
        coded += bytes((len(label),)) + label
    if len(coded) >= _LONGEST_NAME:
        raise ValueError(name)
    return coded + b"\0"


def reversed_address(name: bytes) -> bytes | None:
    """The address a reverse name stands for, 4 or 16 bytes; None where it is no such name."""
    try:
        if name.endswith(b".in-addr.arpa"):
            parts = name[: -len(b".in-addr.arpa")].split(b".")
            if len(parts) == 4 and all(part.isdigit() and str(int(part)).encode() == part for part in parts):
                return bytes(int(part) for part in reversed(parts))
        elif name.endswith(b".ip6.arpa"):
            digits = name[: -len(b".ip6.arpa")].split(b".")
            if len(digits) == 32 and all(len(digit) == 1 for digit in digits):
                return bytes.fromhex(b"".join(reversed(digits)).decode("ascii"))
    except ValueError:
        pass
    return None


def belongs(response: bytes, query: Query, number: int) -> bool:
    """Whether what a server sent is an answer to `query` as it was asked under `number`."""
    if len(response) < _HEADER_SIZE:
        return False
    theirs, flags, questions, answers, _, _ = _HEADER.unpack_from(response)
    if theirs != number or not flags & _RESPONSE:
        return False
    if questions == 0:
        # Some servers leave the question out of an error.
        return bool(flags & 0xF) and answers == 0
    asked = response[_HEADER_SIZE : _HEADER_SIZE + len(query.question)]
    return questions == 1 and asked.lower() == query.question.lower()


def code_of(response: bytes) -> int:
    """The low four bits of a response's code."""
    return response[3] & 0xF
