"""The flags of the default bridge, and what a container may ask of it."""

import pytest

from lading.errors import InvalidParameter, NotFound
from lading.network import ConnectRequest, NetworkSettings
from lading.network.check import check
from lading.network.record import NetworkRecord
from lading.schema.container import EndpointIPAMConfig, EndpointSettings, PortBinding


@pytest.mark.parametrize(
    "settings",
    [
        NetworkSettings(),
        NetworkSettings(bridge="br-1.2_x", bip="10.0.0.1/8", fixed_cidr="10.1.0.0/16", mtu=9000),
        NetworkSettings(fixed_cidr="172.17.1.0/24"),
    ],
)
def test_flags(settings: NetworkSettings) -> None:
    settings.check()


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        (NetworkSettings(bridge=""), "invalid bridge name"),
        (NetworkSettings(bridge="a-name-that-is-too-long"), "invalid bridge name"),
        (NetworkSettings(bridge='x" drop'), "invalid bridge name"),
        (NetworkSettings(bridge="../x"), "invalid bridge name"),
        (NetworkSettings(bip="10.0.0.1"), "prefix length"),
        (NetworkSettings(bip="10.0.0.1/31"), "prefix length"),
        (NetworkSettings(bip="10.0.0.0/24"), "name no host"),
        (NetworkSettings(bip="10.0.0.255/24"), "name no host"),
        (NetworkSettings(bip="fd00::1/64"), "invalid bip"),
        (NetworkSettings(bip="10.0.0.1/24", fixed_cidr="10.0.1.0/28"), "not within"),
        (NetworkSettings(fixed_cidr="10.0.1.1/28"), "invalid fixed-cidr"),
        (NetworkSettings(mtu=-1), "invalid mtu"),
        (NetworkSettings(pools=(("10.0.0.1/16", 24),)), "invalid base pool"),
        (NetworkSettings(pools=(("10.0.0.0/16", 15),)), "invalid pools size"),
        (NetworkSettings(pools=(("10.0.0.0/16", 31),)), "invalid pools size"),
        (NetworkSettings(mtu=70000), "invalid mtu"),
    ],
)
def test_flags_that_cannot_be(settings: NetworkSettings, reason: str) -> None:
    with pytest.raises(InvalidParameter, match=reason):
        settings.check()


_NETWORKS = {
    "bridge": NetworkRecord(
        id="a1" * 32, name="bridge", driver="bridge", created_ns=1, address="10.0.0.1/24"
    ),
    "none": NetworkRecord(id="b2" * 32, name="none", driver="null", created_ns=1),
}


@pytest.mark.parametrize("mode", ["", "default", "bridge", "a1" * 32])
def test_names_of_the_default_network(mode: str) -> None:
    [(network, _)] = check(_NETWORKS, ConnectRequest(container_id="x", mode=mode))
    assert network.name == "bridge"


@pytest.mark.parametrize("mode", ["blue", "a1"])
def test_a_network_that_is_not_there(mode: str) -> None:
    with pytest.raises(NotFound, match=f"network {mode} not found"):
        check(_NETWORKS, ConnectRequest(container_id="x", mode=mode))


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        (
            EndpointSettings(ipam_config=EndpointIPAMConfig(ipv4_address="10.0.0.9")),
            "user specified IP address is supported on user defined networks only",
        ),
        (EndpointSettings(aliases=["db"]), "only supported for user-defined networks"),
        (EndpointSettings(mac_address="02:42"), "invalid MAC address: 02:42"),
        (EndpointSettings(mac_address="ff:ff:ff:ff:ff:ff"), "names a group"),
    ],
)
def test_what_the_default_network_does_not_offer(settings: EndpointSettings, reason: str) -> None:
    with pytest.raises(InvalidParameter, match=reason):
        check(_NETWORKS, ConnectRequest(container_id="x", settings=settings))


def test_ports_are_checked_before_anything_is_made() -> None:
    wrong: tuple[dict[str, list[PortBinding] | None], ...] = (
        {"0/tcp": None},
        {"80/tcp": [PortBinding(host_port="99999")]},
    )
    for bindings in wrong:
        with pytest.raises(InvalidParameter):
            check(_NETWORKS, ConnectRequest(container_id="x", port_bindings=bindings))
