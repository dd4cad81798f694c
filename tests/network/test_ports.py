"""Host ports: which are given, which are refused, and that a refusal leaves nothing behind."""

import asyncio
import contextlib
import errno
import re
import socket

import pytest
from tests.network.world import HOST, World, container, host_ports, request

from lading.errors import InternalError, InvalidParameter
from lading.linux import namespaces
from lading.network import NetworkSettings
from lading.network.ports import Lease, Wish
from lading.network.reservations import Reservations
from lading.schema.container import EndpointSettings


def _refusal(name: str, reason: str) -> str:
    return (
        re.escape(f"driver failed programming external connectivity on endpoint {name} (")
        + r"[0-9a-f]{64}\): "
        + re.escape(reason)
        + r"\Z"
    )


def test_a_port_another_program_has(world: World) -> None:
    world.listen(world.host, 8080)
    world.bind_udp(world.host, 8053, HOST)

    async def scenario() -> None:
        networks = await world.networks()
        taken = "failed to bind host port for 0.0.0.0:8080:10.231.1.2:80/tcp: address already in use"
        with pytest.raises(InternalError, match=_refusal("c1", taken)):
            await networks.connect(request(1, "8080:80"))
        taken = "failed to bind host port for 0.0.0.0:8053:10.231.1.3:53/udp: address already in use"
        with pytest.raises(InternalError, match=_refusal("c1", taken)):
            await networks.connect(request(1, "8053:53/udp"))

    world.run(scenario)


def test_a_port_another_container_has(world: World) -> None:
    async def scenario() -> None:
        networks = await world.networks()
        await networks.connect(request(1, "8080:80", "127.0.0.1:9090:90"))
        for port, shown in (
            ("8080:80", "0.0.0.0:8080"),
            ("127.0.0.1:8080:80", "127.0.0.1:8080"),
            ("9090:1", "0.0.0.0:9090"),
        ):
            with pytest.raises(
                InternalError, match=_refusal("c2", f"Bind for {shown} failed: port is already allocated")
            ):
                await networks.connect(request(2, port))
        await networks.connect(request(2, "8080:80/udp", f"{HOST}:9090:90"))
        await networks.release(container(1))
        await networks.connect(request(1, "8080:80"))

    world.run(scenario)


def test_an_address_the_host_does_not_have(world: World) -> None:
    async def scenario() -> None:
        networks = await world.networks()
        reason = "failed to bind host port for 10.9.9.9:80:10.231.1.2:80/tcp: cannot assign requested address"
        with pytest.raises(InternalError, match=_refusal("c1", reason)):
            await networks.connect(request(1, "10.9.9.9:80:80"))
        with pytest.raises(InvalidParameter, match="no IPv6"):
            await networks.connect(request(1, "[::1]:80:80"))

    world.run(scenario)


def test_a_refusal_leaves_nothing_behind(world: World) -> None:
    world.listen(world.host, 8081)

    async def scenario() -> None:
        networks = await world.networks()
        links, spaces, rules = world.links(), len(world.sandboxes()), world.ruleset()
        for _ in range(3):
            with pytest.raises(InternalError):
                await networks.connect(request(1, "8080:80", "8081:81", "82"))
        assert networks.joined(container(1)) is None
        assert networks.inspect("bridge").containers == {}
        await networks.connect(request(2, "8080:80"))
        await networks.release(container(2))
        await world.settled(networks)
        assert (world.links(), world.ruleset()) == (links, rules)
        assert len(world.sandboxes()) <= spaces

    world.run(scenario)


def test_a_range_gives_the_first_free_port(world: World) -> None:
    world.listen(world.host, 8000)

    async def scenario() -> None:
        networks = await world.networks()
        given = [
            host_ports(await networks.connect(request(number, "8000-8002:80")), "80/tcp") for number in (1, 2)
        ]
        assert given == [[8001], [8002]]
        reason = "Bind for 0.0.0.0:8000-8002 failed: all ports are allocated"
        with pytest.raises(InternalError, match=_refusal("c3", reason)):
            await networks.connect(request(3, "8000-8002:80"))

    world.run(scenario)


def test_every_exposed_port_gets_a_port_of_its_own(world: World) -> None:
    async def scenario() -> None:
        networks = await world.networks()
        asked = request(1, "8080:80", exposed_ports={"80/tcp": {}, "81": {}, "53/udp": {}}, publish_all=True)
        sandbox = await networks.connect(asked)
        assert host_ports(sandbox, "80/tcp") == [8080]
        (random,) = host_ports(sandbox, "81/tcp")
        assert random >= 32768
        assert world.tcp(world.neighbour, (HOST, random), world.listen(sandbox.netns_path, 81))
        (datagrams,) = host_ports(sandbox, "53/udp")
        assert world.udp(world.neighbour, (HOST, datagrams), world.bind_udp(sandbox.netns_path, 53))
        other = await networks.connect(request(2, exposed_ports={"81": {}}))
        assert other.ports == {"81/tcp": None}

    world.run(scenario)


