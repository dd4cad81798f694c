"""Machines made of network namespaces: a host that runs the engine, and its neighbour.

    neighbour eth0 10.231.240.2 ── up0 10.231.240.1 host ── ldt0 10.231.1.1 ── containers

Sockets stay in the namespace they were made in, so one test process can be
everywhere at once.
"""

import asyncio
import contextlib
import itertools
import os
import socket
from collections.abc import Awaitable, Callable
from ipaddress import IPv4Address, IPv4Interface
from typing import Any, TypeVar

from lading.linux import namespaces, netlink, nftables
from lading.network import ConnectRequest, Networks, NetworkSettings, Sandbox
from lading.schema.container import PortBinding
from lading.state import Database

HOST, NEIGHBOUR = "10.231.240.1", "10.231.240.2"
GATEWAY = "10.231.1.1"
BRIEFLY = 0.4
"""Seconds after which an unanswered packet counts as dropped, where that is what we expect."""
PATIENCE = 5.0
"""Seconds for what has to work, on however busy a machine."""

_numbers = itertools.count(1)
T = TypeVar("T")


class World:
    """A host and its neighbour, with a directory for the engine's namespaces."""

    def __init__(self, *, bridge_is_filtered: bool | None = None) -> None:
        self.directory = f"/run/ldt-{os.getpid()}-{next(_numbers)}"
        os.makedirs(f"{self.directory}/netns")
        self.host, self.neighbour = f"{self.directory}/host", f"{self.directory}/neighbour"
        self._sockets: list[socket.socket] = []
        self._engines: list[Networks] = []
        self._directories: list[str] = []
        namespaces.in_own_thread(lambda: namespaces.create_netns(self.neighbour, lambda: None))
        namespaces.in_own_thread(lambda: namespaces.create_netns(self.host, self._wire))
        # The neighbour's loopback stays down and it takes 127.0.0.1 for any other address, so that it can
        # send, and hear the answer to, what no honest machine does.
        self.inside(self.neighbour, self._set_up_neighbour)
        # Asked about its link, the kernel notices the carrier at once.
        self.links()
        if bridge_is_filtered is not None:
            value = str(int(bridge_is_filtered))
            self.inside(self.host, lambda: namespaces.write_sysctl(_FILTERED, value))

    def _wire(self) -> None:
        namespaces.write_sysctl("net.ipv4.ip_forward", "0")
        with contextlib.closing(netlink.Socket()) as route, open(self.neighbour) as far:
            pair = netlink.Veth("up0", 0, 0, "eth0", "02:42:0a:e7:f0:02", far.fileno())
            route.send(netlink.make_veth(pair), netlink.set_link(1))
            near = netlink.link(route, "up0")
            assert near is not None
            route.send(netlink.add_address(near.index, IPv4Interface(f"{HOST}/24")))

    @staticmethod
    def _set_up_neighbour() -> None:
        with contextlib.closing(netlink.Socket()) as route:
            link = netlink.link(route, "eth0")
            assert link is not None
            route.send(
                netlink.set_link(link.index),
                netlink.add_address(link.index, IPv4Interface(f"{NEIGHBOUR}/24")),
                netlink.add_default_route(IPv4Address(HOST), link.index),
            )
        namespaces.write_sysctl(_LOOPBACK_IS_ROUTED, "1")

    def make_directory(self, name: str) -> str:
        """Where a second engine keeps its namespaces."""
        path = f"{self.directory}/{name}"
        os.makedirs(path, exist_ok=True)
        self._directories.append(path)
        return path

    def close(self) -> None:
        for each in self._sockets:
            each.close()
        for directory in self._directories:
            for name in os.listdir(directory):
                namespaces.delete_netns(f"{directory}/{name}")
            os.rmdir(directory)
        for name in os.listdir(f"{self.directory}/netns"):
            namespaces.delete_netns(f"{self.directory}/netns/{name}")
        for path in (self.host, self.neighbour):
            namespaces.delete_netns(path)
        for name in os.listdir(self.directory):
            if name != "netns":
                os.unlink(f"{self.directory}/{name}")
        os.rmdir(f"{self.directory}/netns")
        os.rmdir(self.directory)

    # --- being somewhere

    def inside(self, path: str, work: Callable[[], T]) -> T:
        """Runs `work` in the namespace at `path`."""

        def enter() -> T:
            namespaces.enter_netns(path)
            return work()

        return namespaces.in_own_thread(enter)

    def run(self, scenario: Callable[[], Awaitable[T]]) -> T:
        """Runs a scenario on the host, with a loop of its own; engines still open at its end are closed."""

        async def main() -> T:
            try:
                return await scenario()
            finally:
                while self._engines:
                    await self._engines.pop().close()

        return self.inside(self.host, lambda: asyncio.run(main()))

    def nft(self, commands: str) -> None:
        """Changes the host's firewall, as some other program."""

        def change() -> None:
            with contextlib.closing(nftables.Nftables()) as handle:
                handle.run(commands)

        self.inside(self.host, change)

    def ruleset(self) -> list[dict[str, Any]]:
        """The host's whole firewall."""

        def read() -> list[dict[str, Any]]:
            with contextlib.closing(nftables.Nftables()) as handle:
                return handle.list("list ruleset")

        return self.inside(self.host, read)

    def links(self) -> set[str]:
        """The host's links."""

        def read() -> set[str]:
            with contextlib.closing(netlink.Socket()) as route:
                return {link.name for link in netlink.links(route)}

        return self.inside(self.host, read)

    def sandboxes(self) -> set[str]:
        """Paths of the namespaces the engine keeps."""
        return {f"{self.directory}/netns/{name}" for name in os.listdir(f"{self.directory}/netns")}

    def interface(self, path: str) -> netlink.Link:
        """A container's interface."""

        def read() -> netlink.Link:
            with contextlib.closing(netlink.Socket()) as route:
                link = netlink.link(route, "eth0")
                assert link is not None
                return link

        return self.inside(path, read)

    def add_address(self, address: str) -> None:
        """Gives the host one more subnet."""
        self._change_uplink(lambda index: netlink.add_address(index, IPv4Interface(address)))

    def remove_address(self, address: str) -> None:
        """Takes it away again."""
        self._change_uplink(lambda index: netlink.delete_address(index, IPv4Interface(address)))

    def set_way_out(self, mtu: int) -> None:
        """Lets the host send everything else to its neighbour, in packets of that size."""
        self._change_uplink(lambda index: netlink.set_link(index, mtu=mtu))
        self._change_uplink(lambda index: netlink.add_default_route(IPv4Address(NEIGHBOUR), index))

    def _change_uplink(self, message: Callable[[int], netlink.Message]) -> None:
        def change() -> None:
            with contextlib.closing(netlink.Socket()) as route:
                link = netlink.link(route, "up0")
                assert link is not None
                route.send(netlink.set_link(link.index), message(link.index))

        self.inside(self.host, change)

    # --- sockets

    def open_socket(self, path: str, kind: int = socket.SOCK_STREAM) -> socket.socket:
        """A socket in the namespace at `path`; an empty path is the host."""
        made = self.inside(path or self.host, lambda: socket.socket(socket.AF_INET, kind))
        made.settimeout(PATIENCE)
        self._sockets.append(made)
        return made

    def listen(self, path: str, port: int, address: str = "0.0.0.0") -> socket.socket:
        """A TCP server in a namespace."""
        server = self.open_socket(path)
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        server.bind((address, port))
        server.listen()
        return server

    def bind_udp(self, path: str, port: int, address: str = "0.0.0.0") -> socket.socket:
        """A UDP server in a namespace."""
        server = self.open_socket(path, socket.SOCK_DGRAM)
        server.bind((address, port))
        return server

    def tcp(
        self, path: str, target: tuple[str, int], server: socket.socket, patience: float = PATIENCE
    ) -> str | None:
        """Talks from a namespace to `target`; the address `server` sees, or None where it hears nothing."""
        client = self.open_socket(path)
        client.settimeout(patience)
        server.settimeout(patience)
        token = f"ping {next(_numbers)}".encode()
        try:
            client.connect(target)
            client.sendall(token)
            while True:
                accepted, peer = server.accept()
                accepted.settimeout(PATIENCE)
                with accepted:
                    # A connection given up earlier may have come through after all.
                    if accepted.recv(64) != token:
                        continue
                    accepted.sendall(b"pong")
                    assert client.recv(16) == b"pong"
                    return str(peer[0])
        except OSError:
            return None
        finally:
            client.close()

    def udp(
        self, path: str, target: tuple[str, int], server: socket.socket, patience: float = PATIENCE
    ) -> str | None:
        """As `tcp`, with datagrams. The client is connected: the answer must come from `target`."""
        client = self.open_socket(path, socket.SOCK_DGRAM)
        client.settimeout(patience)
        server.settimeout(patience)
        token = f"ping {next(_numbers)}".encode()
        try:
            client.connect(target)
            client.send(token)
            data = b""
            while data != token:
                data, peer = server.recvfrom(64)
            server.sendto(b"pong", peer)
            assert client.recv(16) == b"pong"
            return str(peer[0])
        except OSError:
            return None
        finally:
            client.close()

    # --- the engine's part

    async def networks(
        self,
        database: Database | None = None,
        settings: NetworkSettings | None = None,
        directory: str = "",
    ) -> Networks:
        """The room under test, open. To be called on the host."""
        networks = Networks(
            settings or NetworkSettings(bridge="ldt0", bip=f"{GATEWAY}/24"),
            database or Database(":memory:"),
            directory or f"{self.directory}/netns",
        )
        self._engines.append(networks)
        await networks.open()
        return networks

    async def settled(self, networks: Networks) -> None:
        """Waits until the kernel has removed what containers left."""
        members = len(networks.inspect("bridge").containers)
        await eventually(lambda: sum(name.startswith("veth") for name in self.links()) == members)

    async def close_engine(self, networks: Networks) -> None:
        """A clean stop before the scenario ends."""
        self._engines.remove(networks)
        await networks.close()

    def take_loopback_away(self, path: str) -> None:
        """Makes a container send what it has for 127.0.0.1 to its gateway."""

        def take() -> None:
            namespaces.write_sysctl(_LOOPBACK_IS_ROUTED, "1")
            with contextlib.closing(netlink.Socket()) as route:
                route.send(netlink.delete_address(1, IPv4Interface("127.0.0.1/8")))

        self.inside(path, take)


