"""Networks of users' own, through the docker CLI and the API."""

import contextlib
import json
import os
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest
from tests.engine.engine import IMAGE, Engine, wait_for


@pytest.fixture
def networks(engine: Engine) -> Iterator[Engine]:
    """The engine, left with its default networks only."""
    yield engine
    if not engine.alive():
        engine.start()
    engine.remove_containers()
    for network in engine.get("/networks"):
        if network["Name"] not in ("bridge", "host", "none"):
            engine.api("DELETE", f"/networks/{network['Id']}")


def _said(engine: Engine, *words: str) -> str:
    return engine.docker(*words).stdout.decode().strip()


def _refused(engine: Engine, *words: str) -> str:
    done = engine.docker(*words, check=False)
    assert done.returncode != 0, done.stdout
    return done.stderr.decode()


def _run(engine: Engine, name: str, *words: str, command: tuple[str, ...] = ("sleep", "600")) -> str:
    return _said(engine, "run", "-d", "--name", name, *words, IMAGE, *command)


def _joined(engine: Engine, name: str) -> Any:
    return engine.get(f"/containers/{name}/json")["NetworkSettings"]["Networks"]


def _routes(engine: Engine, name: str) -> list[str]:
    return _said(engine, "exec", name, "ip", "route").splitlines()


def _pings(engine: Engine, name: str, address: str) -> bool:
    done = engine.docker("exec", name, "ping", "-c", "1", "-W", "1", address, check=False)
    return done.returncode == 0


def _bridge(engine: Engine, network: str) -> str:
    return f"br-{engine.get(f'/networks/{network}')['Id'][:12]}"


def _links() -> set[str]:
    return set(os.listdir("/sys/class/net"))


def _tables() -> str:
    return subprocess.run(["nft", "list", "tables"], check=True, capture_output=True, text=True).stdout


# --- operations


def test_a_network_is_made_shown_and_removed(networks: Engine) -> None:
    identifier = _said(networks, "network", "create", "--label", "a=b", "--attachable", "blue")
    shown = json.loads(_said(networks, "network", "inspect", "blue"))[0]
    assert shown["Id"] == identifier
    assert (shown["Driver"], shown["Attachable"], shown["Labels"]) == ("bridge", True, {"a": "b"})
    [pool] = shown["IPAM"]["Config"]
    assert pool["Gateway"].rpartition(".")[0] == pool["Subnet"].partition("/")[0].rpartition(".")[0]
    bridge = f"br-{identifier[:12]}"
    assert bridge in _links()
    assert f"lading-{bridge}" in _tables()
    assert _said(networks, "network", "ls", "-q", "--no-trunc", "--filter", "label=a=b") == identifier
    assert _said(networks, "network", "ls", "--filter", "type=custom", "--format", "{{.Name}}") == "blue"
    assert _said(networks, "network", "ls", "-f", "dangling=true", "--format", "{{.Name}}") == "blue"
    assert _said(networks, "network", "rm", "blue") == "blue"
    assert bridge not in _links()
    assert bridge not in _tables()


def test_subnet_range_gateway_and_reserved_addresses(networks: Engine) -> None:
    _said(
        networks,
        *("network", "create", "--subnet", "10.77.0.0/16", "--ip-range", "10.77.5.0/29"),
        *("--gateway", "10.77.0.9", "--aux-address", "printer=10.77.5.0", "blue"),
    )
    assert networks.get("/networks/blue")["IPAM"]["Config"] == [
        {
            "Subnet": "10.77.0.0/16",
            "IPRange": "10.77.5.0/29",
            "Gateway": "10.77.0.9",
            "AuxiliaryAddresses": {"printer": "10.77.5.0"},
        }
    ]
    _run(networks, "one", "--network", "blue")
    assert _joined(networks, "one")["blue"]["IPAddress"] == "10.77.5.1"
    assert _routes(networks, "one")[0].startswith("default via 10.77.0.9 ")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["blue"], "network with name blue already exists"),
        (["bridge"], "operation is not permitted on predefined bridge network"),
        (["--driver", "nosuch", "x"], "could not find plugin nosuch in v1 plugin registry: plugin not found"),
        (["--driver", "overlay", "x"], "This node is not a swarm manager"),
        (["--driver", "host", "x"], 'only one instance of "host" network is allowed'),
        (
            ["--subnet", "10.78.0.0/24", "x"],
            "invalid pool request: Pool overlaps with other one on this address space",
        ),
        (["--subnet", "10.79.0.1/24", "x"], "invalid subnet 10.79.0.1/24: it should be 10.79.0.0/24"),
        (["--config-from", "nosuch", "x"], 'configuration network "nosuch" does not exist'),
        (["-o", "com.docker.network.bridge.enable_icc=maybe", "x"], "enable_icc value: maybe"),
        (["-o", "com.docker.network.bridge.gateway_mode_ipv4=isolated", "x"], "internal network"),
        (["-d", "macvlan", "-o", "macvlan_mode=odd", "x"], "requested macvlan mode 'odd' is not valid"),
        (["--ipv6", "x"], "no IPv6"),
    ],
)
def test_networks_that_cannot_be(networks: Engine, words: list[str], said: str) -> None:
    _said(networks, "network", "create", "--subnet", "10.78.0.0/16", "blue")
    assert said in _refused(networks, "network", "create", *words)
    assert len(networks.get("/networks")) == 4


