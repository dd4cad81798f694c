"""What the deeds of this room work with."""

from collections.abc import Callable
from dataclasses import dataclass, field
from ipaddress import IPv4Address

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


@dataclass(slots=True)
class Context:
    """The networks known, who is on them, and what gives out their goods.

    `endpoints` holds, by container, also those being made; so a sweep does not
    take a link for a stray before its record is written.
    """

    settings: NetworkSettings
    store: Store
    kernel: Kernel
    sandboxes: Sandboxes
    reservations: Reservations
    tell: Publish
    networks: dict[str, NetworkRecord] = field(default_factory=dict)
    endpoints: dict[str, EndpointRecord] = field(default_factory=dict)
    drivers: dict[str, Driver] = field(default_factory=dict)
    claim: Claim | None = None
    addresses: dict[str, set[IPv4Address]] = field(default_factory=dict)
    leaving: set[str] = field(default_factory=set)
    sweeping: bool = False
    last_address: dict[str, IPv4Address] = field(default_factory=dict)
    background: Background = field(default_factory=Background)

    def publish(self, action: str, endpoint: EndpointRecord) -> None:
        """Tells the event bus that a container joined or left a network."""
        network = self.networks[endpoint.network_name]
        self.tell(
            "network",
            action,
            network.id,
            {"container": endpoint.container_id, "name": network.name, "type": network.driver},
        )
