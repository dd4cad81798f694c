"""The macvlan and ipvlan drivers: interfaces of containers on a link of the host.

Runs in the kernel's thread. There is no firewall and no port of ours: the
packets never pass the host's own stack.
"""

import contextlib
import errno
import logging
import os
from collections.abc import Collection, Mapping, Sequence
from ipaddress import IPv4Address

from lading.errors import InvalidParameter, Unsupported
from lading.linux import netlink, stacked_links
from lading.network.kernel import Kernel
from lading.network.links import inner_name, set_up
from lading.network.parents import ParentOptions, tagged
from lading.network.ports import Lease
from lading.network.record import EndpointRecord
from lading.network.sandboxes import Place, open_place

_log = logging.getLogger(__name__)


class ParentLink:
    """One network on a parent link (contract.Driver)."""

    def __init__(
        self, kernel: Kernel, driver: str, parent: str, options: ParentOptions, mtu: int, *, found: bool
    ) -> None:
        """`parent` is the link that carries the network; it stays where it was `found`, not made."""
        self._kernel = kernel
        self._driver = driver
        self._parent = parent
        self._options = options
        self._mtu = mtu
        self._found = found
        self._index = 0

    def open(self, published: Mapping[Lease, IPv4Address]) -> None:
        """Finds the parent, or makes the sub-interface or the dummy it is."""
        link = netlink.link(self._kernel.route, self._parent)
        if link is None:
            self._make_parent()
            link = netlink.link(self._kernel.route, self._parent)
        if link is None:
            raise OSError(f"{self._parent} did not appear")
        self._index = link.index
        if self._driver == "ipvlan":
            self._try_ipvlan()

    def _try_ipvlan(self) -> None:
        """Not every kernel has it; the user is to know before a container starts."""
        name = f"ivl{self._index}"
        with open("/proc/thread-self/ns/net", "rb") as here:
            wanted = stacked_links.Ipvlan(
                name, self._index, self._options.mode, self._options.flag, here.fileno()
            )
            self._send("ipvlan", stacked_links.make_ipvlan(wanted))
        self._kernel.route.send(netlink.delete_link(name))

    def _make_parent(self) -> None:
        route = self._kernel.route
        if not self._options.parent:
            self._make_island()
            return
        parts = tagged(self._parent)
        below = netlink.link(route, parts[0]) if parts is not None else None
        if parts is None or below is None:
            raise InvalidParameter(
                f"invalid subinterface vlan name {self._parent}, example formatting is eth0.10"
                if parts is None
                else f"the requested parent interface {parts[0]} was not found on the Docker host"
            )
        self._send("802.1q (VLAN)", stacked_links.make_vlan(self._parent, below.index, parts[1]))

    def _make_island(self) -> None:
        """A parent that leads nowhere: containers on it reach each other only.

        A bridge without ports is one too, where the kernel has no dummy interfaces.
        """
        route = self._kernel.route
        try:
            route.send(stacked_links.make_island(self._parent, "dummy"))
        except netlink.NetlinkError as error:
            if error.errno != errno.EOPNOTSUPP:
                raise
            route.send(stacked_links.make_island(self._parent, "bridge"))

    def _send(self, what: str, *messages: netlink.Message) -> None:
        """Raises Unsupported with plain words where the kernel has no such links."""
        try:
            self._kernel.route.send(*messages)
        except netlink.NetlinkError as error:
            if error.errno in (errno.EOPNOTSUPP, errno.ENOTSUP):
                raise Unsupported(f"this machine's kernel has no {what} interfaces") from None
            raise

    def remove(self) -> None:
        """Removes the parent where it is ours."""
        if not self._found:
            with contextlib.suppress(netlink.NetlinkError):
                self._kernel.route.send(netlink.delete_link(self._parent))

    def check(self) -> bool:
        """There are no rules of ours."""
        return False

    def join(self, endpoint: EndpointRecord, place: Place) -> None:
        """Makes the interface inside, with addresses and route."""
        name = inner_name(endpoint)
        namespace = os.open(place.path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            if self._driver == "macvlan":
                wanted = stacked_links.Macvlan(
                    name, self._index, self._options.mode, endpoint.mac, self._mtu, namespace
                )
                self._send("macvlan", stacked_links.make_macvlan(wanted))
            else:
                ipvlan = stacked_links.Ipvlan(
                    name, self._index, self._options.mode, self._options.flag, namespace
                )
                self._send("ipvlan", stacked_links.make_ipvlan(ipvlan))
        finally:
            os.close(namespace)
        inside = netlink.link(place.inside, name)
        if inside is None:
            raise OSError(f"{name} did not appear in {place.path}")
        endpoint.mac = inside.mac
        set_up(place.inside, inside.index, endpoint)

    def publish(self, endpoint: EndpointRecord, leases: Sequence[Lease]) -> None:
        """Ports of these networks are the containers' own."""

    def withdraw(self, endpoint: EndpointRecord, leases: Sequence[Lease]) -> None:
        """There are none."""

    def leave(self, endpoint: EndpointRecord) -> None:
        """The interface goes with its namespace."""

    def detach(self, endpoint: EndpointRecord) -> None:
        """Takes the interface from a container that lives on."""
        place = open_place(endpoint.sandbox_id, endpoint.netns)
        try:
            with contextlib.suppress(netlink.NetlinkError):
                place.inside.send(netlink.delete_link(inner_name(endpoint)))
        finally:
            place.inside.close()

    def mend(self, endpoint: EndpointRecord) -> None:
        """Makes the interface again where it is gone."""
        if not os.path.exists(endpoint.netns):
            return
        place = open_place(endpoint.sandbox_id, endpoint.netns)
        try:
            if netlink.link(place.inside, inner_name(endpoint)) is None:
                _log.warning("making the interface of container %s again", endpoint.container_id)
                self.join(endpoint, place)
        finally:
            place.inside.close()

    def sweep(self, known: Collection[str]) -> None:
        """Nothing of an endpoint is on the host's side."""
