"""The bridge driver: a bridge, its address, its firewall table, its ports.

Runs in the kernel's thread.
"""

import contextlib
import logging
import os
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Interface, IPv4Network

from lading.errors import Conflict
from lading.linux import conntrack, namespaces, netlink
from lading.network.firewall import Firewall
from lading.network.ipam import bridge_mac
from lading.network.kernel import Kernel
from lading.network.links import OUR_LINK, inner_name, set_up
from lading.network.ports import Lease
from lading.network.record import EndpointRecord
from lading.network.ruleset import NAT, Rules
from lading.network.sandboxes import Place, open_place

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Shape:
    """How a bridge is to be. An `mtu` of 0 leaves it to the kernel.

    Without `addressed` the host has no address on it. One that was `found` belongs
    to somebody else: it keeps its addresses, and stays when the network goes.
    """

    name: str
    interface: IPv4Interface
    mtu: int
    icc: bool
    masquerade: bool
    internal: bool = False
    mode: str = NAT
    addressed: bool = True
    found: bool = False


class Bridge:
    """One bridge network (contract.Driver)."""

    def __init__(self, kernel: Kernel, shape: Shape) -> None:
        self._kernel = kernel
        self._shape = shape
        self._index = 0
        rules = Rules(shape.name, shape.interface, shape.icc, shape.masquerade, shape.internal, shape.mode)
        self._firewall = Firewall(kernel, rules)

    # --- the network itself

    def open(self, published: Mapping[Lease, IPv4Address]) -> None:
        """Makes bridge and table, or puts them right."""
        self._make()
        # The table first: it guards what the kernel is then told to let through.
        self._firewall.open(published)
        self._set_sysctls()

    def _make(self) -> None:
        route, shape = self._kernel.route, self._shape
        link = netlink.link(route, shape.name)
        if link is None:
            route.send(netlink.make_bridge(shape.name, bridge_mac(shape.interface)))
            link = netlink.link(route, shape.name)
        if link is None or link.kind != "bridge":
            raise Conflict(
                f"{shape.name} is a network interface, but no bridge; choose another with --bridge"
            )
        self._index = link.index
        present = netlink.addresses(route, link.index)
        if shape.addressed and shape.interface not in present:
            route.send(netlink.add_address(link.index, shape.interface))
        wanted = [*present] if shape.found else [shape.interface] if shape.addressed else []
        stale = [address for address in present if address not in wanted]
        route.send(
            netlink.set_link(link.index, mtu=shape.mtu),
            *(netlink.delete_address(link.index, address) for address in stale),
        )

    def _set_sysctls(self) -> None:
        name = self._shape.name.replace(".", "/")
        if namespaces.read_sysctl("net.ipv4.ip_forward") != "1":
            namespaces.write_sysctl("net.ipv4.ip_forward", "1")
        # Lets replies to connections from 127.0.0.1 come back; the table's guard drops everything else.
        namespaces.write_sysctl(f"net.ipv4.conf.{name}.route_localnet", "1")
        with contextlib.suppress(FileNotFoundError):
            namespaces.write_sysctl(f"net.ipv6.conf.{name}.disable_ipv6", "1")

    def remove(self) -> None:
        """Leaves nothing of the network."""
        self._firewall.remove()
        forgetting = self._kernel.beside(_forget_flows, self._shape.interface.network)
        if not self._shape.found:
            self._kernel.bury(self._shape.name)
        try:
            forgetting.result()
        except OSError as error:
            _log.warning(
                "flows of %s may be taken for those of the next network: %s", self._shape.name, error
            )

    def check(self) -> bool:
        """Puts back firewall rules somebody took; tells whether there was need."""
        return self._firewall.check()

    # --- its endpoints

    def join(self, endpoint: EndpointRecord, place: Place) -> None:
        """Makes the link, gives the inside its address and route, publishes its ports."""
        self._make_link(endpoint, place)
        if endpoint.leases:
            self._firewall.publish(endpoint.leases, endpoint.ip)

    def _make_link(self, endpoint: EndpointRecord, place: Place) -> None:
        shape, name = self._shape, inner_name(endpoint)
        namespace = os.open(place.path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            pair = netlink.Veth(endpoint.link, self._index, shape.mtu, name, endpoint.mac, namespace)
            messages = [netlink.make_veth(pair)]
            if (port := self._port(endpoint)) is not None:
                messages.append(port)
            self._kernel.route.send(*messages)
        finally:
            os.close(namespace)
        inside = netlink.link(place.inside, name)
        if inside is None:
            raise OSError(f"{name} did not appear in {place.path}")
        set_up(place.inside, inside.index, endpoint)
        # The host's end, up before its peer, sends only once the kernel has noticed its carrier. Being asked
        # about it, the kernel notices at once (Linux 6.8); otherwise the first packets may be lost.
        netlink.link(self._kernel.route, endpoint.link)

    def _port(self, endpoint: EndpointRecord) -> netlink.Message | None:
        """How the bridge is to treat the link, where that is not the kernel's default.

        Where bridged packets pass the firewall, one that a container sends to a
        port published by itself goes back by the link it came from, and the table
        keeps containers apart; elsewhere the bridge has to do that.
        """
        if self._shape.icc and not endpoint.leases:
            return None
        filtered = _bridge_is_filtered()
        hairpin = bool(endpoint.leases) and filtered
        isolated = not self._shape.icc and not filtered
        return netlink.set_bridge_port(endpoint.link, hairpin=hairpin, isolated=isolated)

    def publish(self, endpoint: EndpointRecord, leases: Sequence[Lease]) -> None:
        """Leads more host ports to an endpoint; its record has them already."""
        if (port := self._port(endpoint)) is not None:
            self._kernel.route.send(port)
        self._firewall.publish(leases, endpoint.ip)

    def withdraw(self, endpoint: EndpointRecord, leases: Sequence[Lease]) -> None:
        """Leads host ports to it no more."""
        self._firewall.withdraw(leases)

    def leave(self, endpoint: EndpointRecord) -> None:
        """Withdraws the ports; the link goes with its namespace, or by `sweep` where that lives on."""
        self._firewall.withdraw(endpoint.leases)

    def mend(self, endpoint: EndpointRecord) -> None:
        """Puts the link back on its bridge, or makes it again where it is gone."""
        route = self._kernel.route
        link = netlink.link(route, endpoint.link)
        if link is None:
            _log.warning("making the link of container %s again", endpoint.container_id)
            place = open_place(endpoint.sandbox_id, endpoint.netns)
            try:
                self._make_link(endpoint, place)
            finally:
                place.inside.close()
            return
        if link.master != self._index or not link.up:
            route.send(netlink.set_link(link.index, master=self._index))
        if (port := self._port(endpoint)) is not None:
            route.send(port)

    def detach(self, endpoint: EndpointRecord) -> None:
        """Takes the link away from a container that lives on."""
        self.bury(endpoint.link)

    def sweep(self, known: Collection[str]) -> None:
        """Deletes links of endpoints nobody knows; each costs some 25 ms."""
        for link in netlink.links(self._kernel.route, self._index):
            if link.kind == "veth" and OUR_LINK.match(link.name) and link.name not in known:
                self.bury(link.name)

    def bury(self, name: str) -> None:
        """Deletes a link whose namespace somebody else keeps alive."""
        self._kernel.bury(name)


def _forget_flows(subnet: IPv4Network) -> None:
    with contextlib.closing(netlink.Socket(netlink.NETFILTER)) as tracker:
        conntrack.forget_subnet(tracker, subnet)


def _bridge_is_filtered() -> bool:
    try:
        return namespaces.read_sysctl("net.bridge.bridge-nf-call-iptables") == "1"
    except FileNotFoundError:
        return False
