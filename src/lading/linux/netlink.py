"""Netlink: a socket that sends messages in batches, and the words of rtnetlink.

The functions that make messages are pure; `Socket.send` is the only one that
talks. Source: netlink(7), rtnetlink(7), and the kernel's uapi headers
netlink.h, rtnetlink.h, if_link.h, if_addr.h, veth.h.
"""

import errno
import os
import socket
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Interface, IPv4Network
from typing import NamedTuple

ROUTE, NETFILTER = 0, 12

REQUEST, ACK, DUMP, CREATE, EXCL = 0x1, 0x4, 0x300, 0x400, 0x200
NESTED = 0x8000
_ERROR, _DONE = 2, 3
_CAPPED, _ACK_TLVS = 0x100, 0x200
_SOL_NETLINK, _ADD_MEMBERSHIP, _EXT_ACK, _CAP_ACK, _STRICT = 270, 1, 11, 10, 12
_RECEIVE = 1 << 17

_HEADER = struct.Struct("=IHHII")
_ATTRIBUTE = struct.Struct("=HH")
_LINK = struct.Struct("=BxHiII")
_ADDRESS = struct.Struct("=BBBBI")
_ROUTE = struct.Struct("=BBBBBBBBI")

_NEWLINK, _DELLINK, _GETLINK = 16, 17, 18
_NEWADDR, _DELADDR, _GETADDR = 20, 21, 22
_NEWROUTE, _DELROUTE, _GETROUTE = 24, 25, 26

_IFLA_ADDRESS, _IFLA_IFNAME, _IFLA_MTU, _IFLA_MASTER, _IFLA_LINKINFO, _IFLA_NET_NS_FD = 1, 3, 4, 10, 18, 28
_INFO_KIND, _INFO_DATA, _INFO_SLAVE_KIND, _INFO_SLAVE_DATA = 1, 2, 4, 5
_VETH_PEER = 1
_BRPORT_MODE, _BRPORT_ISOLATED = 4, 33
_IFA_ADDRESS, _IFA_LOCAL, _IFA_BROADCAST = 1, 2, 4
_RTA_DST, _RTA_OIF, _RTA_GATEWAY, _RTA_TABLE = 1, 4, 5, 15
_IFF_UP = 1
_TABLE_MAIN, _PROTO_BOOT, _UNIVERSE, _UNICAST = 254, 3, 0, 1


class NetlinkError(OSError):
    """What the kernel refused, and why; `errno` tells the cause."""

    def __init__(self, code: int, what: str, hint: str) -> None:
        name = errno.errorcode.get(code, str(code))
        super().__init__(code, f"{what}: {os.strerror(code)} ({name})" + (f": {hint}" if hint else ""))


class Message(NamedTuple):
    """One request; `what` says in words what it is for, to be read in an error."""

    what: str
    kind: int
    flags: int
    body: bytes


class Reply(NamedTuple):
    """One message of the kernel's."""

    kind: int
    body: bytes


