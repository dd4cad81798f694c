"""What a network driver does. A network of any driver is one more of these.

All of it runs in the kernel's thread and raises OSError where the kernel refuses.
"""

from collections.abc import Collection, Mapping, Sequence
from ipaddress import IPv4Address
from typing import Protocol

from lading.network.ports import Lease
from lading.network.record import EndpointRecord
from lading.network.sandboxes import Place


class Driver(Protocol):
    """Carries the packets of one network."""

    def open(self, published: Mapping[Lease, IPv4Address]) -> None:
        """Makes the network, or puts it right, with the ports it already publishes."""

    def remove(self) -> None:
        """Leaves nothing of the network."""

    def check(self) -> bool:
        """Puts back firewall rules somebody took; tells whether there was need."""

    def join(self, endpoint: EndpointRecord, place: Place) -> None:
        """Gives a sandbox its link, addresses, routes and ports. Where it fails, `leave` is called too."""

    def publish(self, endpoint: EndpointRecord, leases: Sequence[Lease]) -> None:
        """Leads more host ports to an endpoint; its record has them already."""

    def withdraw(self, endpoint: EndpointRecord, leases: Sequence[Lease]) -> None:
        """Leads host ports to it no more."""

    def leave(self, endpoint: EndpointRecord) -> None:
        """Takes all of it back, as far as it is there."""

    def detach(self, endpoint: EndpointRecord) -> None:
        """Takes the link away from a container that lives on."""

    def mend(self, endpoint: EndpointRecord) -> None:
        """Puts right what somebody changed about an endpoint in use."""

    def sweep(self, known: Collection[str]) -> None:
        """Removes links that are ours and not among the `known` names."""
