"""Who is called what on which network. Pure.

The view that the resolver at 127.0.0.11 answers from; `Context.renamed` is called after
each change: a container on a user-defined network has started, stopped, was renamed,
connected or disconnected. Names on the default bridge are nobody's to resolve,
so containers that are only there are not in it.

A sandbox asks by its container's ID. Names are small letters.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from ipaddress import IPv4Address

from lading.ids import short_id
from lading.network.record import EndpointRecord

RESOLVER = "127.0.0.11"


@dataclass(slots=True)
class NetworkNames:
    """The names of one network. `pointers` has the first name of each address, for PTR answers."""

    id: str
    name: str
    addresses: dict[str, list[IPv4Address]] = field(default_factory=dict)
    pointers: dict[IPv4Address, str] = field(default_factory=dict)


@dataclass(slots=True)
class Asker:
    """A container that may ask: its namespace, and its networks by ID in the order to be searched.

    `links` leads from what it calls others, on each network, to their names there.
    `servers` and `options` of resolv.conf are those asked for, instead of the host's.
    `leads_out` is false where no network leads out of it.
    """

    container_id: str
    netns: str
    networks: list[str] = field(default_factory=list)
    links: dict[str, dict[str, str]] = field(default_factory=dict)
    servers: Sequence[str] = ()
    options: Sequence[str] = ()
    leads_out: bool = False


@dataclass(frozen=True, slots=True)
class Names:
    """Askers by container ID, and networks by ID."""

    askers: Mapping[str, Asker]
    networks: Mapping[str, NetworkNames]

    def lookup(self, container_id: str, name: str) -> list[IPv4Address]:
        """What `name` means to a container: on its first network that knows it. Empty where none does."""
        asker = self.askers.get(container_id)
        wanted = name.lower()
        for network_id in asker.networks if asker is not None else ():
            network = self.networks[network_id]
            assert asker is not None
            plain = wanted.removesuffix(f".{network.name.lower()}")
            linked = asker.links.get(network_id, {}).get(wanted, "").lower()
            for candidate in (linked, wanted, plain):
                if found := network.addresses.get(candidate):
                    return list(found)
        return []

    def reverse(self, container_id: str, address: IPv4Address) -> str:
        """The name of an address, with its network's name; empty where a container's networks have none."""
        asker = self.askers.get(container_id)
        for network_id in asker.networks if asker is not None else ():
            network = self.networks[network_id]
            if name := network.pointers.get(address):
                return f"{name}.{network.name}"
        return ""


def names_of(endpoints: Iterable[EndpointRecord]) -> Names:
    """The view of these endpoints. Those of one container come in the order they are searched."""
    askers: dict[str, Asker] = {}
    networks: dict[str, NetworkNames] = {}
    leads_out: set[str] = set()
    for endpoint in endpoints:
        if endpoint.gateway:
            leads_out.add(endpoint.container_id)
        if not endpoint.names or not endpoint.netns:
            continue
        asker = askers.setdefault(endpoint.container_id, Asker(endpoint.container_id, endpoint.netns))
        asker.networks.append(endpoint.network_id)
        asker.servers, asker.options = endpoint.dns, endpoint.dns_options
        if links := dict(_link(text) for text in endpoint.asked.links or ()):
            asker.links[endpoint.network_id] = links
        network = networks.setdefault(
            endpoint.network_id, NetworkNames(endpoint.network_id, endpoint.network_name)
        )
        if not endpoint.address:
            continue
        address = endpoint.ip
        network.pointers[address] = endpoint.names[0]
        for name in endpoint.names:
            network.addresses.setdefault(name.lower(), []).append(address)
    for asker in askers.values():
        asker.leads_out = asker.container_id in leads_out
    return Names(askers, networks)


def _link(text: str) -> tuple[str, str]:
    """Alias and container's name of "container[:alias]"."""
    name, _, alias = text.partition(":")
    return (alias or name).lower(), name


def dns_names(container_id: str, name: str, hostname: str, aliases: Sequence[str]) -> list[str]:
    """What a container is called on a user-defined network, in docker's order."""
    return list(dict.fromkeys(filter(None, (name, *aliases, short_id(container_id), hostname))))