class Socket:
    """A netlink socket of the network namespace of the thread that opens it."""

    def __init__(self, protocol: int = ROUTE, groups: Sequence[int] = ()) -> None:
        self._socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, protocol)
        self._socket.setsockopt(_SOL_NETLINK, _EXT_ACK, 1)
        self._socket.setsockopt(_SOL_NETLINK, _CAP_ACK, 1)
        if protocol == ROUTE:
            self._socket.setsockopt(_SOL_NETLINK, _STRICT, 1)
        self._socket.bind((0, 0))
        for group in groups:
            self._socket.setsockopt(_SOL_NETLINK, _ADD_MEMBERSHIP, group)
        self._sequence = 0

    def fileno(self) -> int:
        return self._socket.fileno()

    def close(self) -> None:
        self._socket.close()

    def send(self, *messages: Message) -> None:
        """Sends all at once and waits for every answer; raises NetlinkError for the first refused.

        The kernel carries out each message on its own: those after a refused
        one are tried as well.
        """
        first = self._sequence + 1
        self._write(messages, ACK)
        refused: NetlinkError | None = None
        answers = 0
        while answers < len(messages):
            for kind, flags, sequence, body in self._read():
                if kind != _ERROR or sequence < first:
                    continue
                answers += 1
                code = -_code(body)
                if code and refused is None:
                    refused = NetlinkError(code, messages[sequence - first].what, _hint(flags, body))
        if refused is not None:
            raise refused

    def ask(self, message: Message) -> Reply:
        """The one answer to a question. Raises NetlinkError."""
        self._write((message,), 0)
        while True:
            for kind, flags, sequence, body in self._read():
                if sequence != self._sequence:
                    continue
                if kind == _ERROR:
                    code = -_code(body)
                    raise NetlinkError(code, message.what, _hint(flags, body))
                return Reply(kind, body)

    def dump(self, message: Message) -> list[Reply]:
        """Every answer to a question about all objects. Raises NetlinkError."""
        self._write((message,), DUMP)
        replies: list[Reply] = []
        while True:
            for kind, flags, sequence, body in self._read():
                if sequence != self._sequence:
                    continue
                if kind in (_DONE, _ERROR):
                    code = -_code(body)
                    if code:
                        raise NetlinkError(code, message.what, _hint(flags, body))
                    return replies
                replies.append(Reply(kind, body))

    def receive(self) -> list[Reply]:
        """What came unasked on the groups joined; empty where nothing did.

        Raises OSError with ENOBUFS where the kernel had to drop some.
        """
        data = self._socket.recv(_RECEIVE, socket.MSG_DONTWAIT)
        return [Reply(kind, body) for kind, _, _, body in _split(data)]

    def _write(self, messages: Sequence[Message], flags: int) -> None:
        parts = []
        for message in messages:
            self._sequence += 1
            parts.append(
                _HEADER.pack(
                    _HEADER.size + len(message.body),
                    message.kind,
                    REQUEST | message.flags | flags,
                    self._sequence,
                    0,
                )
                + message.body
            )
        self._socket.send(b"".join(parts))

    def _read(self) -> Iterator[tuple[int, int, int, bytes]]:
        return _split(self._socket.recv(_RECEIVE))


def _split(data: bytes) -> Iterator[tuple[int, int, int, bytes]]:
    position = 0
    while position + _HEADER.size <= len(data):
        length, kind, flags, sequence, _ = _HEADER.unpack_from(data, position)
        if length < _HEADER.size:
            return
        yield kind, flags, sequence, data[position + _HEADER.size : position + length]
        position += (length + 3) & ~3


def _code(body: bytes) -> int:
    return int(struct.unpack_from("=i", body)[0])


def _hint(flags: int, body: bytes) -> str:
    """The kernel's own words about an error, where it has some."""
    if not flags & _ACK_TLVS:
        return ""
    start = 4 + _HEADER.size
    if not flags & _CAPPED:
        start = 4 + ((_number(body[4:8]) + 3) & ~3)
    return attributes(body[start:]).get(1, b"").rstrip(b"\0").decode(errors="replace")


# --- attributes


def attribute(kind: int, value: bytes) -> bytes:
    """One attribute, padded."""
    length = _ATTRIBUTE.size + len(value)
    return _ATTRIBUTE.pack(length, kind) + value + b"\0" * (-length % 4)


def nested(kind: int, *inner: bytes) -> bytes:
    """An attribute that holds others."""
    return attribute(kind | NESTED, b"".join(inner))


def attributes(data: bytes) -> dict[int, bytes]:
    """Attributes by kind; of several alike the last."""
    found = {}
    position = 0
    while position + _ATTRIBUTE.size <= len(data):
        length, kind = _ATTRIBUTE.unpack_from(data, position)
        if length < _ATTRIBUTE.size:
            break
        found[kind & 0x3FFF] = data[position + _ATTRIBUTE.size : position + length]
        position += (length + 3) & ~3
    return found


def _u32(value: int) -> bytes:
    return struct.pack("=I", value)


def _text(value: str) -> bytes:
    return value.encode() + b"\0"


def _mac(value: str) -> bytes:
    return bytes.fromhex(value.replace(":", ""))


# --- links


@dataclass(frozen=True, slots=True)
class Link:
    """A network interface. `kind` is empty for hardware, `master` 0 where it has none."""

    index: int
    name: str
    kind: str
    master: int
    mtu: int
    mac: str
    up: bool


