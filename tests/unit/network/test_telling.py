"""What the resolver is told, and resolv.conf where it answers."""

import json
from ipaddress import IPv4Address

from hypothesis import given
from hypothesis import strategies as st

from lading.dns.zones import Asker as Knower
from lading.dns.zones import Zones
from lading.network.naming import names_of
from lading.network.record import EndpointRecord
from lading.network.resolv_internal import HostFile, internal_text
from lading.network.telling import Told, Usual, difference, facts_of
from lading.schema.container import EndpointSettings

_HOST = HostFile("nameserver 127.0.0.53\nnameserver fe80::1\nsearch a b\noptions edns0\n")


def _endpoint(container: str, network: str, address: str, *names: str, **more: object) -> EndpointRecord:
    return EndpointRecord(
        id=f"{container}{network}",
        container_id=container,
        container_name=container,
        network_id=network,
        network_name=network,
        netns=f"/run/{container}",
        address=f"{address}/24",
        names=list(names),
        **more,  # type: ignore[arg-type]
    )


def test_what_is_told_of_a_container() -> None:
    told = facts_of(
        names_of(
            [
                _endpoint("c1", "n1", "10.0.0.2", "Web", "www", dns=["192.0.2.1"], gateway="10.0.0.1"),
                _endpoint("c1", "bridge", "10.9.0.2"),
                _endpoint("c2", "n1", "10.0.0.3", "db", "www", asked=EndpointSettings(links=["Web:front"])),
                _endpoint("c3", "bridge", "10.9.0.3"),
            ]
        ),
        Usual(_HOST),
    )
    assert told["networks"] == {
        "n1": {
            "name": "n1",
            "names": {"web": ["0a000002"], "www": ["0a000002", "0a000003"], "db": ["0a000003"]},
            "pointers": {"0a000002": "Web", "0a000003": "db"},
        }
    }
    assert set(told["askers"]) == {"c1", "c2"}
    first, second = told["askers"]["c1"], told["askers"]["c2"]
    assert (first["servers"], first["external"]) == ([["192.0.2.1", False]], True)
    assert second["servers"] == [["127.0.0.53", True], ["fe80::1", True]]
    assert (second["external"], second["links"]) == (False, {"n1": {"front": "Web"}})


def test_the_daemons_settings_come_before_the_hosts_file() -> None:
    names = names_of([_endpoint("c1", "n1", "10.0.0.2", "web"), _endpoint("c2", "n1", "10.0.0.3", "db")])
    told = facts_of(names, Usual(_HOST, servers=["192.0.2.9"], options=["ndots:3"]))
    assert told["askers"]["c1"]["servers"] == [["192.0.2.9", False]]
    assert told["askers"]["c1"]["ndots"]
    assert not facts_of(names, Usual(_HOST))["askers"]["c1"]["ndots"]


def test_it_is_not_sent_to_itself_nor_to_a_name() -> None:
    names = names_of([_endpoint("c1", "n1", "10.0.0.2", "web", dns=["127.0.0.11", "example.org"])])
    assert facts_of(names, Usual(_HOST))["askers"]["c1"]["servers"] == []


_ADDRESSES = st.integers(1, 6).map(lambda last: str(IPv4Address("10.0.0.0") + last))
_ENDPOINTS = st.lists(
    st.builds(
        _endpoint,
        st.sampled_from(["c1", "c2", "c3"]),
        st.sampled_from(["n1", "n2"]),
        _ADDRESSES,
        st.sampled_from(["web", "db", "all"]),
        st.sampled_from(["all", "x.y"]),
    ),
    max_size=5,
)


def _tell(zones: Zones, before: Told | None, after: Told) -> None:
    """As lading.dns.server does, by way of the wire."""
    news = json.loads(json.dumps(difference(before, after)))
    if news.get("whole"):
        zones.networks.clear()
        zones.askers.clear()
    for key, facts in news.get("networks", {}).items():
        zones.change_network(key, facts)
    for key, facts in news.get("askers", {}).items():
        if facts is None:
            del zones.askers[key]
        else:
            zones.askers[key] = Knower(facts)


def _known(zones: Zones) -> object:
    networks = {key: (each.name, each.addresses, each.pointers) for key, each in zones.networks.items()}
    return networks, {key: (each.networks, each.links, each.ndots) for key, each in zones.askers.items()}


@given(st.lists(_ENDPOINTS, min_size=1, max_size=4))
def test_who_is_told_every_change_knows_what_one_knows_who_is_told_all(
    history: list[list[EndpointRecord]],
) -> None:
    following: Zones = Zones()
    before: Told | None = None
    for endpoints in history:
        after = facts_of(names_of(endpoints), Usual(_HOST))
        _tell(following, before, after)
        fresh = Zones()
        _tell(fresh, None, after)
        assert _known(following) == _known(fresh)
        assert difference(after, after) == {}
        before = after


def test_resolv_conf_says_whose_words_it_has() -> None:
    text = internal_text(
        "# mine\nnameserver 10.0.0.1\nnameserver no.address\nnameserver fe80::1%eth0\ndomain old\n"
        "search one two\noptions edns0\noptions ndots:2 trust-ad\nsortlist 10.0.0.0\n",
        "/etc/resolv.conf",
        [],
        [],
        [],
    )
    assert text.partition("\n\n")[2] == (
        "nameserver 127.0.0.11\n"
        "search one two\n"
        "options edns0 ndots:2 trust-ad\n"
        "sortlist 10.0.0.0\n"
        "\n"
        "# Based on host file: '/etc/resolv.conf' (internal resolver)\n"
        "# ExtServers: [host(10.0.0.1) host(fe80::1%eth0)]\n"
        "# Invalid nameservers: [no.address]\n"
        "# Overrides: []\n"
        "# Option ndots from: host\n"
    )


def test_resolv_conf_without_anybody_to_ask() -> None:
    text = internal_text("", "/etc/resolv.conf", [], ["."], ["ndots:x"])
    assert text.partition("\n\n")[2] == (
        "nameserver 127.0.0.11\n"
        "options ndots:0\n"
        "\n"
        "# Based on host file: '/etc/resolv.conf' (internal resolver)\n"
        "# NO EXTERNAL NAMESERVERS DEFINED\n"
        "# Overrides: [search options]\n"
        "# Option ndots from: internal\n"
    )
