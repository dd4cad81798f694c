"""Which subnet a network gets. Pure."""

from collections.abc import Iterable, Iterator, Sequence
from ipaddress import IPv4Interface, IPv4Network

from lading.errors import Forbidden, InternalError, InvalidParameter


def default_pools() -> Iterator[IPv4Network]:
    """Docker's default address pools, in its order."""
    for second in range(17, 32):
        yield IPv4Network(f"172.{second}.0.0/16")
    yield from IPv4Network("192.168.0.0/16").subnets(new_prefix=20)


def split_pools(pools: Iterable[tuple[str, int]]) -> Iterator[IPv4Network]:
    """The subnets of address pools, each a base and the prefix length it is divided into."""
    for base, size in pools:
        network = IPv4Network(base)
        yield from network.subnets(new_prefix=size)


def first_free(pools: Sequence[tuple[str, int]], taken: Iterable[IPv4Network]) -> IPv4Network:
    """The first subnet that overlaps none of `taken`. Raises InvalidParameter."""
    others = list(taken)
    for pool in split_pools(pools) if pools else default_pools():
        if not any(network.overlaps(pool) for network in others):
            return pool
    raise InvalidParameter("all predefined address pools have been fully subnetted")


def check_free(subnet: IPv4Network, taken: Iterable[IPv4Network]) -> None:
    """Raises Forbidden where another network has it, or a part of it."""
    if any(network.overlaps(subnet) for network in taken):
        raise Forbidden("invalid pool request: Pool overlaps with other one on this address space")


def choose(
    asked: IPv4Interface | None, before: IPv4Interface | None, taken: Iterable[IPv4Network]
) -> IPv4Interface:
    """The gateway's address: the one asked for, the one from before, or the first of the default pools.

    `taken` are the destinations of the host's other routes. Raises
    InvalidParameter where what was asked for would hide one of them, and
    InternalError where no pool is free.
    """
    others = [network for network in taken if network.prefixlen]
    if asked is not None:
        hidden = [network for network in others if network.subnet_of(asked.network)]
        if hidden:
            raise InvalidParameter(
                f"bip {asked} overlaps the host's route to {hidden[0]}; choose another subnet with --bip"
            )
        return asked
    if before is not None and not any(network.overlaps(before.network) for network in others):
        return before
    for pool in default_pools():
        if not any(network.overlaps(pool) for network in others):
            return IPv4Interface((pool.network_address + 1, pool.prefixlen))
    raise InternalError(
        "no subnet is free for the default bridge: every default pool overlaps a route; use --bip"
    )