def test_statuses_of_refusals(networks: Engine) -> None:
    assert networks.api("POST", "/networks/create", {"Name": "blue"})[0] == 201
    _run(networks, "one", "--network", "blue")
    for method, path, body, status in (
        ("POST", "/networks/create", {"Name": "blue"}, 409),
        ("POST", "/networks/create", {"Name": "host"}, 403),
        ("POST", "/networks/create", {"Name": ""}, 400),
        ("POST", "/networks/create", {"Name": "x", "Driver": "nosuch"}, 404),
        ("POST", "/networks/create", {"Name": "x", "IPAM": {"Config": [{"Subnet": "nonsense"}]}}, 400),
        ("DELETE", "/networks/bridge", None, 403),
        ("DELETE", "/networks/blue", None, 403),
        ("DELETE", "/networks/nosuch", None, 404),
        ("POST", "/networks/blue/connect", {"Container": "one"}, 403),
        ("POST", "/networks/nosuch/connect", {"Container": "one"}, 404),
        ("POST", "/networks/blue/connect", {"Container": "nosuch"}, 404),
        ("POST", "/networks/host/connect", {"Container": "one"}, 400),
    ):
        assert networks.api(method, path, body)[0] == status, (method, path, body)


def test_a_network_in_use_stays(networks: Engine) -> None:
    _said(networks, "network", "create", "blue")
    _run(networks, "one", "--network", "blue")
    said = _refused(networks, "network", "rm", "blue")
    assert 'error while removing network: network blue has active endpoints (name:"one" id:"' in said
    networks.docker("rm", "-f", "one")
    assert _said(networks, "network", "rm", "blue") == "blue"


def test_a_configuration_is_lent(networks: Engine) -> None:
    _said(networks, "network", "create", "--config-only", "--subnet", "10.81.0.0/24", "plan")
    _said(networks, "network", "create", "--config-from", "plan", "blue")
    shown = networks.get("/networks/blue")
    assert shown["ConfigFrom"] == {"Network": "plan"}
    assert shown["IPAM"]["Config"][0]["Subnet"] == "10.81.0.0/24"
    assert 'configuration network "plan" is in use' in _refused(networks, "network", "rm", "plan")
    networks.docker("network", "rm", "blue", "plan")


def test_pruning(networks: Engine) -> None:
    for name in ("blue", "green", "red"):
        _said(networks, "network", "create", "--label", f"colour={name}", name)
    _run(networks, "one", "--network", "blue")
    said = _said(networks, "network", "prune", "-f", "--filter", "label!=colour=red")
    assert said == "Deleted Networks:\ngreen"
    assert _said(networks, "network", "prune", "-f") == "Deleted Networks:\nred"


# --- containers on them


def test_containers_of_a_network_reach_each_other_and_no_others(networks: Engine) -> None:
    for name in ("blue", "green"):
        _said(networks, "network", "create", name)
    _run(networks, "one", "--network", "blue", "--network-alias", "first")
    _run(networks, "two", "--network", "blue")
    _run(networks, "far", "--network", "green")
    shown = _joined(networks, "one")["blue"]
    assert shown["Aliases"] == ["first"]
    assert shown["DNSNames"][:2] == ["one", "first"]
    assert _pings(networks, "one", _joined(networks, "two")["blue"]["IPAddress"])
    assert not _pings(networks, "one", _joined(networks, "far")["green"]["IPAddress"])
    members = networks.get("/networks/blue")["Containers"].values()
    assert {member["Name"] for member in members} == {"one", "two"}


def test_containers_that_are_not_to_reach_each_other(networks: Engine) -> None:
    option = "com.docker.network.bridge.enable_icc=false"
    _said(networks, "network", "create", "-o", option, "-o", "com.docker.network.bridge.name=ldticc0", "blue")
    assert "ldticc0" in _links()
    _run(networks, "one", "--network", "blue")
    _run(networks, "two", "--network", "blue")
    assert not _pings(networks, "one", _joined(networks, "two")["blue"]["IPAddress"])
    networks.remove_containers()
    networks.docker("network", "rm", "blue")
    assert "ldticc0" not in _links()


