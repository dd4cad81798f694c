"""Which of a container's networks leads out of it, and what its interfaces are called. Pure.

Source: docker's "Networking overview", "Connecting to multiple networks" (engine 28).
"""

from collections.abc import Collection, Iterable

from lading.network.endpoint_options import asks_name, interface_name
from lading.network.record import EndpointRecord
from lading.schema.container import EndpointSettings


def leading(endpoints: Iterable[EndpointRecord]) -> EndpointRecord | None:
    """The endpoint of the default route: by priority, then by name; None where there is no way out."""
    ways_out = [endpoint for endpoint in endpoints if endpoint.gateway]
    return min(ways_out, key=lambda each: (-each.asked.gw_priority, each.network_name), default=None)


def joining_order(wanted: Iterable[tuple[str, EndpointSettings]], first: str) -> list[str]:
    """Names of networks in the order their interfaces are made: that of the network mode comes first."""
    ranked = sorted(wanted, key=lambda each: (each[0] != first, -each[1].gw_priority, each[0]))
    return [name for name, _ in ranked]


def free_interface(settings: EndpointSettings, used: Collection[str]) -> str:
    """What the next interface is called: as asked, or the first eth that is free."""
    if asks_name(settings.driver_opts):
        return interface_name(settings.driver_opts)
    return next(name for number in range(len(used) + 1) if (name := f"eth{number}") not in used)
