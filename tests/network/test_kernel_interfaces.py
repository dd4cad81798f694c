"""Netlink and nftables as the rooms above use them."""

import contextlib
import errno
from ipaddress import IPv4Interface

import pytest
from tests.network.world import World

from lading.linux import netlink, nftables


def test_a_refusal_says_what_and_why(world: World) -> None:
    def refuse() -> None:
        with contextlib.closing(netlink.Socket()) as route:
            bridge = netlink.make_bridge("ldt0", "02:42:00:00:00:01")
            route.send(bridge)
            with pytest.raises(netlink.NetlinkError) as refused:
                route.send(bridge)
            assert refused.value.errno == errno.EEXIST
            assert refused.value.strerror == "create bridge ldt0: File exists (EEXIST)"
            with pytest.raises(
                netlink.NetlinkError, match=r"add address 10\.0\.0\.1/24: No such device \(ENODEV\)"
            ):
                route.send(netlink.add_address(4711, IPv4Interface("10.0.0.1/24")))
            assert netlink.link(route, "ldt9") is None

    world.inside(world.host, refuse)


def test_what_follows_a_refused_message_is_carried_out(world: World) -> None:
    def send() -> None:
        with contextlib.closing(netlink.Socket()) as route:
            first, second = (netlink.make_bridge(f"ldt{n}", f"02:42:00:00:00:0{n}") for n in (1, 2))
            route.send(first)
            with pytest.raises(netlink.NetlinkError, match="create bridge ldt1"):
                route.send(first, second)
            assert netlink.link(route, "ldt2") is not None

    world.inside(world.host, send)


def test_a_list_longer_than_one_answer(world: World) -> None:
    def count() -> None:
        with contextlib.closing(netlink.Socket()) as route:
            names = [f"ldt{number}" for number in range(120)]
            route.send(
                *(netlink.make_bridge(name, f"02:42:00:00:00:{i:02x}") for i, name in enumerate(names))
            )
            assert {link.name for link in netlink.links(route) if link.kind == "bridge"} == set(names)

    world.inside(world.host, count)


def test_a_firewall_transaction_is_all_or_nothing(world: World) -> None:
    def change() -> None:
        with contextlib.closing(nftables.Nftables()) as nft:
            with pytest.raises(nftables.NftablesError, match="No such file or directory"):
                nft.run("add table inet ldt\nadd rule inet ldt nowhere accept\n")
            assert nft.list("list tables") == []
            nft.run("add table inet ldt\n")
            assert [entry["table"]["name"] for entry in nft.list("list tables")] == ["ldt"]

    world.inside(world.host, change)