_FILTERED = "net.bridge.bridge-nf-call-iptables"
_LOOPBACK_IS_ROUTED = "net.ipv4.conf.all.route_localnet"


def container(number: int) -> str:
    """A container's ID."""
    return f"{number:064x}"


def request(number: int, *ports: str, **more: Any) -> ConnectRequest:
    """What `docker run -p PORT …` asks; each port as "[[ADDRESS:]HOST:]CONTAINER[/PROTOCOL]"."""
    bindings: dict[str, list[PortBinding] | None] = {}
    for text in ports:
        host, _, target = text.rpartition(":")
        address, _, port = host.rpartition(":")
        target = target if "/" in target else f"{target}/tcp"
        present = bindings.get(target) or []
        bindings[target] = [*present, PortBinding(host_ip=address, host_port=port)]
    return ConnectRequest(
        container_id=container(number), container_name=f"c{number}", port_bindings=bindings, **more
    )


async def eventually(condition: Callable[[], bool], seconds: float = 5) -> None:
    """Waits for something that another party does in its own time."""
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.02)


def host_ports(sandbox: Sandbox, target: str) -> list[int]:
    """The host ports that lead to a container's port."""
    return [int(binding["HostPort"]) for binding in sandbox.ports[target] or ()]


__all__ = ["GATEWAY", "HOST", "NEIGHBOUR", "World", "container", "eventually", "host_ports", "request"]