def test_an_internal_network_has_no_way_out(networks: Engine) -> None:
    _said(networks, "network", "create", "--internal", "inside")
    _run(networks, "one", "--network", "inside", "-p", "80")
    _run(networks, "two", "--network", "inside")
    assert not [route for route in _routes(networks, "one") if route.startswith("default")]
    assert _joined(networks, "one")["inside"]["Gateway"] == ""
    assert _pings(networks, "one", _joined(networks, "two")["inside"]["IPAddress"])
    assert networks.docker("port", "one").stdout == b""


def test_wishes_of_a_container(networks: Engine) -> None:
    _said(networks, "network", "create", "--subnet", "10.82.0.0/24", "blue")
    _run(
        networks,
        "one",
        "--network",
        "name=blue,ip=10.82.0.77,mac-address=02:00:00:00:00:77,alias=x,link-local-ip=169.254.7.7,"
        "driver-opt=com.docker.network.endpoint.ifname=lan0,"
        '"driver-opt=com.docker.network.endpoint.sysctls=net.ipv4.conf.IFNAME.log_martians=1"',
    )
    shown = _said(networks, "exec", "one", "ip", "addr", "show", "lan0")
    assert "10.82.0.77/24" in shown
    assert "169.254.7.7/16" in shown
    assert "02:00:00:00:00:77" in shown
    value = _said(networks, "exec", "one", "cat", "/proc/sys/net/ipv4/conf/lan0/log_martians")
    assert value == "1"
    said = _refused(networks, "run", "--network", "blue", "--ip", "10.82.0.77", IMAGE, "true")
    assert "Address already in use" in said
    said = _refused(networks, "run", "--network", "blue", "--ip", "10.83.0.1", IMAGE, "true")
    assert "no configured subnet or ip-range contain the IP address 10.83.0.1" in said


def test_several_networks_from_the_start(networks: Engine) -> None:
    for name in ("blue", "green"):
        _said(networks, "network", "create", name)
    _run(networks, "one", "--network", "green", "--network", "name=blue,gw-priority=1")
    joined = _joined(networks, "one")
    assert set(joined) == {"blue", "green"}
    assert joined["blue"]["GwPriority"] == 1
    assert _routes(networks, "one")[0].startswith(f"default via {joined['blue']['Gateway']} ")
    hosts = _said(networks, "exec", "one", "cat", "/etc/hosts")
    assert all(each["IPAddress"] in hosts for each in joined.values())


def test_connecting_and_disconnecting_while_it_runs(networks: Engine) -> None:
    for name in ("green", "blue"):
        _said(networks, "network", "create", name)
    _run(networks, "one", "--network", "green", "-p", "80")
    _run(networks, "two", "--network", "blue")
    port = _said(networks, "port", "one")
    networks.docker("network", "connect", "--alias", "uno", "blue", "one")
    joined = _joined(networks, "one")
    assert joined["blue"]["Aliases"] == ["uno"]
    # Of networks with equal priority the first name leads out, and the ports go with it.
    assert _routes(networks, "one")[0].startswith(f"default via {joined['blue']['Gateway']} ")
    assert _pings(networks, "one", _joined(networks, "two")["blue"]["IPAddress"])
    assert _said(networks, "port", "one") == port
    assert joined["blue"]["IPAddress"] in _said(networks, "exec", "one", "cat", "/etc/hosts")
    said = _refused(networks, "network", "connect", "blue", "one")
    assert "endpoint with name one already exists in network blue" in said
    networks.docker("network", "disconnect", "blue", "one")
    assert set(_joined(networks, "one")) == {"green"}
    assert _routes(networks, "one")[0].startswith(f"default via {joined['green']['Gateway']} ")
    assert _said(networks, "port", "one") == port
    assert "is not connected to" in _refused(networks, "network", "disconnect", "blue", "one")
    networks.docker("network", "disconnect", "green", "one")
    assert _routes(networks, "one") == []
    networks.docker("network", "connect", "green", "one")
    assert set(_joined(networks, "one")) == {"green"}


def test_connecting_and_disconnecting_while_it_is_stopped(networks: Engine) -> None:
    _said(networks, "network", "create", "blue")
    networks.docker("create", "--name", "one", IMAGE, "sleep", "600")
    networks.docker("network", "connect", "blue", "one")
    networks.docker("network", "disconnect", "bridge", "one")
    networks.docker("start", "one")
    assert set(_joined(networks, "one")) == {"blue"}
    networks.docker("restart", "-t", "0", "one")
    assert set(_joined(networks, "one")) == {"blue"}


