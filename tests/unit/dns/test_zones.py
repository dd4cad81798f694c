"""Which names mean what to whom."""

from ipaddress import ip_address
from typing import Any

import dns.message
import dns.reversename
import pytest

from lading.dns import message
from lading.dns.zones import Asker, Zones, rotations


def _hex(*addresses: str) -> list[str]:
    return [ip_address(address).packed.hex() for address in addresses]


@pytest.fixture
def zones() -> Zones:
    made = Zones()
    made.change_network(
        "f", {"name": "front", "names": {"Web": _hex("10.0.0.2"), "all": _hex("10.0.0.2", "10.0.0.3")}}
    )
    made.change_network(
        "b",
        {
            "name": "back.end",
            "names": {"db": _hex("10.1.0.2", "fd00::2"), "web": _hex("10.1.0.9"), "a.b": _hex("10.1.0.5")},
            "pointers": {_hex("10.1.0.2")[0]: "db", _hex("fd00::2")[0]: "db"},
        },
    )
    made.change_network("o", {"name": "other", "names": {"secret": _hex("10.2.0.2")}})
    made.askers["one"] = Asker({"networks": ["f", "b"], "links": {"b": {"store": "db"}}})
    made.askers["two"] = Asker({"networks": ["f"], "ndots": True})
    return made


def _ask(zones: Zones, who: str, name: str, kind: str = "A") -> Any:
    query = message.parse(dns.message.make_query(name + ".", kind).to_wire())
    records = zones.decide(who, query)
    if records is None:
        return None
    return [data if kind == message.PTR else str(ip_address(data)) for kind, data in records]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("web", ["10.0.0.2"]),
        ("WEB", ["10.0.0.2"]),
        ("web.front", ["10.0.0.2"]),
        ("web.back.end", ["10.1.0.9"]),
        ("all", ["10.0.0.2", "10.0.0.3"]),
        ("db", ["10.1.0.2"]),
        ("store", ["10.1.0.2"]),
        ("store.back.end", ["10.1.0.2"]),
        ("a.b", ["10.1.0.5"]),
        ("a.b.back.end", ["10.1.0.5"]),
        ("db.front", None),
        ("secret", None),
        ("secret.other", None),
        ("example.org", None),
    ],
)
def test_names_of_own_networks_only(zones: Zones, name: str, expected: list[str] | None) -> None:
    assert _ask(zones, "one", name) == expected


def test_who_is_unknown_knows_nobody(zones: Zones) -> None:
    assert _ask(zones, "three", "web") is None
    assert _ask(zones, "two", "db") == []
    assert _ask(zones, "two", "db.back.end") is None


def test_kinds(zones: Zones) -> None:
    assert _ask(zones, "one", "db", "AAAA") == ["fd00::2"]
    assert _ask(zones, "one", "db", "ANY") == ["10.1.0.2", "fd00::2"]
    for kind in ("AAAA", "MX", "TXT", "HTTPS", "SRV"):
        assert _ask(zones, "one", "web", kind) == [], "a name of ours is nobody else's to answer"
    assert _ask(zones, "one", "nobody", "AAAA") is None


@pytest.mark.parametrize("address", ["10.1.0.2", "fd00::2"])
def test_pointers_of_own_networks_only(zones: Zones, address: str) -> None:
    name = dns.reversename.from_address(address).to_text(omit_final_dot=True)
    assert _ask(zones, "one", name, "PTR") == [b"\x02db\x04back\x03end\x00"]
    assert _ask(zones, "two", name, "PTR") is None
    assert _ask(zones, "one", "9.9.9.9.in-addr.arpa", "PTR") is None


def test_options_keep_names_without_a_dot_here(zones: Zones) -> None:
    assert _ask(zones, "two", "nobody") == []
    assert _ask(zones, "two", "nobody.else") is None
    assert _ask(zones, "two", "nobody", "TXT") is None


def test_changes(zones: Zones) -> None:
    zones.change_network("f", {"names": {"web": [], "web2": _hex("10.0.0.2")}})
    assert _ask(zones, "one", "web") == ["10.1.0.9"]
    assert _ask(zones, "one", "web2.front") == ["10.0.0.2"]
    zones.change_network("b", {"pointers": {_hex("10.1.0.2")[0]: None}})
    assert _ask(zones, "one", "2.0.1.10.in-addr.arpa", "PTR") is None
    zones.change_network("b", None)
    assert _ask(zones, "one", "db") is None


def test_each_comes_first_in_turn() -> None:
    records = tuple((1, bytes((number,))) for number in range(3))
    turns = rotations(records)
    assert sorted(turn[0] for turn in turns) == sorted(records)
    assert all(sorted(turn) == sorted(records) for turn in turns)
    assert rotations(()) == [()]
    assert len(rotations(tuple((1, bytes((number,))) for number in range(200)))) in range(10, 17)
