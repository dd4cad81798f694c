"""The texts of /etc/hosts and /etc/resolv.conf."""

import pytest

from lading.errors import InvalidParameter
from lading.network import Sandbox, hosts_text, resolv_conf_text

_LOCAL = (
    "127.0.0.1\tlocalhost\n"
    "::1\tlocalhost ip6-localhost ip6-loopback\n"
    "fe00::\tip6-localnet\n"
    "ff00::\tip6-mcastprefix\n"
    "ff02::1\tip6-allnodes\n"
    "ff02::2\tip6-allrouters\n"
)


def _bridged(resolv_conf: str = "") -> Sandbox:
    return Sandbox(
        netns_path="/run/x", address="172.17.0.2", host_gateway="172.17.0.1", host_resolv_conf=resolv_conf
    )


def test_hosts_of_a_container_on_the_bridge() -> None:
    text = hosts_text(
        _bridged(), "web", "", ["db:10.0.0.5", "up=host-gateway", "six:[2001:db8::1]", "v6:::1"]
    )
    assert text == (_LOCAL + "10.0.0.5\tdb\n172.17.0.1\tup\n2001:db8::1\tsix\n::1\tv6\n172.17.0.2\tweb\n")


def test_hosts_with_a_domain() -> None:
    assert hosts_text(_bridged(), "web", "example.org", []) == _LOCAL + "172.17.0.2\tweb.example.org web\n"


def test_hosts_without_a_network() -> None:
    assert hosts_text(Sandbox(netns_path="/run/x"), "web", "", []) == _LOCAL


def test_hosts_on_the_hosts_network() -> None:
    sandbox = Sandbox(host_hosts="192.0.2.1\tmachine\n", host_gateway="172.17.0.1")
    assert hosts_text(sandbox, "machine", "", []) == "192.0.2.1\tmachine\n"
    assert hosts_text(sandbox, "machine", "", ["db:10.0.0.5"]) == _LOCAL + "10.0.0.5\tdb\n"


@pytest.mark.parametrize("entry", ["db", ":10.0.0.5", "db:", "db:ten", "db=10.0.0.5:80"])
def test_extra_hosts_that_cannot_be(entry: str) -> None:
    with pytest.raises(InvalidParameter, match="add-host"):
        hosts_text(_bridged(), "web", "", [entry])


_HOST_FILE = """\
# made by hand
; also a comment
nameserver 127.0.0.1
nameserver 192.0.2.53
nameserver fd00::53
nameserver ::1
search a.example b.example
options ndots:2 edns0
"""


def _text(host: str, **overrides: list[str]) -> str:
    words = {"servers": [], "search": [], "options": [], **overrides}
    return resolv_conf_text(_bridged(host), **words)


def test_servers_a_container_cannot_reach_are_left_out() -> None:
    assert _text(_HOST_FILE) == ("nameserver 192.0.2.53\nsearch a.example b.example\noptions ndots:2 edns0\n")


@pytest.mark.parametrize("host", ["", "nameserver 127.0.0.53\n", "nameserver ::1\nnameserver\n"])
def test_public_servers_where_none_is_left(host: str) -> None:
    assert _text(host) == "nameserver 8.8.8.8\nnameserver 8.8.4.4\n"


def test_what_was_asked_for_replaces_the_hosts_words() -> None:
    assert _text(_HOST_FILE, servers=["127.0.0.1", "fd00::1"]) == (
        "nameserver 127.0.0.1\nnameserver fd00::1\nsearch a.example b.example\noptions ndots:2 edns0\n"
    )
    assert _text(_HOST_FILE, search=["c.example"], options=["rotate"]) == (
        "nameserver 192.0.2.53\nsearch c.example\noptions rotate\n"
    )


def test_a_dot_means_no_search_list() -> None:
    assert _text(_HOST_FILE, search=["."]) == "nameserver 192.0.2.53\noptions ndots:2 edns0\n"


def test_on_the_hosts_network_the_file_is_the_hosts() -> None:
    sandbox = Sandbox(host_resolv_conf=_HOST_FILE)
    assert resolv_conf_text(sandbox, servers=[], search=[], options=[]) == _HOST_FILE
    assert resolv_conf_text(sandbox, servers=[], search=["x.example"], options=[]) == (
        "nameserver 127.0.0.1\nnameserver 192.0.2.53\nnameserver fd00::53\nnameserver ::1\n"
        "search x.example\noptions ndots:2 edns0\n"
    )