def make_bridge(name: str, mac: str) -> Message:
    """A bridge that is up. Its address is fixed, or it would change with its ports."""
    body = (
        _LINK.pack(0, 0, 0, _IFF_UP, _IFF_UP)
        + attribute(_IFLA_IFNAME, _text(name))
        + attribute(_IFLA_ADDRESS, _mac(mac))
        + nested(_IFLA_LINKINFO, attribute(_INFO_KIND, b"bridge"))
    )
    return Message(f"create bridge {name}", _NEWLINK, CREATE | EXCL, body)


@dataclass(frozen=True, slots=True)
class Veth:
    """A pair: one end here, up and port of a bridge, the other in a namespace and still down.

    The kernel cannot open the far end before both exist.
    """

    name: str
    bridge: int
    mtu: int
    peer_name: str
    peer_mac: str
    peer_netns: int


def make_veth(pair: Veth) -> Message:
    """Makes both ends where they belong, with one message."""
    mtu = attribute(_IFLA_MTU, _u32(pair.mtu)) if pair.mtu else b""
    peer = (
        _LINK.pack(0, 0, 0, 0, 0)
        + attribute(_IFLA_IFNAME, _text(pair.peer_name))
        + attribute(_IFLA_ADDRESS, _mac(pair.peer_mac))
        + attribute(_IFLA_NET_NS_FD, _u32(pair.peer_netns))
        + mtu
    )
    body = (
        _LINK.pack(0, 0, 0, _IFF_UP, _IFF_UP)
        + attribute(_IFLA_IFNAME, _text(pair.name))
        + attribute(_IFLA_MASTER, _u32(pair.bridge))
        + mtu
        + nested(
            _IFLA_LINKINFO,
            attribute(_INFO_KIND, b"veth"),
            nested(_INFO_DATA, attribute(_VETH_PEER | NESTED, peer)),
        )
    )
    return Message(f"create link {pair.name}", _NEWLINK, CREATE | EXCL, body)


def set_bridge_port(name: str, *, hairpin: bool, isolated: bool) -> Message:
    """Whether a port sends back where a frame came from, and whether it speaks to other such ports."""
    data = attribute(_BRPORT_MODE, bytes([hairpin])) + attribute(_BRPORT_ISOLATED, bytes([isolated]))
    body = (
        _LINK.pack(0, 0, 0, 0, 0)
        + attribute(_IFLA_IFNAME, _text(name))
        + nested(_IFLA_LINKINFO, attribute(_INFO_SLAVE_KIND, b"bridge"), nested(_INFO_SLAVE_DATA, data))
    )
    return Message(f"set bridge port {name}", _NEWLINK, 0, body)


def set_link(index: int, *, master: int | None = None, mtu: int = 0, up: bool = True) -> Message:
    """Changes a link: its bridge, its MTU, whether it is up."""
    body = _LINK.pack(0, 0, index, _IFF_UP if up else 0, _IFF_UP)
    if master is not None:
        body += attribute(_IFLA_MASTER, _u32(master))
    if mtu:
        body += attribute(_IFLA_MTU, _u32(mtu))
    return Message(f"change link {index}", _NEWLINK, 0, body)


def delete_link(name: str) -> Message:
    """Removes a link, and its peer."""
    body = _LINK.pack(0, 0, 0, 0, 0) + attribute(_IFLA_IFNAME, _text(name))
    return Message(f"delete link {name}", _DELLINK, 0, body)


def link(socket: Socket, name: str) -> Link | None:
    """The link of that name. Raises NetlinkError."""
    body = _LINK.pack(0, 0, 0, 0, 0) + attribute(_IFLA_IFNAME, _text(name))
    try:
        return _read_link(socket.ask(Message(f"look up link {name}", _GETLINK, 0, body)))
    except NetlinkError as error:
        if error.errno == errno.ENODEV:
            return None
        raise


def links(socket: Socket, master: int = 0) -> list[Link]:
    """All links, or those that are ports of one bridge. Raises NetlinkError."""
    body = _LINK.pack(0, 0, 0, 0, 0)
    if master:
        body += attribute(_IFLA_MASTER, _u32(master))
    return [_read_link(reply) for reply in socket.dump(Message("list links", _GETLINK, 0, body))]


