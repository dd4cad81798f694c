"""Beside other engines, firewalls and their reloads."""

from pathlib import Path

import pytest
from tests.network.world import BRIEFLY, GATEWAY, HOST, NEIGHBOUR, World, container, eventually, request

from lading.errors import Conflict, InvalidParameter
from lading.network import NetworkSettings
from lading.state import Database

_DROPPING = (
    "add table ip filter\nadd chain ip filter FORWARD { type filter hook forward priority 0; policy drop; }\n"
)
"""What iptables -P FORWARD DROP leaves, as dockerd and ufw set it."""


def test_two_engines_side_by_side(world: World) -> None:
    async def scenario() -> None:
        first = await world.networks()
        second = await world.networks(
            settings=NetworkSettings(bridge="ldt1", bip="10.231.2.1/24"),
            directory=world.make_directory("other"),
        )
        one = await first.connect(request(1, "8080:80"))
        two = await second.connect(request(1, "8081:80"))
        first_server, second_server = world.listen(one.netns_path, 80), world.listen(two.netns_path, 80)

        assert world.tcp(world.neighbour, (HOST, 8080), first_server) == NEIGHBOUR
        assert world.tcp(world.neighbour, (HOST, 8081), second_server) == NEIGHBOUR
        assert world.tcp(one.netns_path, (two.address, 80), second_server, BRIEFLY) is None, (
            "bridges are kept apart"
        )
        assert world.tcp(one.netns_path, (HOST, 8081), second_server) is not None, "published is published"

        await first.sweep([container(1)])
        await first.release(container(1))
        await world.close_engine(first)
        assert "ldt0" not in world.links()
        assert world.tcp(world.neighbour, (HOST, 8081), second_server) == NEIGHBOUR
        assert world.tcp(two.netns_path, (HOST, 8081), second_server) == "10.231.2.1"

    world.run(scenario)


def test_one_bridge_belongs_to_one_engine(world: World) -> None:
    async def scenario() -> None:
        networks = await world.networks()
        await networks.connect(request(1))
        with pytest.raises(Conflict, match="another daemon runs the bridge ldt0"):
            await world.networks(directory=world.make_directory("other"))
        assert "ldt0" in world.links()

    world.run(scenario)


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_forward_chain_that_drops(world: World, when: str) -> None:
    async def scenario() -> None:
        if when == "before":
            world.nft(_DROPPING)
        networks = await world.networks()
        sandbox = await networks.connect(request(1, "8080:80"))
        if when == "after":
            world.nft(_DROPPING)
        inside, outside = world.listen(sandbox.netns_path, 80), world.listen(world.neighbour, 9000)
        await eventually(lambda: world.tcp(world.neighbour, (HOST, 8080), inside, BRIEFLY) is not None)
        assert world.tcp(sandbox.netns_path, (NEIGHBOUR, 9000), outside) == HOST
        await networks.release(container(1))

    world.run(scenario)
    assert [entry for entry in world.ruleset() if "rule" in entry] == [], "nothing of ours is left in it"


def test_what_the_administrator_refuses_in_the_forward_chain_stays_refused(world: World) -> None:
    world.nft(_DROPPING + "add rule ip filter FORWARD tcp dport 81 drop\n")

    async def scenario() -> None:
        networks = await world.networks()
        sandbox = await networks.connect(request(1, "8080:80", "8081:81"))
        assert world.tcp(world.neighbour, (HOST, 8080), world.listen(sandbox.netns_path, 80)) == NEIGHBOUR
        assert world.tcp(world.neighbour, (HOST, 8081), world.listen(sandbox.netns_path, 81), BRIEFLY) is None

    world.run(scenario)


