"""What `docker network ls` and `inspect` get."""

import json

import msgspec
import pytest

from lading.errors import InvalidParameter, NotFound
from lading.filters import Filters
from lading.network.record import EndpointRecord, NetworkRecord
from lading.network.view import find, network_view, selected

BRIDGE = NetworkRecord(
    id="a1" * 32,
    name="bridge",
    driver="bridge",
    created_ns=1_700_000_000_000_000_000,
    address="172.17.0.1/16",
    options={"com.docker.network.bridge.name": "lading0"},
)
HOST = NetworkRecord(id="a2" * 32, name="host", driver="host", created_ns=1)
NONE = NetworkRecord(id="b2" * 32, name="none", driver="null", created_ns=1)
EVERY = (BRIDGE, HOST, NONE)


def test_inspecting_the_bridge() -> None:
    member = EndpointRecord(
        id="e" * 64,
        container_id="c" * 64,
        container_name="web",
        network_id=BRIDGE.id,
        network_name="bridge",
        address="172.17.0.2/16",
        mac="02:42:ac:11:00:02",
    )
    elsewhere = EndpointRecord(
        id="f" * 64, container_id="d" * 64, container_name="db", network_id=HOST.id, network_name="host"
    )
    shown = json.loads(msgspec.json.encode(network_view(BRIDGE, [member, elsewhere])))
    assert shown == {
        "Name": "bridge",
        "Id": "a1" * 32,
        "Created": "2023-11-14T22:13:20Z",
        "Scope": "local",
        "Driver": "bridge",
        "EnableIPv4": True,
        "EnableIPv6": False,
        "IPAM": {
            "Driver": "default",
            "Options": None,
            "Config": [{"Subnet": "172.17.0.0/16", "Gateway": "172.17.0.1"}],
        },
        "Internal": False,
        "Attachable": False,
        "Ingress": False,
        "ConfigFrom": {"Network": ""},
        "ConfigOnly": False,
        "Containers": {
            "c" * 64: {
                "Name": "web",
                "EndpointID": "e" * 64,
                "MacAddress": "02:42:ac:11:00:02",
                "IPv4Address": "172.17.0.2/16",
                "IPv6Address": "",
            }
        },
        "Options": {"com.docker.network.bridge.name": "lading0"},
        "Labels": {},
    }


@pytest.mark.parametrize(
    ("filters", "names"),
    [
        ({}, ["bridge", "host", "none"]),
        ({"name": ["o"]}, ["host", "none"]),
        ({"name": ["^host$", "bridge"]}, ["bridge", "host"]),
        ({"id": ["a1a1"]}, ["bridge"]),
        ({"driver": ["null"]}, ["none"]),
        ({"driver": ["brid"]}, []),
        ({"scope": ["local"]}, ["bridge", "host", "none"]),
        ({"scope": ["swarm"]}, []),
        ({"type": ["builtin"]}, ["bridge", "host", "none"]),
        ({"type": ["custom"]}, []),
        ({"dangling": ["true"]}, []),
        ({"dangling": ["false"]}, ["bridge", "host", "none"]),
        ({"label": ["x"]}, []),
    ],
)
def test_filters(filters: dict[str, list[str]], names: list[str]) -> None:
    assert [each.name for each in EVERY if selected(each, Filters(filters), used=False)] == names


def test_an_unknown_type() -> None:
    with pytest.raises(InvalidParameter, match="type=weird"):
        selected(BRIDGE, Filters({"type": ["weird"]}), used=False)


@pytest.mark.parametrize(
    ("reference", "name"), [("bridge", "bridge"), ("a2" * 32, "host"), ("b2b", "none"), ("a1a1", "bridge")]
)
def test_references(reference: str, name: str) -> None:
    assert find(EVERY, reference).name == name


def test_references_that_mean_none_or_several() -> None:
    for reference in ("blue", "", "c3", "brid"):
        with pytest.raises(NotFound, match=f"network {reference} not found"):
            find(EVERY, reference)
    with pytest.raises(InvalidParameter, match="network a is ambiguous"):
        find(EVERY, "a")
