"""Forgetting connections the kernel tracks.

Source: the kernel's uapi/linux/netfilter/nfnetlink_conntrack.h and its
nf_conntrack_netlink.c.
"""

import errno
import socket
import struct
from collections.abc import Collection
from ipaddress import IPv4Address, IPv4Network

from lading.linux.netlink import Message, NetlinkError, Socket, attribute, attributes, nested

_GET, _DELETE = 1 << 8 | 1, 1 << 8 | 2
_TUPLE_ORIGINAL, _FILTER = 1, 25
_TUPLE_IP, _SOURCE, _TARGET = 1, 1, 2
_TUPLE_PROTO, _PROTO_NUMBER, _PROTO_TARGET = 2, 1, 3
_FILTER_ORIGINAL_FLAGS, _BY_NUMBER = 1, 1 << 3
_FAMILY = struct.pack("=BBH", socket.AF_INET, 0, 0)


def forget(tracker: Socket, protocol: int, ports: Collection[int]) -> int:
    """Drops every flow of `protocol` first sent to one of `ports`; returns how many.

    A flow is judged by the rules of its first packet only. One that keeps
    sending would go on to where it went before the rules changed. `tracker`
    is a socket of netlink.NETFILTER. Raises NetlinkError.
    """
    wanted = nested(_TUPLE_ORIGINAL, nested(_TUPLE_PROTO, attribute(_PROTO_NUMBER, bytes([protocol]))))
    only = nested(_FILTER, attribute(_FILTER_ORIGINAL_FLAGS, struct.pack("=I", _BY_NUMBER)))
    flows = tracker.dump(Message("list tracked connections", _GET, 0, _FAMILY + wanted + only))
    forgotten = 0
    for flow in flows:
        original = attributes(flow.body[len(_FAMILY) :]).get(_TUPLE_ORIGINAL, b"")
        proto = attributes(attributes(original).get(_TUPLE_PROTO, b""))
        if proto.get(_PROTO_NUMBER) == bytes([protocol]) and _port(proto) in ports:
            forgotten += _drop(tracker, original)
    return forgotten


def forget_subnet(tracker: Socket, subnet: IPv4Network) -> int:
    """Drops every flow from or to an address of `subnet`; returns how many. Raises NetlinkError.

    Whoever gets these addresses next is not to be taken for who had them.
    """
    forgotten = 0
    for flow in tracker.dump(Message("list tracked connections", _GET, 0, _FAMILY)):
        original = attributes(flow.body[len(_FAMILY) :]).get(_TUPLE_ORIGINAL, b"")
        ends = attributes(attributes(original).get(_TUPLE_IP, b""))
        if any(
            IPv4Address(ends[end]) in subnet for end in (_SOURCE, _TARGET) if len(ends.get(end, b"")) == 4
        ):
            forgotten += _drop(tracker, original)
    return forgotten


def _drop(tracker: Socket, original: bytes) -> bool:
    body = _FAMILY + nested(_TUPLE_ORIGINAL, original)
    try:
        tracker.send(Message("forget a connection", _DELETE, 0, body))
    except NetlinkError as error:
        if error.errno != errno.ENOENT:
            raise
        return False
    return True


def _port(proto: dict[int, bytes]) -> int:
    return int.from_bytes(proto.get(_PROTO_TARGET, b""), "big")
