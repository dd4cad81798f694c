"""What containers notice of an engine that dies: nothing. What the next one leaves of it: nothing."""

import contextlib
import json
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.network.world import BRIEFLY, GATEWAY, HOST, NEIGHBOUR, World, container, request

from lading.linux import namespaces, netlink
from lading.network import ConnectRequest, Sandbox
from lading.state import Database

_REPOSITORY = Path(__file__).parents[2]


class Engine:
    """The room in a process of its own."""

    def __init__(self, world: World, database: Path) -> None:
        command = [sys.executable, "-m", "tests.network.engine_process"]
        arguments = [world.host, str(database), f"{world.directory}/netns", "ldt0", f"{GATEWAY}/24"]
        self._process = subprocess.Popen(
            command + arguments, cwd=_REPOSITORY, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        assert self._answer() == "open"

    def _answer(self) -> Any:
        assert self._process.stdout is not None
        return json.loads(self._process.stdout.readline())

    def tell(self, verb: str, argument: object) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(msgspec.json.encode([verb, argument]) + b"\n")
        self._process.stdin.flush()

    def connect(self, asked: ConnectRequest) -> Sandbox:
        self.tell("connect", asked)
        return msgspec.convert(self._answer(), Sandbox)

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                with contextlib.suppress(BrokenPipeError):
                    stream.close()


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """Where the records are."""
    return tmp_path / "state.db"


@contextlib.contextmanager
def _engine(world: World, database: Path) -> Iterator[Engine]:
    engine = Engine(world, database)
    try:
        yield engine
    finally:
        engine.kill()


def test_connections_outlive_the_engine_and_its_successor(world: World, database: Path) -> None:
    with _engine(world, database) as engine:
        sandbox = engine.connect(request(1, "8080:80", "8053:53/udp"))
        server = world.listen(sandbox.netns_path, 80)
        client = world.open_socket(world.neighbour)
        client.connect((HOST, 8080))
        accepted, _ = server.accept()
        engine.kill()

    def talk() -> None:
        client.sendall(b"still there?")
        assert accepted.recv(64) == b"still there?"

    talk()
    assert world.tcp(world.neighbour, (HOST, 8080), server) == NEIGHBOUR, "new ones come in meanwhile"

    async def scenario() -> None:
        networks = await world.networks(Database(str(database)))
        talk()
        await networks.sweep([container(1)])
        talk()
        assert world.tcp(world.neighbour, (HOST, 8080), server) == NEIGHBOUR
        joined = networks.joined(container(1))
        assert joined is not None
        assert joined.netns_path == sandbox.netns_path
        assert joined.ports == sandbox.ports
        # Its address and ports are still its own.
        other = await networks.connect(request(2))
        assert other.address != sandbox.address
        for kind, port in ((socket.SOCK_STREAM, 8080), (socket.SOCK_DGRAM, 8053)):
            rival = world.open_socket(world.host, kind)
            if kind == socket.SOCK_STREAM:
                rival.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            with pytest.raises(OSError, match="in use"):
                rival.bind(("0.0.0.0", port))

    world.run(scenario)
    accepted.close()


def test_what_was_broken_meanwhile_is_mended(world: World, database: Path) -> None:
    with _engine(world, database) as engine:
        sandbox = engine.connect(request(1, "8080:80"))
        plain = engine.connect(request(2))
    world.nft("flush ruleset\n")

    def break_links() -> None:
        with contextlib.closing(netlink.Socket()) as route:
            route.send(netlink.delete_link("ldt0"))
            (link,) = [
                link for link in netlink.links(route) if link.name == f"veth{plain.endpoint.endpoint_id[:7]}"
            ]
            route.send(netlink.delete_link(link.name))

    world.inside(world.host, break_links)
    server = world.listen(sandbox.netns_path, 80)
    assert world.tcp(world.neighbour, (HOST, 8080), server, BRIEFLY) is None

    async def scenario() -> None:
        networks = await world.networks(Database(str(database)))
        await networks.sweep([container(1), container(2)])
        assert world.tcp(world.neighbour, (HOST, 8080), server) == NEIGHBOUR
        outside = world.listen(world.neighbour, 9000)
        for box in (sandbox, plain):
            assert world.tcp(box.netns_path, (NEIGHBOUR, 9000), outside) == HOST

    world.run(scenario)


def test_a_port_somebody_took_meanwhile_stays_published(world: World, database: Path) -> None:
    with _engine(world, database) as engine:
        sandbox = engine.connect(request(1, "8080:80"))
    world.listen(world.host, 8080)

    async def scenario() -> None:
        networks = await world.networks(Database(str(database)))
        await networks.sweep([container(1)])
        assert world.tcp(world.neighbour, (HOST, 8080), world.listen(sandbox.netns_path, 80)) == NEIGHBOUR

    world.run(scenario)


def test_what_ended_containers_held_is_given_back(world: World, database: Path) -> None:
    before = world.links()
    with _engine(world, database) as engine:
        for number in range(3):
            engine.connect(request(number, f"808{number}:80"))
        engine.connect(request(7, mode="none"))
        engine.connect(request(8, mode="host"))
    stray = f"{world.directory}/netns/0123456789ab"
    namespaces.in_own_thread(lambda: namespaces.create_netns(stray, lambda: None))

    async def scenario() -> None:
        networks = await world.networks(Database(str(database)))
        await networks.sweep([])
        assert networks.inspect("bridge").containers == {}
        await world.settled(networks)
        again = await networks.connect(request(4, "8080:80"))
        assert stray not in world.sandboxes()
        await networks.release(container(4))
        assert again.ports["80/tcp"] == [{"HostIp": "0.0.0.0", "HostPort": "8080"}]

    world.run(scenario)
    assert world.links() == before
    assert world.ruleset() == []
    assert world.sandboxes() == set()
    rows = Database(str(database)).query("SELECT 1 FROM endpoints UNION ALL SELECT 1 FROM port_leases")
    assert rows == []


def test_a_link_without_a_record_is_removed(world: World, database: Path) -> None:
    with _engine(world, database) as engine:
        engine.connect(request(1))
    stray = f"{world.directory}/netns/0123456789ab"
    namespaces.in_own_thread(lambda: namespaces.create_netns(stray, lambda: None))

    def make_link() -> None:
        with contextlib.closing(netlink.Socket()) as route:
            bridge = netlink.link(route, "ldt0")
            assert bridge is not None
            mac, inside = "02:42:0a:e7:01:fe", kept_alive.fileno()
            route.send(netlink.make_veth(netlink.Veth("veth0abcdef", bridge.index, 0, "eth0", mac, inside)))

    async def scenario() -> None:
        networks = await world.networks(Database(str(database)))
        await networks.sweep([container(1)])
        await world.settled(networks)

    with open(stray) as kept_alive:
        world.inside(world.host, make_link)
        world.run(scenario)


def test_killed_at_any_moment_nothing_leaks(world: World, database: Path) -> None:
    before = world.links()
    sandbox = None
    for round_ in range(8):
        with _engine(world, database) as engine:
            if sandbox is None:
                sandbox = engine.connect(request(1, "8080:80"))
            engine.tell("churn", 100)
            time.sleep(0.02 + round_ * 0.013)
        assert sandbox is not None
        server = world.listen(sandbox.netns_path, 80)

        async def after_the_kill(server: socket.socket = server) -> None:
            networks = await world.networks(Database(str(database)))
            await networks.sweep([container(1)])
            assert set(networks.inspect("bridge").containers) == {container(1)}
            await world.settled(networks)
            assert world.tcp(world.neighbour, (HOST, 8080), server) == NEIGHBOUR
            elements = [
                element for entry in world.ruleset() for element in entry.get("map", {}).get("elem", ())
            ]
            assert len(elements) == 1

        world.run(after_the_kill)
        server.close()
        assert len(world.sandboxes()) == 1, "spares go with the engine, the container's stays"

    async def at_last() -> None:
        networks = await world.networks(Database(str(database)))
        await networks.sweep([])

    world.run(at_last)
    assert world.links() == before
    assert world.sandboxes() == set()


def test_a_namespace_somebody_keeps_alive_loses_its_link(world: World) -> None:
    async def scenario() -> None:
        networks = await world.networks()
        sandbox = await networks.connect(request(1))
        # As a container that shares the sandbox would.
        with open(sandbox.netns_path):
            await networks.release(container(1))
            await world.settled(networks)

    world.run(scenario)


def test_after_the_machine_itself_restarted(world: World, database: Path) -> None:
    with _engine(world, database) as engine:
        sandbox = engine.connect(request(1, "8080:80"))
    for path in world.sandboxes():
        namespaces.delete_netns(path)
    world.nft("flush ruleset\n")
    world.inside(world.host, lambda: _delete_link("ldt0"))
    rival = world.listen(world.host, 8080)

    async def scenario() -> None:
        networks = await world.networks(Database(str(database)))
        await networks.sweep([])
        assert world.tcp(world.neighbour, (HOST, 8080), rival) == NEIGHBOUR
        rival.close()
        again = await networks.connect(request(1, "8080:80"))
        assert world.tcp(world.neighbour, (HOST, 8080), world.listen(again.netns_path, 80)) == NEIGHBOUR
        assert again.gateway == sandbox.gateway

    world.run(scenario)


def _delete_link(name: str) -> None:
    with contextlib.closing(netlink.Socket()) as route:
        route.send(netlink.delete_link(name))
