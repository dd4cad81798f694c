"""Who reaches whom, with real sockets."""

import socket
from collections.abc import Callable

import pytest
from tests.network.world import BRIEFLY, GATEWAY, HOST, NEIGHBOUR, PATIENCE, World, container, request

from lading.errors import NotFound
from lading.network import NetworkSettings, Sandbox

Talk = Callable[[str, tuple[str, int], socket.socket], str | None]


def test_a_container_reaches_out_behind_the_hosts_address(world: World) -> None:
    server = world.listen(world.neighbour, 9000)
    datagrams = world.bind_udp(world.neighbour, 9000)

    async def scenario() -> None:
        networks = await world.networks()
        sandbox = await networks.connect(request(1))
        assert world.tcp(sandbox.netns_path, (NEIGHBOUR, 9000), server) == HOST
        assert world.udp(sandbox.netns_path, (NEIGHBOUR, 9000), datagrams) == HOST

    world.run(scenario)


def test_without_masquerading_a_container_shows_its_own_address(world: World) -> None:
    server = world.listen(world.neighbour, 9000)

    async def scenario() -> None:
        settings = NetworkSettings(bridge="ldt0", bip=f"{GATEWAY}/24", ip_masq=False)
        networks = await world.networks(settings=settings)
        sandbox = await networks.connect(request(1))
        assert world.tcp(sandbox.netns_path, (NEIGHBOUR, 9000), server) == sandbox.address

    world.run(scenario)


@pytest.mark.parametrize("protocol", ["tcp", "udp"])
@pytest.mark.parametrize("icc", [True, False], ids=["icc", "no-icc"])
def test_a_published_port_is_reached_from_everywhere(either_world: World, protocol: str, icc: bool) -> None:
    world = either_world

    async def scenario() -> None:
        settings = NetworkSettings(bridge="ldt0", bip=f"{GATEWAY}/24", icc=icc)
        networks = await world.networks(settings=settings)
        server_box = await networks.connect(request(1, f"8080:80/{protocol}"))
        other_box = await networks.connect(request(2))
        if protocol == "tcp":
            server, talk = world.listen(server_box.netns_path, 80), world.tcp
        else:
            server, talk = world.bind_udp(server_box.netns_path, 80), world.udp

        assert talk(world.neighbour, (HOST, 8080), server) == NEIGHBOUR
        assert talk(world.host, ("127.0.0.1", 8080), server) == GATEWAY
        assert talk(world.host, ("127.8.9.10", 8080), server) == GATEWAY
        assert talk(world.host, (HOST, 8080), server) == HOST
        assert talk(world.host, (GATEWAY, 8080), server) == GATEWAY
        assert talk(server_box.netns_path, (HOST, 8080), server) == GATEWAY, "from the container itself"
        assert talk(server_box.netns_path, (GATEWAY, 8080), server) == GATEWAY, "from the container itself"
        assert talk(other_box.netns_path, (HOST, 8080), server) == GATEWAY, "from another container"

        await networks.release(container(1))
        assert talk(world.neighbour, (HOST, 8080), server, BRIEFLY) is None

    world.run(scenario)


def test_containers_reach_each_other_unless_told_otherwise(either_world: World) -> None:
    world = either_world

    async def scenario(icc: bool) -> str | None:
        settings = NetworkSettings(bridge="ldt0", bip=f"{GATEWAY}/24", icc=icc)
        networks = await world.networks(settings=settings)
        first = await networks.connect(request(1))
        second = await networks.connect(request(2))
        server = world.listen(first.netns_path, 80)
        seen = world.tcp(second.netns_path, (first.address, 80), server, PATIENCE if icc else BRIEFLY)
        assert seen in (None, second.address)
        for number in (1, 2):
            await networks.release(container(number))
        await world.close_engine(networks)
        return seen

    assert world.run(lambda: scenario(True)) is not None
    assert world.run(lambda: scenario(False)) is None


def test_a_neighbour_cannot_route_into_the_bridge(world: World) -> None:
    async def scenario() -> None:
        networks = await world.networks()
        sandbox = await networks.connect(request(1, "8080:80"))
        hidden, published = world.listen(sandbox.netns_path, 90), world.listen(sandbox.netns_path, 80)
        assert world.tcp(world.host, (sandbox.address, 90), hidden) == GATEWAY, "the host itself may"
        assert world.tcp(world.neighbour, (sandbox.address, 90), hidden, BRIEFLY) is None
        assert world.tcp(world.neighbour, (sandbox.address, 80), published, BRIEFLY) is None
        assert world.tcp(world.neighbour, (HOST, 8080), published) == NEIGHBOUR

    world.run(scenario)