def _read_link(reply: Reply) -> Link:
    _, _, index, flags, _ = _LINK.unpack_from(reply.body)
    found = attributes(reply.body[_LINK.size :])
    return Link(
        index=index,
        name=_string(found.get(_IFLA_IFNAME, b"")),
        kind=_string(attributes(found.get(_IFLA_LINKINFO, b"")).get(_INFO_KIND, b"")),
        master=_number(found.get(_IFLA_MASTER)),
        mtu=_number(found.get(_IFLA_MTU)),
        mac=found.get(_IFLA_ADDRESS, b"").hex(":"),
        up=bool(flags & _IFF_UP),
    )


def _string(value: bytes) -> str:
    return value.rstrip(b"\0").decode(errors="replace")


def _number(value: bytes | None) -> int:
    return int(struct.unpack("=I", value)[0]) if value else 0


# --- addresses and routes


@dataclass(frozen=True, slots=True)
class Route:
    """An IPv4 route of the main table; `link` is the index of the interface it leads to."""

    destination: IPv4Network
    gateway: IPv4Address | None
    link: int


def add_address(index: int, address: IPv4Interface) -> Message:
    """Gives a link an address, with the broadcast address of its subnet."""
    body = (
        _ADDRESS.pack(socket.AF_INET, address.network.prefixlen, 0, 0, index)
        + attribute(_IFA_LOCAL, address.ip.packed)
        + attribute(_IFA_ADDRESS, address.ip.packed)
        + attribute(_IFA_BROADCAST, address.network.broadcast_address.packed)
    )
    return Message(f"add address {address}", _NEWADDR, CREATE | EXCL, body)


def delete_address(index: int, address: IPv4Interface) -> Message:
    """Takes an address from a link."""
    body = _ADDRESS.pack(socket.AF_INET, address.network.prefixlen, 0, 0, index)
    body += attribute(_IFA_LOCAL, address.ip.packed)
    return Message(f"delete address {address}", _DELADDR, 0, body)


def addresses(socket_: Socket, index: int = 0) -> list[IPv4Interface]:
    """The IPv4 addresses of one link, or of all. Raises NetlinkError."""
    body = _ADDRESS.pack(socket.AF_INET, 0, 0, 0, index)
    found = []
    for reply in socket_.dump(Message("list addresses", _GETADDR, 0, body)):
        _, prefix, _, _, _ = _ADDRESS.unpack_from(reply.body)
        values = attributes(reply.body[_ADDRESS.size :])
        local = values.get(_IFA_LOCAL) or values[_IFA_ADDRESS]
        found.append(IPv4Interface((local, prefix)))
    return found


def add_default_route(gateway: IPv4Address, index: int) -> Message:
    """Sends everything else to `gateway`."""
    return Message(
        f"add default route by {gateway}", _NEWROUTE, CREATE | EXCL, _default_route(gateway, index)
    )


def delete_default_route(gateway: IPv4Address, index: int) -> Message:
    """Sends it there no more."""
    return Message(f"delete default route by {gateway}", _DELROUTE, 0, _default_route(gateway, index))


def _default_route(gateway: IPv4Address, index: int) -> bytes:
    return (
        _ROUTE.pack(socket.AF_INET, 0, 0, 0, _TABLE_MAIN, _PROTO_BOOT, _UNIVERSE, _UNICAST, 0)
        + attribute(_RTA_GATEWAY, gateway.packed)
        + attribute(_RTA_OIF, _u32(index))
    )


def routes(socket_: Socket) -> list[Route]:
    """The IPv4 routes of the main table. Raises NetlinkError."""
    body = _ROUTE.pack(socket.AF_INET, 0, 0, 0, 0, 0, 0, 0, 0)
    found = []
    for reply in socket_.dump(Message("list routes", _GETROUTE, 0, body)):
        _, length, _, _, table, _, _, kind, _ = _ROUTE.unpack_from(reply.body)
        values = attributes(reply.body[_ROUTE.size :])
        if (_number(values.get(_RTA_TABLE)) or table) != _TABLE_MAIN or kind != _UNICAST:
            continue
        gateway = values.get(_RTA_GATEWAY)
        found.append(
            Route(
                destination=IPv4Network((values.get(_RTA_DST, b"\0\0\0\0"), length)),
                gateway=IPv4Address(gateway) if gateway else None,
                link=_number(values.get(_RTA_OIF)),
            )
        )
    return found