def test_rules_somebody_flushed_come_back(world: World) -> None:
    async def scenario() -> None:
        networks = await world.networks()
        sandbox = await networks.connect(request(1, "8080:80"))
        server = world.listen(sandbox.netns_path, 80)
        before = _content(world)
        world.nft("flush ruleset\n")
        await eventually(lambda: _content(world) == before)
        assert world.tcp(world.neighbour, (HOST, 8080), server) == NEIGHBOUR
        world.nft("flush map inet lading-ldt0 published_anywhere\n")
        await eventually(lambda: world.tcp(world.neighbour, (HOST, 8080), server, BRIEFLY) is not None)
        world.nft("flush chain inet lading-ldt0 forward\n")
        await eventually(lambda: _content(world) == before)

    world.run(scenario)


def test_publishing_after_a_flush(world: World) -> None:
    async def scenario() -> None:
        networks = await world.networks()
        await networks.connect(request(1, "8080:80"))
        world.nft("flush ruleset\n")
        sandbox = await networks.connect(request(2, "8081:80"))
        assert world.tcp(world.neighbour, (HOST, 8081), world.listen(sandbox.netns_path, 80)) == NEIGHBOUR
        world.nft("flush ruleset\n")
        await networks.release(container(1))
        second = world.listen(sandbox.netns_path, 81)
        assert world.tcp(world.host, (sandbox.address, 81), second) == GATEWAY

    world.run(scenario)


def _content(world: World) -> list[tuple[str, str, str]]:
    """The rules without the numbers the kernel gives them."""
    return [
        (kind, thing.get("chain", thing.get("name", "")), repr(thing.get("expr", thing.get("elem"))))
        for entry in world.ruleset()
        for kind, thing in entry.items()
    ]


def test_a_subnet_nobody_uses_is_chosen_and_kept(world: World, tmp_path: Path) -> None:
    async def scenario() -> str:
        networks = await world.networks(Database(str(tmp_path / "db")), NetworkSettings(bridge="ldt0"))
        sandbox = await networks.connect(request(1))
        await networks.release(container(1))
        return sandbox.gateway

    world.add_address("172.17.5.5/24")
    assert world.run(scenario) == "172.18.0.1"
    world.remove_address("172.17.5.5/24")
    assert world.run(scenario) == "172.18.0.1"
    world.add_address("172.18.0.7/28")
    assert world.run(scenario) == "172.17.0.1"


@pytest.mark.parametrize(("asked", "given"), [(0, 1400), (1300, 1300)])
def test_packets_are_as_long_as_the_way_out_takes(world: World, asked: int, given: int) -> None:
    world.set_way_out(mtu=1400)

    async def scenario() -> None:
        settings = NetworkSettings(bridge="ldt0", bip=f"{GATEWAY}/24", mtu=asked)
        networks = await world.networks(settings=settings)
        sandbox = await networks.connect(request(1))
        assert world.interface(sandbox.netns_path).mtu == given
        assert networks.inspect("bridge").options["com.docker.network.driver.mtu"] == str(given)

    world.run(scenario)


def test_a_subnet_that_would_hide_a_route_is_refused(world: World) -> None:
    async def scenario() -> None:
        await world.networks(settings=NetworkSettings(bridge="ldt0", bip="10.231.240.9/16"))

    with pytest.raises(
        InvalidParameter, match=r"bip 10\.231\.240\.9/16 overlaps the host's route to 10\.231\.240\.0/24"
    ):
        world.run(scenario)
    assert "ldt0" not in world.links()


def test_an_interface_that_is_no_bridge_is_left_alone(world: World) -> None:
    async def scenario() -> None:
        await world.networks(settings=NetworkSettings(bridge="up0", bip=f"{GATEWAY}/24"))

    with pytest.raises(Conflict, match="up0 is a network interface, but no bridge"):
        world.run(scenario)
    assert "up0" in world.links()


def test_nothing_is_left_when_no_container_needs_it(world: World) -> None:
    before = world.links()

    async def scenario() -> None:
        networks = await world.networks()
        await networks.connect(request(1, "8080:80"))
        await networks.connect(request(2, mode="none"))
        for number in (1, 2):
            await networks.release(container(number))

    world.run(scenario)
    assert world.links() == before
    assert world.ruleset() == []
    assert world.sandboxes() == set()
