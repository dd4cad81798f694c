"""What the daemon has told of names, and what a query means to who asks it. Pure.

A container knows the names of its own networks, and no other's. Source: moby's
documentation of user-defined networks; the order of search is docker's.
"""

from __future__ import annotations

from lading.dns.message import (
    AAAA,
    ANY,
    PTR,
    A,
    Query,
    encode_name,
    reversed_address,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, TypeAlias

    Facts: TypeAlias = dict[str, Any]
    Records: TypeAlias = tuple[tuple[int, bytes], ...]

_LENGTHS = {A: 4, AAAA: 16}


class Network:
    """The names of one network, and the name of each of its addresses (4 or 16 bytes)."""

    def __init__(self, name: str) -> None:
        self.name = name.encode()
        self.addresses: dict[bytes, list[bytes]] = {}
        self.pointers: dict[bytes, bytes] = {}

    def change(self, facts: Facts) -> None:
        """`facts`: "names" has lists of addresses as hex, and "pointers" names; None where one is gone."""
        for name, addresses in facts.get("names", {}).items():
            key = name.lower().encode()
            if addresses:
                self.addresses[key] = [bytes.fromhex(address) for address in addresses]
            else:
                self.addresses.pop(key, None)
        for address, name in facts.get("pointers", {}).items():
            if name:
                self.pointers[bytes.fromhex(address)] = name.encode()
            else:
                self.pointers.pop(bytes.fromhex(address), None)


class Asker:
    """A container's networks by ID in the order they are searched, and its own words for others.

    `facts`: "networks", "links" ({network: {alias: name}}), and "ndots": whether
    somebody set that option, so that names without a dot are not to be forwarded.
    """

    def __init__(self, facts: Facts) -> None:
        self.networks: list[str] = facts.get("networks", [])
        self.links = {
            network: {alias.lower().encode(): name.lower().encode() for alias, name in links.items()}
            for network, links in facts.get("links", {}).items()
        }
        self.ndots = bool(facts.get("ndots"))


class Zones:
    """All networks and all who may ask."""

    def __init__(self) -> None:
        self.networks: dict[str, Network] = {}
        self.askers: dict[str, Asker] = {}

    def change_network(self, identifier: str, facts: Facts | None) -> None:
        """Adds, changes or, without facts, removes a network."""
        if facts is None:
            self.networks.pop(identifier, None)
            return
        network = self.networks.get(identifier)
        if network is None:
            network = self.networks[identifier] = Network(facts["name"])
        network.change(facts)

    def decide(self, identifier: str, query: Query) -> Records | None:
        """The records that answer a query, several in any order; None where somebody else has to be asked."""
        asker = self.askers.get(identifier)
        name = query.name
        if asker is None or name is None:
            return None
        if query.kind == PTR and (address := reversed_address(name)) is not None:
            return self._pointer(asker, address)
        addresses = self._addresses(asker, name, query.kind)
        if addresses is not None:
            return tuple((A if len(address) == 4 else AAAA, address) for address in addresses)
        if asker.ndots and query.kind in _LENGTHS and b"." not in name:
            # The client goes on with its search list.
            return ()
        return None

    def _addresses(self, asker: Asker, name: bytes, kind: int) -> list[bytes] | None:
        """The addresses of that kind: none where the name is ours but has none, None where it is not ours."""
        ours = False
        for found in self._candidates(asker, name):
            ours = True
            wanted = [address for address in found if kind == ANY or len(address) == _LENGTHS.get(kind)]
            if wanted:
                return list(dict.fromkeys(wanted))
        return [] if ours else None

    def _candidates(self, asker: Asker, name: bytes) -> list[list[bytes]]:
        """What a.b.c means: itself on any network, or a.b on the network c, or a on b.c."""
        found: list[list[bytes]] = []
        networks = [(key, self.networks[key]) for key in asker.networks if key in self.networks]
        end = len(name)
        while end >= 0:
            wanted, suffix = name[:end], name[end + 1 :]
            here = [
                (key, network) for key, network in networks if not suffix or network.name.lower() == suffix
            ]
            for key, network in here:
                target = asker.links.get(key, {}).get(wanted)
                if target is not None and target in network.addresses:
                    found.append(network.addresses[target])
            found += [network.addresses[wanted] for _, network in here if wanted in network.addresses]
            end = name.rfind(b".", 0, end)
        return found

    def _pointer(self, asker: Asker, address: bytes) -> Records | None:
        for key in asker.networks:
            network = self.networks.get(key)
            name = network.pointers.get(address) if network is not None else None
            if network is not None and name is not None:
                try:
                    return ((PTR, encode_name(name + b"." + network.name)),)
                except ValueError:
                    return ()
        return None


MOST_ROTATIONS = 16


def rotations(records: Records) -> list[Records]:
    """The same records with each of them first in turn, or some of many, so that clients spread over them."""
    count = len(records)
    step = -(-count // MOST_ROTATIONS) or 1
    return [records[start:] + records[:start] for start in range(0, count, step)] or [records]
