"""Subnets, ranges, gateways and reserved addresses of a command line, put together pool by pool. Pure."""

from __future__ import annotations

import _socket

from lading.cli.errors import CommandFailed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

_FAMILIES = ((_socket.AF_INET, 32), (_socket.AF_INET6, 128))


class _Subnet:
    """A block of addresses: its first number, how many bits are fixed, and of how many.

    What is no block holds nothing; the engine says what is wrong with it.
    """

    __slots__ = ("bits", "first", "width")

    def __init__(self, text: str) -> None:
        address, _, prefix = text.partition("/")
        number, self.width = _number(address)
        is_length = prefix.isascii() and prefix.isdecimal()
        self.bits = int(prefix) if is_length and int(prefix) <= self.width else 0
        self.width = self.width if is_length and int(prefix) <= self.width else 0
        self.first = number >> self.width - self.bits << self.width - self.bits

    def holds(self, address: str) -> bool:
        number, width = _number(address.partition("/")[0])
        return 0 < width == self.width and number >> width - self.bits << width - self.bits == self.first


def _number(address: str) -> tuple[int, int]:
    for family, width in _FAMILIES:
        try:
            return int.from_bytes(_socket.inet_pton(family, address), "big"), width
        except (OSError, ValueError):
            continue
    return 0, 0


def pools(
    subnets: Sequence[str], ranges: Sequence[str], gateways: Sequence[str], reserved: Mapping[str, str]
) -> list[dict[str, Any]]:
    """The pools of `POST /networks/create`. Raises CommandFailed for what fits together with nothing."""
    if len(subnets) < len(ranges) or len(subnets) < len(gateways):
        raise CommandFailed("every ip-range or gateway must have a corresponding subnet")
    found: dict[str, dict[str, Any]] = {}
    blocks: dict[str, _Subnet] = {}
    for subnet in subnets:
        block = _Subnet(subnet)
        if any(_overlap(subnet, block, other, blocks[other]) for other in found):
            raise CommandFailed("multiple overlapping subnet configuration is not supported")
        found[subnet], blocks[subnet] = {"Subnet": subnet, "AuxiliaryAddresses": {}}, block
    for text in ranges:
        _place(found, blocks, text, "IPRange", "range", "ranges")
    for text in gateways:
        _place(found, blocks, text, "Gateway", "gateway", "gateways")
    for name, address in reserved.items():
        place = _subnet_of(blocks, address)
        if place is None:
            raise CommandFailed(f"no matching subnet for aux-address {address}")
        found[place]["AuxiliaryAddresses"][name] = address
    return [{key: value for key, value in pool.items() if value} for pool in found.values()]


def _overlap(text: str, block: _Subnet, other_text: str, other: _Subnet) -> bool:
    return other.holds(text) or block.holds(other_text)


def _subnet_of(blocks: Mapping[str, _Subnet], address: str) -> str | None:
    return next((subnet for subnet, block in blocks.items() if block.holds(address)), None)


def _place(
    found: dict[str, dict[str, Any]],
    blocks: Mapping[str, _Subnet],
    text: str,
    member: str,
    one: str,
    several: str,
) -> None:
    subnet = _subnet_of(blocks, text)
    if subnet is None:
        raise CommandFailed(f"no matching subnet for {one} {text}")
    if present := found[subnet].get(member):
        on = "on" if one == "range" else "for"
        raise CommandFailed(
            f"cannot configure multiple {several} ({text}, {present}) {on} the same subnet ({subnet})"
        )
    found[subnet][member] = text