def test_a_port_published_on_loopback_stays_there(world: World) -> None:
    async def scenario() -> None:
        networks = await world.networks()
        sandbox = await networks.connect(request(1, "127.0.0.1:8080:80", "127.0.0.1:8053:53/udp"))
        other = await networks.connect(request(2))
        server = world.listen(sandbox.netns_path, 80)
        datagrams = world.bind_udp(sandbox.netns_path, 53)
        assert world.tcp(world.host, ("127.0.0.1", 8080), server) == GATEWAY
        assert world.udp(world.host, ("127.0.0.1", 8053), datagrams) == GATEWAY
        for source in (world.neighbour, other.netns_path):
            assert world.tcp(source, (HOST, 8080), server, BRIEFLY) is None
        # The neighbour has no loopback of its own: what it sends to 127.0.0.1 goes to the host.
        assert world.tcp(world.neighbour, ("127.0.0.1", 8080), server, BRIEFLY) is None
        assert world.udp(world.neighbour, ("127.0.0.1", 8053), datagrams, BRIEFLY) is None

    world.run(scenario)


def test_a_port_published_on_one_address_is_not_on_the_others(world: World) -> None:
    async def scenario() -> None:
        networks = await world.networks()
        sandbox = await networks.connect(request(1, f"{HOST}:8080:80"))
        server = world.listen(sandbox.netns_path, 80)
        assert world.tcp(world.neighbour, (HOST, 8080), server) == NEIGHBOUR
        assert world.tcp(world.host, ("127.0.0.1", 8080), server, BRIEFLY) is None
        assert world.tcp(world.host, (GATEWAY, 8080), server, BRIEFLY) is None

    world.run(scenario)


def test_a_container_cannot_reach_the_hosts_loopback(world: World) -> None:
    secret = world.listen(world.host, 7000, "127.0.0.1")
    datagrams = world.bind_udp(world.host, 7000, "127.0.0.1")

    async def scenario() -> None:
        networks = await world.networks()
        sandbox = await networks.connect(request(1))
        world.take_loopback_away(sandbox.netns_path)
        assert world.tcp(sandbox.netns_path, ("127.0.0.1", 7000), secret, BRIEFLY) is None
        assert world.udp(sandbox.netns_path, ("127.0.0.1", 7000), datagrams, BRIEFLY) is None

    world.run(scenario)


def test_a_datagram_flow_follows_a_newly_published_port(world: World) -> None:
    on_host = world.bind_udp(world.host, 8053, HOST)
    client = world.open_socket(world.neighbour, socket.SOCK_DGRAM)
    client.connect((HOST, 8053))

    async def scenario() -> None:
        networks = await world.networks()
        client.send(b"before")
        assert on_host.recv(16) == b"before"
        on_host.close()
        sandbox = await networks.connect(request(1, "8053:53/udp"))
        server = world.bind_udp(sandbox.netns_path, 53)
        client.send(b"in between")
        assert server.recv(16) == b"in between"
        await networks.release(container(1))
        again = world.bind_udp(world.host, 8053, HOST)
        client.send(b"after")
        assert again.recv(16) == b"after"

    world.run(scenario)


def test_none_has_a_loopback_and_nothing_else(world: World) -> None:
    async def scenario() -> None:
        networks = await world.networks()
        sandbox = await networks.connect(request(1, "8080:80", mode="none"))
        assert sandbox.address == ""
        assert sandbox.ports == {}
        server = world.listen(sandbox.netns_path, 80)
        assert world.tcp(sandbox.netns_path, ("127.0.0.1", 80), server) == "127.0.0.1"
        assert world.tcp(sandbox.netns_path, (GATEWAY, 80), server, BRIEFLY) is None
        assert world.tcp(world.host, ("127.0.0.1", 8080), server, BRIEFLY) is None

    world.run(scenario)


def test_host_mode_needs_no_sandbox(world: World) -> None:
    async def scenario() -> Sandbox:
        networks = await world.networks()
        before = world.sandboxes()
        sandbox = await networks.connect(request(1, mode="host"))
        assert world.sandboxes() == before
        return sandbox

    sandbox = world.run(scenario)
    assert sandbox.netns_path == ""
    assert sandbox.network_name == "host"


def test_a_network_that_is_not_there(world: World) -> None:
    async def scenario() -> None:
        networks = await world.networks()
        with pytest.raises(NotFound, match="network blue not found"):
            await networks.connect(request(1, mode="blue"))

    world.run(scenario)
