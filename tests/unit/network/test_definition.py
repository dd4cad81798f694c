"""What may be asked of a new network, and which subnet it gets."""

from ipaddress import IPv4Network

import pytest

from lading.errors import Forbidden, InvalidParameter, LadingError
from lading.network.bridge_options import bridge_options
from lading.network.definition import define
from lading.network.leading import free_interface, joining_order, leading
from lading.network.parents import parent_options, tagged
from lading.network.record import EndpointRecord, NetworkRecord
from lading.network.subnets import check_free, first_free
from lading.schema.container import EndpointSettings
from lading.schema.network import IPAM, IPAMConfig, NetworkCreateBody


def _define(config: IPAMConfig) -> NetworkRecord:
    return define(NetworkCreateBody(name="blue", ipam=IPAM(config=[config])), {}, "a" * 64, 1)


@pytest.mark.parametrize(
    ("config", "address", "pool"),
    [
        (IPAMConfig(subnet="10.5.0.0/16"), "10.5.0.1/16", ""),
        (IPAMConfig(subnet="10.5.0.0/16", gateway="10.5.9.9"), "10.5.9.9/16", ""),
        (IPAMConfig(subnet="10.5.0.0/16", ip_range="10.5.3.0/24"), "10.5.3.0/16", "10.5.3.0/24"),
        (IPAMConfig(subnet="10.5.0.0/16", ip_range="10.5.0.0/24"), "10.5.0.1/16", "10.5.0.0/24"),
    ],
)
def test_gateways(config: IPAMConfig, address: str, pool: str) -> None:
    made = _define(config)
    assert (made.address, made.pool) == (address, pool)


@pytest.mark.parametrize(
    ("config", "said"),
    [
        (IPAMConfig(subnet="10.5.0.0"), "invalid subnet 10.5.0.0: invalid CIDR block notation"),
        (IPAMConfig(subnet="10.5.0.9/16"), "invalid subnet 10.5.0.9/16: it should be 10.5.0.0/16"),
        (IPAMConfig(subnet="10.5.0.0/16", ip_range="10.6.0.0/24"), "doesn't contain ip-range"),
        (IPAMConfig(subnet="10.5.0.0/16", ip_range="10.0.0.0/8"), "bigger than its parent subnet"),
        (IPAMConfig(subnet="10.5.0.0/16", gateway="10.6.0.1"), "invalid gateway 10.6.0.1: parent subnet"),
        (IPAMConfig(subnet="10.5.0.0/16", gateway="x"), "invalid gateway x: invalid address"),
        (IPAMConfig(gateway="10.6.0.1"), "a subnet is needed"),
        (IPAMConfig(subnet="fd00::/64"), "no IPv6"),
    ],
)
def test_pools_that_cannot_be(config: IPAMConfig, said: str) -> None:
    with pytest.raises(LadingError, match=said):
        _define(config)


def test_the_first_free_pool() -> None:
    taken = [IPv4Network("172.17.0.0/16"), IPv4Network("172.18.5.0/24"), IPv4Network("172.19.0.0/16")]
    assert first_free((), taken) == IPv4Network("172.20.0.0/16")
    pools = (("10.0.0.0/29", 30), ("10.1.0.0/30", 30))
    assert first_free(pools, [IPv4Network("10.0.0.0/30")]) == IPv4Network("10.0.0.4/30")
    assert first_free(pools, [IPv4Network("10.0.0.0/29")]) == IPv4Network("10.1.0.0/30")
    with pytest.raises(InvalidParameter, match="all predefined address pools have been fully subnetted"):
        first_free(pools, [IPv4Network("10.0.0.0/8")])
    with pytest.raises(Forbidden, match="Pool overlaps with other one on this address space"):
        check_free(IPv4Network("172.18.5.128/25"), taken)


def test_options() -> None:
    given = {
        "com.docker.network.bridge.enable_icc": "0",
        "com.docker.network.bridge.host_binding_ipv4": "127.0.0.1",
        "com.docker.network.driver.mtu": "1280",
        "com.docker.network.bridge.gateway_mode_ipv4": "routed",
        "something.else": "x",
    }
    options = bridge_options(given)
    assert (options.icc, options.host_binding, options.mtu, options.mode) == (
        False,
        "127.0.0.1",
        1280,
        "routed",
    )
    for bad in ({"com.docker.network.driver.mtu": "many"}, {"com.docker.network.bridge.name": "a/b"}):
        with pytest.raises(InvalidParameter):
            bridge_options(bad)


def test_parents() -> None:
    assert parent_options("macvlan", {"parent": "eth0"}).mode == "bridge"
    assert parent_options("ipvlan", {"ipvlan_mode": "l3"}).mode == "l3"
    assert tagged("eth0.10") == ("eth0", 10)
    assert tagged("eth0") is None
    with pytest.raises(InvalidParameter, match="vlan id"):
        tagged("eth0.4095")


def _endpoint(network: str, address: str, *, priority: int = 0, gateway: str = "g") -> EndpointRecord:
    return EndpointRecord(
        id=network,
        container_id="c" * 64,
        container_name="web",
        network_id=network,
        network_name=network,
        address=address,
        gateway=gateway,
        asked=EndpointSettings(gw_priority=priority, links=["db:store"]),
        names=["web", "www"],
    )


def test_which_network_leads_out() -> None:
    green, blue = _endpoint("green", "10.1.0.2/24"), _endpoint("blue", "10.2.0.2/24")
    inside = _endpoint("a", "10.3.0.2/24", gateway="", priority=9)
    assert leading([green, blue, inside]) is blue
    assert leading([blue, _endpoint("green", "10.1.0.2/24", priority=1)]) != blue
    assert leading([inside]) is None
    plain = EndpointSettings()
    wanted = [("blue", plain), ("green", plain), ("red", EndpointSettings(gw_priority=1))]
    assert joining_order(wanted, "green") == ["green", "red", "blue"]
    assert free_interface(plain, ["eth0", "eth2"]) == "eth1"
