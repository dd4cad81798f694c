"""The rules that lead port 53 of 127.0.0.11 to ours, as a message for the kernel. Pure.

Nobody listens on port 53 there, so a container's own name server may. The
port is rewritten in each packet on its way out, to us before and from us after
the connection tracker sees it: the tracker is not needed for it, and
where the container uses it, it sees one connection.

Source: netlink(7), linux/netfilter/nf_tables.h. Written out here because nft's
library takes 1.4 MB and four times as long.
"""

from __future__ import annotations

import struct

TABLE = "lading-dns"
ADDRESS = bytes((127, 0, 0, 11))
PORT = 53

_UDP, _TCP = 17, 6
_CHECKSUM_AT = {_UDP: 6, _TCP: 16}
_SOURCE_AT, _DESTINATION_AT = 12, 16
_SOURCE_PORT_AT, _DESTINATION_PORT_AT = 0, 2

_REQUEST, _ACK, _EXCLUSIVE, _CREATE, _APPEND = 0x1, 0x4, 0x200, 0x400, 0x800
_NESTED = 0x8000
_BATCH_BEGIN, _BATCH_END = 0x10, 0x11
_SUBSYSTEM = 10
_NEW_TABLE, _DELETE_TABLE, _NEW_CHAIN, _GET_CHAIN, _NEW_RULE = 0, 2, 3, 4, 6
_IPV4 = 2
_LOCAL_OUT, _POST_ROUTING = 3, 4
_BEFORE_TRACKING, _LAST = -300, 300
_ACCEPT = 1
_NETWORK_HEADER, _TRANSPORT_HEADER = 1, 2
_REGISTER = 1
_META_L4PROTO = 16
_EQUAL = 0
_INTERNET_CHECKSUM = 1


def put(port: int) -> bytes:
    """One transaction that puts the table in place; refused with EEXIST where there is one."""
    return _batch([(_NEW_TABLE, _CREATE | _EXCLUSIVE, _text(1, TABLE)), *_content(port)])


def replace(port: int) -> bytes:
    """The same in place of a table for another port. The kernel takes 10 ms to remove one."""
    table = _text(1, TABLE)
    again = [(_NEW_TABLE, _CREATE, table), (_DELETE_TABLE, 0, table), (_NEW_TABLE, _CREATE, table)]
    return _batch([*again, *_content(port)])


def ask(port: int) -> bytes:
    """A question that is refused with ENOENT where the table is not for that port."""
    chain = _text(1, TABLE) + _text(3, _queries(port))
    return _message(_SUBSYSTEM << 8 | _GET_CHAIN, _REQUEST | _ACK, 1, _IPV4, chain)


def _queries(port: int) -> str:
    return f"queries-to-{port}"


def _content(port: int) -> list[tuple[int, int, bytes]]:
    queries = _queries(port)
    content = [
        _chain(queries, _LOCAL_OUT, _BEFORE_TRACKING),
        _chain("answers", _POST_ROUTING, _LAST),
    ]
    for protocol in (_UDP, _TCP):
        content.append(_rule(queries, protocol, _DESTINATION_AT, _DESTINATION_PORT_AT, PORT, port))
        content.append(_rule("answers", protocol, _SOURCE_AT, _SOURCE_PORT_AT, port, PORT))
    return content


def _batch(messages: list[tuple[int, int, bytes]]) -> bytes:
    parts = [_message(_BATCH_BEGIN, _REQUEST, 0, 0, b"", _SUBSYSTEM)]
    for number, (kind, flags, body) in enumerate(messages, start=1):
        # One answer for all: the last message's, unless another is refused.
        wanted = _ACK if number == len(messages) else 0
        parts.append(_message(_SUBSYSTEM << 8 | kind, _REQUEST | flags | wanted, number, _IPV4, body))
    parts.append(_message(_BATCH_END, _REQUEST, len(messages) + 1, 0, b"", _SUBSYSTEM))
    return b"".join(parts)


def refusal(answer: bytes) -> int:
    """The error number in the kernel's answer; 0 where there is none."""
    position = 0
    while position + 20 <= len(answer):
        length, kind = struct.unpack_from("=IH", answer, position)
        if kind == 2 and (code := struct.unpack_from("=i", answer, position + 16)[0]):
            return -int(code)
        position += (max(length, 16) + 3) & ~3
    return 0


def _message(kind: int, flags: int, number: int, family: int, body: bytes, resource: int = 0) -> bytes:
    body = struct.pack("!BBH", family, 0, resource) + body
    return struct.pack("=IHHII", 16 + len(body), kind, flags, number, 0) + body


def _attribute(kind: int, content: bytes) -> bytes:
    return struct.pack("=HH", 4 + len(content), kind) + content + b"\0" * (-len(content) % 4)


def _nest(kind: int, *attributes: bytes) -> bytes:
    return _attribute(_NESTED | kind, b"".join(attributes))


def _text(kind: int, text: str) -> bytes:
    return _attribute(kind, text.encode() + b"\0")


def _number(kind: int, number: int) -> bytes:
    return _attribute(kind, struct.pack("!I", number & 0xFFFFFFFF))


def _chain(name: str, hook: int, priority: int) -> tuple[int, int, bytes]:
    hooked = _nest(4, _number(1, hook), _number(2, priority)) + _number(5, _ACCEPT) + _text(7, "filter")
    return _NEW_CHAIN, _CREATE, _text(1, TABLE) + _text(3, name) + hooked


def _rule(
    chain: str, protocol: int, address_at: int, port_at: int, old: int, new: int
) -> tuple[int, int, bytes]:
    """Gives packets of a protocol with our address, and `old` for its port, the port `new`."""
    steps = (
        _expression("payload", *_load(_NETWORK_HEADER, address_at, 4)),
        _compare(ADDRESS),
        _expression("meta", _number(2, _META_L4PROTO), _number(1, _REGISTER)),
        _compare(bytes((protocol,))),
        _expression("payload", *_load(_TRANSPORT_HEADER, port_at, 2)),
        _compare(struct.pack("!H", old)),
        _expression("immediate", _number(1, _REGISTER), _nest(2, _attribute(1, struct.pack("!H", new)))),
        _expression(
            "payload",
            _number(5, _REGISTER),
            *_place(_TRANSPORT_HEADER, port_at, 2),
            _number(6, _INTERNET_CHECKSUM),
            _number(7, _CHECKSUM_AT[protocol]),
        ),
    )
    return _NEW_RULE, _CREATE | _APPEND, _text(1, TABLE) + _text(2, chain) + _nest(4, *steps)


def _expression(name: str, *attributes: bytes) -> bytes:
    return _nest(1, _text(1, name), _nest(2, *attributes))


def _place(base: int, offset: int, length: int) -> tuple[bytes, ...]:
    return _number(2, base), _number(3, offset), _number(4, length)


def _load(base: int, offset: int, length: int) -> tuple[bytes, ...]:
    return _number(1, _REGISTER), *_place(base, offset, length)


def _compare(value: bytes) -> bytes:
    return _expression("cmp", _number(1, _REGISTER), _number(2, _EQUAL), _nest(3, _attribute(1, value)))
