"""What the deeds of this room work with."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from ipaddress import IPv4Address
from itertools import chain

from lading.aio.tasks import Background
from lading.network.claim import Claim
from lading.network.contract import Driver
from lading.network.kernel import Kernel
from lading.network.record import EndpointRecord, NetworkRecord
from lading.network.reservations import Reservations
from lading.network.sandboxes import Sandboxes
from lading.network.settings import NetworkSettings
from lading.network.store import Store

Publish = Callable[[str, str, str, dict[str, str]], object]


def _nobody() -> None:
    """Where nobody wants to know."""


@dataclass(slots=True)
class Context:
    """The networks known, who is on them, and what gives out their goods.

    `joined` holds, by container, also endpoints being made; so a sweep does not
    take a link for a stray before its record is written.
    """

    settings: NetworkSettings
    store: Store
    kernel: Kernel
    sandboxes: Sandboxes
    reservations: Reservations
    tell: Publish
    networks: dict[str, NetworkRecord] = field(default_factory=dict)
    joined: dict[str, list[EndpointRecord]] = field(default_factory=dict)
    drivers: dict[str, Driver] = field(default_factory=dict)
    claim: Claim | None = None
    mtu: int = 0
    """Of networks that ask for none; 0 leaves it to the kernel."""
    addresses: dict[str, set[IPv4Address]] = field(default_factory=dict)
    leaving: set[str] = field(default_factory=set)
    sweeping: bool = False
    last_address: dict[str, IPv4Address] = field(default_factory=dict)
    background: Background = field(default_factory=Background)
    renamed: Callable[[], None] = _nobody
    """Called when names on user-defined networks have changed."""
    resolver: str = ""
    """Who answers for those names, as seen by containers; empty where nobody does."""

    def everyone(self) -> Iterator[EndpointRecord]:
        """Every endpoint of every container."""
        return chain.from_iterable(list(self.joined.values()))

    def network(self, endpoint: EndpointRecord) -> NetworkRecord | None:
        """The network of an endpoint; a sandbox alone has none."""
        return self.networks.get(endpoint.network_name)

    def publish(self, action: str, endpoint: EndpointRecord) -> None:
        """Tells the event bus that a container joined or left a network."""
        network = self.network(endpoint)
        if network is None:
            return
        self.tell(
            "network",
            action,
            network.id,
            {"container": endpoint.container_id, "name": network.name, "type": network.driver},
        )
