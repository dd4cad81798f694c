"""Links on top of other links: macvlan, ipvlan, 802.1q sub-interfaces; and one on top of none.

Makes the messages that make them, for `netlink.Socket.send`. Source: rtnetlink(7), the kernel's
uapi header if_link.h.
"""

import struct
from dataclasses import dataclass

from lading.linux import netlink

_LINK = struct.Struct("=BxHiII")
_NEWLINK, _IFF_UP = 16, 1
_IFLA_ADDRESS, _IFLA_IFNAME, _IFLA_MTU, _IFLA_LINK, _IFLA_LINKINFO, _IFLA_NET_NS_FD = 1, 3, 4, 5, 18, 28
_INFO_KIND, _INFO_DATA = 1, 2
_MACVLAN_MODE, _IPVLAN_MODE, _IPVLAN_FLAGS, _VLAN_ID = 1, 1, 2, 1


@dataclass(frozen=True, slots=True)
class Macvlan:
    """An interface with a hardware address of its own on a parent link, in a namespace, still down."""

    name: str
    parent: int
    mode: str
    mac: str
    mtu: int
    netns: int


MACVLAN_MODES = {"private": 1, "vepa": 2, "bridge": 4, "passthru": 8}
"""Source: if_link.h, enum macvlan_mode."""


def make_macvlan(wanted: Macvlan) -> netlink.Message:
    """Makes it where it belongs, with one message."""
    body = (
        _LINK.pack(0, 0, 0, 0, 0)
        + netlink.attribute(_IFLA_IFNAME, _text(wanted.name))
        + netlink.attribute(_IFLA_LINK, _u32(wanted.parent))
        + (
            netlink.attribute(_IFLA_ADDRESS, bytes.fromhex(wanted.mac.replace(":", "")))
            if wanted.mac
            else b""
        )
        + (netlink.attribute(_IFLA_MTU, _u32(wanted.mtu)) if wanted.mtu else b"")
        + netlink.attribute(_IFLA_NET_NS_FD, _u32(wanted.netns))
        + netlink.nested(
            _IFLA_LINKINFO,
            netlink.attribute(_INFO_KIND, b"macvlan"),
            netlink.nested(_INFO_DATA, netlink.attribute(_MACVLAN_MODE, _u32(MACVLAN_MODES[wanted.mode]))),
        )
    )
    return netlink.Message(f"create macvlan {wanted.name}", _NEWLINK, netlink.CREATE | netlink.EXCL, body)


@dataclass(frozen=True, slots=True)
class Ipvlan:
    """An interface with its parent's hardware address, in a namespace, still down."""

    name: str
    parent: int
    mode: str
    flag: str
    netns: int


IPVLAN_MODES = {"l2": 0, "l3": 1, "l3s": 2}
IPVLAN_FLAGS = {"bridge": 0, "private": 1, "vepa": 2}
"""Source: if_link.h, enum ipvlan_mode, IPVLAN_F_*."""


def make_ipvlan(wanted: Ipvlan) -> netlink.Message:
    """Makes it where it belongs, with one message."""
    body = (
        _LINK.pack(0, 0, 0, 0, 0)
        + netlink.attribute(_IFLA_IFNAME, _text(wanted.name))
        + netlink.attribute(_IFLA_LINK, _u32(wanted.parent))
        + netlink.attribute(_IFLA_NET_NS_FD, _u32(wanted.netns))
        + netlink.nested(
            _IFLA_LINKINFO,
            netlink.attribute(_INFO_KIND, b"ipvlan"),
            netlink.nested(
                _INFO_DATA,
                netlink.attribute(_IPVLAN_MODE, struct.pack("=H", IPVLAN_MODES[wanted.mode])),
                netlink.attribute(_IPVLAN_FLAGS, struct.pack("=H", IPVLAN_FLAGS[wanted.flag])),
            ),
        )
    )
    return netlink.Message(f"create ipvlan {wanted.name}", _NEWLINK, netlink.CREATE | netlink.EXCL, body)


def make_vlan(name: str, parent: int, tag: int) -> netlink.Message:
    """A sub-interface for frames with an 802.1q tag, up."""
    body = (
        _LINK.pack(0, 0, 0, _IFF_UP, _IFF_UP)
        + netlink.attribute(_IFLA_IFNAME, _text(name))
        + netlink.attribute(_IFLA_LINK, _u32(parent))
        + netlink.nested(
            _IFLA_LINKINFO,
            netlink.attribute(_INFO_KIND, b"vlan"),
            netlink.nested(_INFO_DATA, netlink.attribute(_VLAN_ID, struct.pack("=H", tag))),
        )
    )
    return netlink.Message(f"create vlan {name}", _NEWLINK, netlink.CREATE | netlink.EXCL, body)


def make_island(name: str, kind: str) -> netlink.Message:
    """An interface that leads nowhere, up: a "dummy", or a "bridge" that gets no ports.

    A bridge has a carrier as long as nobody has set its hardware address.
    """
    body = (
        _LINK.pack(0, 0, 0, _IFF_UP, _IFF_UP)
        + netlink.attribute(_IFLA_IFNAME, _text(name))
        + netlink.nested(_IFLA_LINKINFO, netlink.attribute(_INFO_KIND, kind.encode()))
    )
    return netlink.Message(f"create {kind} {name}", _NEWLINK, netlink.CREATE | netlink.EXCL, body)


def _u32(value: int) -> bytes:
    return struct.pack("=I", value)


def _text(value: str) -> bytes:
    return value.encode() + b"\0"