def test_nobody_else_gets_a_published_port(world: World) -> None:
    async def scenario() -> None:
        networks = await world.networks()
        await networks.connect(request(1, "8080:80", "8053:53/udp"))
        for kind, port in ((socket.SOCK_STREAM, 8080), (socket.SOCK_DGRAM, 8053)):
            rival = world.open_socket(world.host, kind)
            if kind == socket.SOCK_STREAM:
                rival.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            with pytest.raises(OSError) as refused:
                rival.bind(("0.0.0.0", port))
            assert refused.value.errno == errno.EADDRINUSE
        await networks.release(container(1))
        world.listen(world.host, 8080)
        world.bind_udp(world.host, 8053)

    world.run(scenario)


def test_many_ports_of_many_containers(world: World) -> None:
    async def scenario() -> None:
        networks = await world.networks()
        sandboxes = [
            await networks.connect(request(number, *(f"{number}{port}:{port}" for port in range(100, 120))))
            for number in range(10, 15)
        ]
        server = world.listen(sandboxes[3].netns_path, 117)
        assert world.tcp(world.neighbour, (HOST, 13117), server)

    world.run(scenario)


def test_a_port_is_compared_with_its_equals_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """A container may publish ten thousand ports: to compare each with each takes seconds."""
    compared: list[tuple[Lease, Lease]] = []
    clashes = Lease.clashes

    def counted(one: Lease, other: Lease) -> bool:
        compared.append((one, other))
        return clashes(one, other)

    monkeypatch.setattr(Lease, "clashes", counted)
    reservations = Reservations()
    try:
        leases = [reservations.take(Wish("udp", 80, "127.0.0.1", 0, 0), "") for _ in range(300)]
        assert compared == []
        first = leases[0]
        wish = Wish("udp", 81, "0.0.0.0", first.port, first.port)
        with pytest.raises(InternalError, match="already allocated"):
            reservations.take(wish, "")
        assert [other for _, other in compared] == [first]
        reservations.give_back(leases)
        reservations.take(wish, "")
    finally:
        reservations.close()


def test_an_address_is_not_given_twice(world: World) -> None:
    async def scenario() -> None:
        settings = NetworkSettings(bridge="ldt0", bip="10.231.1.1/24", fixed_cidr="10.231.1.128/30")
        networks = await world.networks(settings=settings)
        for _ in range(5):
            with pytest.raises(InternalError):
                await networks.connect(request(8, "10.9.9.9:80:80"))
        given = [(await networks.connect(request(number))).address for number in range(4)]
        assert sorted(given) == [f"10.231.1.{last}" for last in (128, 129, 130, 131)]
        with pytest.raises(InternalError, match="no available IPv4 addresses"):
            await networks.connect(request(9))
        await networks.release(container(2))
        assert (await networks.connect(request(9))).address == given[2]

    world.run(scenario)


def test_a_container_may_have_a_hardware_address_of_its_own(world: World) -> None:
    async def scenario() -> None:
        networks = await world.networks()
        settings = EndpointSettings(mac_address="02-AA-bb-cc-dd-ee")
        sandbox = await networks.connect(request(1, settings=settings))
        assert sandbox.endpoint.mac_address == "02:aa:bb:cc:dd:ee"
        assert world.interface(sandbox.netns_path).mac == "02:aa:bb:cc:dd:ee"
        plain = await networks.connect(request(2))
        assert world.interface(plain.netns_path).mac == "02:42:0a:e7:01:03"

    world.run(scenario)


def test_a_start_that_is_given_up_leaves_nothing_behind(world: World) -> None:
    async def scenario() -> None:
        networks = await world.networks()
        rules = world.ruleset()
        for delay in (0, 0, 0.0003, 0.0006, 0.001, 0.002):
            start = asyncio.create_task(networks.connect(request(1, "8080:80", "8053:53/udp")))
            await asyncio.sleep(delay)
            start.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await start
                await networks.release(container(1))
        await world.settled(networks)
        assert networks.joined(container(1)) is None
        assert world.ruleset() == rules
        sandbox = await networks.connect(request(1, "8080:80"))
        assert world.tcp(world.neighbour, (HOST, 8080), world.listen(sandbox.netns_path, 80))

    world.run(scenario)


def test_kernel_parameters_of_the_sandbox(world: World) -> None:
    async def scenario() -> None:
        networks = await world.networks()
        sandbox = await networks.connect(
            request(1, sysctls={"net.ipv4.ip_forward": "1", "kernel.msgmax": "1"})
        )
        read = namespaces.read_sysctl
        assert world.inside(sandbox.netns_path, lambda: read("net.ipv4.ip_forward")) == "1"
        assert world.inside(sandbox.netns_path, lambda: read("net.ipv6.conf.eth0.disable_ipv6")) == "1"
        with pytest.raises(InvalidParameter, match=r"cannot set sysctl net\.ipv4\.nonsense"):
            await networks.connect(request(2, "8080:80", sysctls={"net.ipv4.nonsense": "1"}))
        await networks.connect(request(2, "8080:80"))

    world.run(scenario)
