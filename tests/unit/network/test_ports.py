"""What `-p`, `-P` and EXPOSE ask for."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lading.errors import InvalidParameter
from lading.network.ports import Lease, Wish, candidates, exposed, parse_ports, view, wishes
from lading.schema.container import PortBinding


@pytest.mark.parametrize(
    ("text", "ports"),
    [
        ("80", [(80, "tcp")]),
        ("80/tcp", [(80, "tcp")]),
        ("53/UDP", [(53, "udp")]),
        ("36412/sctp", [(36412, "sctp")]),
        ("8000-8002/tcp", [(8000, "tcp"), (8001, "tcp"), (8002, "tcp")]),
        ("65535", [(65535, "tcp")]),
    ],
)
def test_specifications(text: str, ports: list[tuple[int, str]]) -> None:
    assert parse_ports(text) == ports


@pytest.mark.parametrize("text", ["", "0", "65536", "80/icmp", "90-80", "http", "-80", "80/", "80 ", "8_0"])
def test_specifications_that_cannot_be(text: str) -> None:
    with pytest.raises(InvalidParameter, match="invalid port specification"):
        parse_ports(text)


@pytest.mark.parametrize(
    ("binding", "reason"),
    [
        (PortBinding(host_port="99999"), "invalid hostPort: 99999"),
        (PortBinding(host_port="http"), "invalid hostPort: http"),
        (PortBinding(host_port="90-80"), "invalid hostPort: 90-80"),
        (PortBinding(host_ip="localhost"), "invalid hostIP: localhost"),
        (PortBinding(host_ip="::1", host_port="80"), "cannot publish on ::1"),
    ],
)
def test_bindings_that_cannot_be(binding: PortBinding, reason: str) -> None:
    with pytest.raises(InvalidParameter, match=reason):
        wishes({"80/tcp": [binding]}, None, publish_all=False)


def test_fixed_ports_come_before_ranges_and_those_before_any() -> None:
    asked = {
        "80/tcp": [PortBinding(), PortBinding(host_port="8000-8005")],
        "81/tcp": [PortBinding(host_ip="127.0.0.1", host_port="8003")],
        "82/tcp": None,
    }
    assert wishes(asked, None, publish_all=False) == [
        Wish("tcp", 81, "127.0.0.1", 8003, 8003),
        Wish("tcp", 80, "0.0.0.0", 8000, 8005),
        Wish("tcp", 80, "0.0.0.0", 0, 0),
    ]


def test_publishing_all_leaves_what_is_bound() -> None:
    found = wishes(
        {"80/tcp": [PortBinding(host_port="8080")], "82/tcp": []},
        {"80/tcp": {}, "81/udp": {}, "90-91": {}},
        publish_all=True,
    )
    assert [(wish.target, wish.proto, wish.first) for wish in found] == [
        (80, "tcp", 8080),
        (81, "udp", 0),
        (82, "tcp", 0),
        (90, "tcp", 0),
        (91, "tcp", 0),
    ]


@given(last=st.integers(0, 70000), size=st.integers(1, 40))
def test_random_ports_go_round(last: int, size: int) -> None:
    dynamic = range(40000, 40000 + size)
    order = list(candidates(Wish("tcp", 80, "0.0.0.0", 0, 0), dynamic, last))
    assert sorted(order) == list(dynamic)
    if last in dynamic[:-1]:
        assert order[0] == last + 1


@pytest.mark.parametrize(
    ("other", "clash"),
    [
        (Lease("tcp", "0.0.0.0", 80, 1), True),
        (Lease("tcp", "127.0.0.1", 80, 1), True),
        (Lease("tcp", "10.0.0.1", 80, 1), False),
        (Lease("tcp", "127.0.0.1", 81, 1), False),
        (Lease("udp", "127.0.0.1", 80, 1), False),
    ],
)
def test_clashes(other: Lease, clash: bool) -> None:
    lease = Lease("tcp", "127.0.0.1", 80, 9)
    assert lease.clashes(other) is clash
    assert other.clashes(lease) is clash


def test_what_inspect_shows() -> None:
    shown = exposed({"80/tcp": None}, {"443/tcp": {}, "53/udp": {}, "53": {}})
    assert shown == ["53/tcp", "53/udp", "80/tcp", "443/tcp"]
    leases = [Lease("tcp", "0.0.0.0", 8080, 80), Lease("tcp", "127.0.0.1", 8081, 80)]
    assert view(shown, leases) == {
        "53/tcp": None,
        "53/udp": None,
        "80/tcp": [
            {"HostIp": "0.0.0.0", "HostPort": "8080"},
            {"HostIp": "127.0.0.1", "HostPort": "8081"},
        ],
        "443/tcp": None,
    }
