"""Networks of users' own: what gets through to their containers, and what does not."""

from typing import Any

from tests.network.world import BRIEFLY, NEIGHBOUR, World, container, eventually, host_ports, request

from lading.network import Networks
from lading.schema.container import EndpointSettings
from lading.schema.network import IPAM, IPAMConfig, NetworkCreateBody
from lading.state import Database

_MODE = "com.docker.network.bridge.gateway_mode_ipv4"


async def _create(networks: Networks, name: str, subnet: str, **more: Any) -> str:
    ipam = IPAM(config=[IPAMConfig(subnet=subnet)])
    return await networks.create(NetworkCreateBody(name=name, ipam=ipam, **more))


def test_ports_are_published_and_the_rest_is_closed(either_world: World) -> None:
    world = either_world

    async def scenario() -> None:
        networks = await world.networks()
        await _create(networks, "blue", "10.231.2.0/24")
        sandbox = await networks.connect(request(1, "80", mode="blue"))
        [port] = host_ports(sandbox, "80/tcp")
        server, hidden = world.listen(sandbox.netns_path, 80), world.listen(sandbox.netns_path, 81)
        assert world.tcp(world.neighbour, ("10.231.240.1", port), server) == NEIGHBOUR
        assert world.tcp(world.host, ("127.0.0.1", port), server)
        assert world.tcp(world.neighbour, (sandbox.address, 81), hidden, BRIEFLY) is None
        outside = world.listen(world.neighbour, 9000)
        assert world.tcp(sandbox.netns_path, (NEIGHBOUR, 9000), outside) == "10.231.240.1"

    world.run(scenario)


def test_networks_do_not_reach_each_other(either_world: World) -> None:
    world = either_world

    async def scenario() -> None:
        networks = await world.networks()
        await _create(networks, "blue", "10.231.2.0/24")
        await _create(networks, "green", "10.231.3.0/24")
        await _create(networks, "open", "10.231.4.0/24", options={_MODE: "nat-unprotected"})
        blue = await networks.connect(request(1, "80", mode="blue"))
        green = await networks.connect(request(2, mode="green"))
        plain = await networks.connect(request(3))
        opened = await networks.connect(request(4, mode="open"))
        server = world.listen(blue.netns_path, 80)
        wide = world.listen(opened.netns_path, 81)
        for other in (green, plain, opened):
            assert world.tcp(other.netns_path, (blue.address, 80), server, BRIEFLY) is None
        for other in (green, plain):
            assert world.tcp(other.netns_path, (opened.address, 81), wide, BRIEFLY) is None
        [port] = host_ports(blue, "80/tcp")
        assert world.tcp(green.netns_path, ("10.231.240.1", port), server), "by the host's address they may"
        assert world.tcp(world.neighbour, (opened.address, 81), wide), "from outside it is unprotected"

    world.run(scenario)


def test_a_routed_network(world: World) -> None:
    async def scenario() -> None:
        networks = await world.networks()
        await _create(networks, "blue", "10.231.2.0/24", options={_MODE: "routed"})
        sandbox = await networks.connect(request(1, "8080:80", mode="blue"))
        assert host_ports(sandbox, "80/tcp") == []
        server, hidden = world.listen(sandbox.netns_path, 80), world.listen(sandbox.netns_path, 81)
        assert world.tcp(world.neighbour, (sandbox.address, 80), server) == NEIGHBOUR
        assert world.tcp(world.neighbour, (sandbox.address, 81), hidden, BRIEFLY) is None
        outside = world.listen(world.neighbour, 9000)
        assert world.tcp(sandbox.netns_path, (NEIGHBOUR, 9000), outside) == sandbox.address
        await networks.release(container(1))
        again = await networks.connect(request(2, mode="blue"))
        late = world.listen(again.netns_path, 80)
        assert world.tcp(world.neighbour, (again.address, 80), late, BRIEFLY) is None

    world.run(scenario)


def test_an_internal_network(either_world: World) -> None:
    world = either_world

    async def scenario() -> None:
        networks = await world.networks()
        await _create(networks, "inside", "10.231.2.0/24", internal=True)
        one = await networks.connect(request(1, "80", mode="inside"))
        two = await networks.connect(request(2, mode="inside"))
        server = world.listen(one.netns_path, 80)
        assert world.tcp(two.netns_path, (one.address, 80), server) == two.address
        assert world.tcp(world.neighbour, (one.address, 80), server, BRIEFLY) is None
        outside = world.listen(world.neighbour, 9000)
        assert world.tcp(one.netns_path, (NEIGHBOUR, 9000), outside, BRIEFLY) is None

    world.run(scenario)


def test_a_published_port_follows_the_network_that_leads_out(world: World) -> None:
    async def scenario() -> None:
        networks = await world.networks()
        await _create(networks, "green", "10.231.2.0/24")
        await _create(networks, "blue", "10.231.3.0/24")
        asked = request(1, "8080:80", mode="green")
        sandbox = await networks.connect(asked)
        server = world.listen(sandbox.netns_path, 80)
        target = ("10.231.240.1", 8080)
        assert world.tcp(world.neighbour, target, server) == NEIGHBOUR
        more = request(1, "8080:80")
        more.networks = {"blue": EndpointSettings()}
        joined = await networks.attach(more)
        assert joined.network_name == "blue"
        assert world.tcp(world.neighbour, target, server) == NEIGHBOUR
        assert (await networks.detach(more, "blue")).network_name == "green"
        assert world.tcp(world.neighbour, target, server) == NEIGHBOUR

    world.run(scenario)


def test_networks_come_back_with_the_engine(world: World) -> None:
    async def scenario() -> None:
        database = Database(":memory:")
        networks = await world.networks(database)
        identifier = await _create(networks, "blue", "10.231.2.0/24")
        sandbox = await networks.connect(request(1, "8080:80", mode="blue"))
        await world.close_engine(networks)
        world.nft(f"delete table inet lading-br-{identifier[:12]}")
        again = await world.networks(database)
        assert again.joined(container(1)) == sandbox
        server = world.listen(sandbox.netns_path, 80)
        assert world.tcp(world.neighbour, ("10.231.240.1", 8080), server) == NEIGHBOUR
        await again.release(container(1))
        await again.remove("blue")
        assert f"br-{identifier[:12]}" not in world.links()

    world.run(scenario)


def test_rules_that_somebody_flushed_come_back(world: World) -> None:
    async def scenario() -> None:
        networks = await world.networks()
        await _create(networks, "blue", "10.231.2.0/24")
        sandbox = await networks.connect(request(1, "8080:80", mode="blue"))
        server = world.listen(sandbox.netns_path, 80)
        world.nft("flush ruleset")
        tables = [entry["table"]["name"] for entry in world.ruleset() if "table" in entry]
        assert tables == []

        def back() -> bool:
            names = {entry["table"]["name"] for entry in world.ruleset() if "table" in entry}
            return len([name for name in names if name.startswith("lading-")]) == 2

        await eventually(back)
        assert world.tcp(world.neighbour, ("10.231.240.1", 8080), server) == NEIGHBOUR

    world.run(scenario)
