"""What the resolver is told of names: facts by ID, and how they changed. Pure.

The shapes are those of lading.dns.server.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lading.network.naming import RESOLVER, Asker, Names, NetworkNames
from lading.network.resolv_internal import HostFile, is_address

Facts = dict[str, Any]
Told = dict[str, dict[str, Facts]]
"""Facts of "networks" and "askers" by ID."""


@dataclass(frozen=True, slots=True)
class Usual:
    """What holds for a container that asks for nothing else: the daemon's settings, then the host's file."""

    host: HostFile
    servers: Sequence[str] = ()
    options: Sequence[str] = ()


def facts_of(names: Names, usual: Usual) -> Told:
    """All there is to tell."""
    return {
        "networks": {key: _network(network) for key, network in names.networks.items()},
        "askers": {key: _asker(asker, usual) for key, asker in names.askers.items()},
    }


def _network(network: NetworkNames) -> Facts:
    return {
        "name": network.name,
        "names": {
            name: [address.packed.hex() for address in addresses]
            for name, addresses in network.addresses.items()
        },
        "pointers": {address.packed.hex(): name for address, name in network.pointers.items()},
    }


def _asker(asker: Asker, usual: Usual) -> Facts:
    asked = asker.servers or usual.servers
    # It would ask itself without end.
    own = [[server, False] for server in asked if is_address(server) and server != RESOLVER]
    options = asker.options or usual.options or usual.host.options
    return {
        "netns": asker.netns,
        "networks": asker.networks,
        "links": asker.links,
        # Those of the host's file may be on its loopback.
        "servers": own if asked else [[server, True] for server in usual.host.servers],
        "external": asker.leads_out,
        "ndots": any(option.startswith("ndots:") for option in options),
    }


def difference(before: Told | None, after: Told) -> Facts:
    """What to tell one who knows `before`, or nothing. Empty where nothing changed."""
    if before is None:
        return {**after, "whole": True}
    told = {
        "networks": _changed(before["networks"], after["networks"], inner=True),
        "askers": _changed(before["askers"], after["askers"], inner=False),
    }
    return {kind: facts for kind, facts in told.items() if facts}


def _changed(before: Mapping[str, Facts], after: Mapping[str, Facts], *, inner: bool) -> dict[str, Any]:
    """Entries that are new or other, None for those gone; of an inner one only what is other in it."""
    found: dict[str, Any] = {key: None for key in before if key not in after}
    for key, facts in after.items():
        known = before.get(key)
        if known == facts:
            continue
        if known is None or not inner:
            found[key] = facts
            continue
        found[key] = {
            "name": facts["name"],
            "names": _changed(known["names"], facts["names"], inner=False),
            "pointers": _changed(known["pointers"], facts["pointers"], inner=False),
        }
    return found
