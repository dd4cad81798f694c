"""Which address the next container gets. Pure."""

from collections.abc import Container
from ipaddress import IPv4Address, IPv4Interface, IPv4Network

from lading.errors import InternalError


def next_free(
    subnet: IPv4Network, pool: IPv4Network, used: Container[IPv4Address], last: IPv4Address | None
) -> IPv4Address:
    """The first free address of `pool` after `last`, starting over at its end.

    So an address just given back is used again as late as possible: neighbours
    may still remember it. The subnet's own and its broadcast address name no
    host. Raises InternalError where every address is used.
    """
    first, final = int(pool.network_address), int(pool.broadcast_address)
    unusable = (subnet.network_address, subnet.broadcast_address)
    start = int(last) + 1 if last is not None and last in pool else first
    for span in (range(start, final + 1), range(first, min(start, final + 1))):
        for number in span:
            address = IPv4Address(number)
            if address not in used and address not in unusable:
                return address
    raise InternalError(f"no available IPv4 addresses on this network's address pools: {pool}")


def mac_of(address: IPv4Address) -> str:
    """The hardware address that belongs to an address: 02:42 and its four bytes, as docker makes it."""
    return (b"\x02\x42" + address.packed).hex(":")


def bridge_mac(address: IPv4Interface) -> str:
    """A bridge's hardware address; fixed, so that it does not follow its ports."""
    return mac_of(address.ip)