def test_what_does_not_mix(networks: Engine) -> None:
    _said(networks, "network", "create", "blue")
    _run(networks, "lone", "--network", "none")
    _run(networks, "hosted", "--network", "host")
    _run(networks, "guest", "--network", "container:lone")
    assert "private (none) mode" in _refused(networks, "network", "connect", "blue", "lone")
    assert "host network" in _refused(networks, "network", "connect", "blue", "hosted")
    assert "host network" in _refused(networks, "network", "disconnect", "host", "hosted")
    assert "sharing network namespace" in _refused(networks, "network", "connect", "blue", "guest")


def test_events(networks: Engine) -> None:
    since = networks.get("/info")["SystemTime"]
    _said(networks, "network", "create", "blue")
    _run(networks, "one")
    networks.docker("network", "connect", "blue", "one")
    networks.docker("network", "disconnect", "blue", "one")
    networks.docker("network", "rm", "blue")
    until = networks.get("/info")["SystemTime"]
    words = ("--since", since, "--until", until, "--filter", "type=network")
    events = _said(networks, "events", *words, "--format", "{{.Action}} {{.Actor.Attributes.name}}")
    assert events.splitlines() == [
        "create blue",
        "connect bridge",
        "connect blue",
        "disconnect blue",
        "destroy blue",
    ]


@pytest.mark.parametrize("parent", ["", "ldtp0"])
def test_macvlan(networks: Engine, parent: str) -> None:
    if parent:
        subprocess.run(["ip", "link", "add", parent, "up", "type", "bridge"], check=True)
    option = ("-o", f"parent={parent}") if parent else ()
    try:
        networks.docker("network", "create", "-d", "macvlan", "--subnet", "10.84.0.0/24", *option, "lan")
        _run(networks, "one", "--network", "lan")
        _run(networks, "two")
        networks.docker("network", "connect", "--ip", "10.84.0.9", "lan", "two")
        assert _pings(networks, "one", "10.84.0.9")
        networks.docker("network", "disconnect", "lan", "two")
        assert not _pings(networks, "one", "10.84.0.9")
        networks.remove_containers()
        own = f"dm-{networks.get('/networks/lan')['Id'][:12]}"
        assert (own in _links()) == (not parent)
        networks.docker("network", "rm", "lan")
        assert own not in _links()
        assert not parent or parent in _links()
    finally:
        if parent:
            subprocess.run(["ip", "link", "del", parent], check=False, capture_output=True)


def test_what_this_kernel_lacks_is_said(networks: Engine) -> None:
    words = ("network", "create", "-d", "ipvlan", "--subnet", "10.84.0.0/24", "lan")
    done = networks.docker(*words, check=False)
    if done.returncode == 0:
        pytest.skip("this kernel has ipvlan")
    assert "this machine's kernel has no ipvlan interfaces" in done.stderr.decode()
    assert len(networks.get("/networks")) == 3


def test_an_engine_that_was_killed_finds_its_networks(networks: Engine) -> None:
    _said(networks, "network", "create", "blue")
    _run(networks, "one", "--network", "blue", "-p", "80")
    _run(networks, "two", "--network", "bridge")
    networks.docker("network", "connect", "blue", "two")
    before, port = _joined(networks, "two"), _said(networks, "port", "one")
    bridge = _bridge(networks, "blue")
    networks.kill()
    subprocess.run(["nft", "delete", "table", "inet", f"lading-{bridge}"], check=True)
    networks.start()
    assert f"lading-{bridge}" in _tables()
    wait_for(lambda: networks.get("/containers/one/json")["State"]["Running"])
    assert _joined(networks, "two") == before
    assert _said(networks, "port", "one") == port
    wait_for(lambda: _pings(networks, "two", _joined(networks, "one")["blue"]["IPAddress"]))
    networks.docker("network", "disconnect", "blue", "two")
    assert set(_joined(networks, "two")) == {"bridge"}


def test_random_kills_leave_nothing(networks: Engine) -> None:
    for _ in range(3):
        with contextlib.suppress(OSError):
            for number in range(4):
                networks.api("POST", "/networks/create", {"Name": f"n{number}"})
        networks.kill()
        networks.start()
        for network in networks.get("/networks"):
            if network["Name"].startswith("n") and network["Name"] != "none":
                assert f"br-{network['Id'][:12]}" in _links()
                assert networks.api("DELETE", f"/networks/{network['Id']}")[0] == 204
                assert f"br-{network['Id'][:12]}" not in _links()
