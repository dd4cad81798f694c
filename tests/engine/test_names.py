"""Names on user-defined networks, as programs in containers find them."""

import itertools
import os
import random
import re
import signal
import socket
import sys
import time
from ipaddress import ip_address
from pathlib import Path

import pytest
from tests.engine.engine import IMAGE, Engine, since_cli, wait_for


@pytest.fixture
def net(engine: Engine) -> str:
    """A network of its own for each test; the containers are gone before it is."""
    engine.docker("network", "create", "net")
    return "net"


@pytest.fixture(autouse=True)
def _without_networks(engine: Engine) -> object:
    yield
    if not engine.alive():
        engine.start()
    engine.remove_containers()
    engine.docker("network", "prune", "-f")


def _run(engine: Engine, name: str, *words: str) -> str:
    return engine.docker("run", "-d", "--name", name, *words, IMAGE, "sleep", "999").stdout.decode().strip()


def _addresses(engine: Engine, asker: str, name: str, kind: str = "a") -> set[str]:
    """What a program in a container is told."""
    done = engine.docker("exec", asker, "nslookup", f"-type={kind}", name, check=False, timeout=30)
    said = done.stdout.decode().partition("\n\n")[2]
    return set(re.findall(r"(?:Address: |name = )(\S+)", said))


def _address(engine: Engine, name: str, network: str = "net") -> str:
    shown = engine.get(f"/containers/{name}/json")["NetworkSettings"]["Networks"][network]
    return str(shown["IPAddress"])


def _reverse(address: str) -> str:
    return ip_address(address).reverse_pointer


def _resolver_pid(engine: Engine) -> int:
    """The process behind the resolver's socket; 0 where there is none."""
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(str(engine.exec_root / "dns.sock"))
        except OSError:
            return 0
        credentials = probe.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)
    return int.from_bytes(credentials[:4], sys.byteorder)


def test_containers_find_each_other(engine: Engine, net: str) -> None:
    web = _run(engine, "web", "--network", net, "--network-alias", "www", "--hostname", "Webhost")
    _run(engine, "client", "--network", net)
    address = _address(engine, "web")
    for name in ("web", "WEB", "www", web[:12], "webhost", "web.net", "www.net"):
        assert _addresses(engine, "client", name) == {address}, name
        assert engine.docker("exec", "client", "ping", "-c1", "-w5", name).returncode == 0
    assert _addresses(engine, "client", "web", "aaaa") == set()
    assert _addresses(engine, "client", _reverse(address), "ptr") == {"web.net"}
    assert _addresses(engine, "web", "web") == {address}, "it knows itself too"
    # The first program of a container may already ask.
    told = engine.docker("run", "--rm", "--network", net, IMAGE, "nslookup", "-type=a", "web").stdout.decode()
    assert address in told


def test_containers_that_share_a_name(engine: Engine, net: str) -> None:
    for name in ("one", "two", "three"):
        _run(engine, name, "--network", net, "--network-alias", "all")
    addresses = {_address(engine, name) for name in ("one", "two", "three")}
    assert _addresses(engine, "one", "all") == addresses
    engine.docker("rm", "-f", "two")
    assert wait_for(lambda: len(_addresses(engine, "one", "all")) == 2)


def test_names_of_other_networks_are_not_told(engine: Engine, net: str) -> None:
    engine.docker("network", "create", "other")
    _run(engine, "here", "--network", net)
    _run(engine, "there", "--network", "other")
    _run(engine, "bridged")
    hidden = _address(engine, "there", "other")
    for name in ("there", "there.other", "there.net", "bridged"):
        assert _addresses(engine, "here", name) == set(), name
    assert _addresses(engine, "here", _reverse(hidden), "ptr") == set()
    engine.docker("network", "connect", "--alias", "again", "other", "here")
    assert _addresses(engine, "here", "there") == _addresses(engine, "here", "there.other") == {hidden}
    assert _addresses(engine, "there", "again") == {_address(engine, "here", "other")}
    engine.docker("network", "disconnect", "other", "here")
    assert wait_for(lambda: _addresses(engine, "here", "there") == set())
    assert wait_for(lambda: _addresses(engine, "there", "again") == set())


def test_names_follow_what_happens(engine: Engine, net: str) -> None:
    _run(engine, "web", "--network", net)
    _run(engine, "client", "--network", net)
    engine.docker("rename", "web", "web2")
    assert wait_for(lambda: _addresses(engine, "client", "web2") == {_address(engine, "web2")})
    assert _addresses(engine, "client", "web") == set()
    engine.docker("stop", "-t0", "web2")
    assert wait_for(lambda: _addresses(engine, "client", "web2") == set())
    _run(engine, "first", "--network", net)
    engine.docker("start", "web2")
    assert _addresses(engine, "client", "web2") == {_address(engine, "web2")}
    engine.docker("rm", "-f", "web2")
    assert wait_for(lambda: _addresses(engine, "client", "web2") == set())


def test_a_link_is_a_name_of_ones_own(engine: Engine, net: str) -> None:
    _run(engine, "db", "--network", net)
    _run(engine, "app", "--network", net, "--link", "db:store")
    _run(engine, "third", "--network", net)
    assert _addresses(engine, "app", "store") == {_address(engine, "db")}
    assert _addresses(engine, "third", "store") == set()


def test_names_outlive_the_engine(engine: Engine, net: str) -> None:
    _run(engine, "web", "--network", net)
    _run(engine, "client", "--network", net, "-v", f"{engine.directory}:/out")
    address, resolver = _address(engine, "web"), _resolver_pid(engine)
    pid = engine.get("/containers/client/json")["State"]["Pid"]
    engine.kill()
    assert address in _from_outside(pid, "web"), "without any daemon"
    engine.start()
    assert _resolver_pid(engine) == resolver
    _run(engine, "late", "--network", net)
    assert _addresses(engine, "client", "late") == {_address(engine, "late")}
    assert _addresses(engine, "late", "web") == {address}


def _from_outside(pid: int, name: str) -> str:
    """What 127.0.0.11 tells a program in the namespaces of a process."""
    words = f"nsenter -t {pid} -n -m busybox nslookup -type=a {name} 127.0.0.11"
    return os.popen(f"timeout 10 {words} 2>&1").read()


@pytest.mark.parametrize("engine_too", [False, True])
def test_a_killed_resolver_is_replaced(engine: Engine, net: str, engine_too: bool) -> None:
    _run(engine, "web", "--network", net)
    _run(engine, "client", "--network", net)
    address, resolver = _address(engine, "web"), _resolver_pid(engine)
    if engine_too:
        engine.kill()
    os.kill(resolver, signal.SIGKILL)
    if engine_too:
        engine.start()
    wait_for(lambda: _resolver_pid(engine) not in (0, resolver))
    assert wait_for(lambda: _addresses(engine, "client", "web") == {address})
    assert _addresses(engine, "web", "client") == {_address(engine, "client")}


def test_names_agree_after_much_came_and_went(engine: Engine, net: str) -> None:
    engine.docker("network", "create", "other")
    names = [f"c{number}" for number in range(6)]
    for name in names:
        _run(engine, name, "--network", net)
    rounds = random.Random(7)
    for turn in range(24):
        name = rounds.choice(names)
        deed = rounds.choice(["restart", "connect", "disconnect", "kill-resolver"])
        if deed == "restart":
            engine.api("POST", f"/containers/{name}/restart?t=0")
        elif deed == "kill-resolver" and (resolver := _resolver_pid(engine)):
            os.kill(resolver, signal.SIGKILL)
        elif deed != "kill-resolver":
            engine.api("POST", f"/networks/other/{deed}", {"Container": name})
        if turn == 12:
            engine.kill()
            engine.start()
    wait_for(lambda: _resolver_pid(engine))
    for network in (net, "other"):
        members = {each["Name"] for each in engine.get(f"/networks/{network}")["Containers"].values()}
        for asker, name in itertools.product(sorted(members), names):
            expected = {_address(engine, name, network)} if name in members else set()
            assert wait_for(lambda: _addresses(engine, asker, f"{name}.{network}") == expected), (asker, name)  # noqa: B023


def test_nobody_is_there_for_the_default_bridge(engine: Engine, tmp_path: Path) -> None:
    other = Engine(tmp_path / "plain")
    other.start()
    try:
        shown = other.docker("run", "--rm", IMAGE, "cat", "/etc/resolv.conf").stdout.decode()
        assert "127.0.0.11" not in shown
        assert _resolver_pid(other) == 0
    finally:
        other.destroy()


@since_cli(20)
def test_what_resolv_conf_says(engine: Engine, net: str) -> None:
    words = (
        "--dns",
        "192.0.2.1",
        "--dns",
        "192.0.2.2",
        "--dns-search",
        "example.org",
        "--dns-option",
        "use-vc",
    )
    text = engine.docker("run", "--rm", "--network", net, *words, IMAGE, "cat", "/etc/resolv.conf").stdout
    assert text.decode() == (
        "# Generated by Docker Engine.\n"
        "# This file can be edited; Docker Engine will not make further changes once it\n"
        "# has been modified.\n"
        "\n"
        "nameserver 127.0.0.11\n"
        "search example.org\n"
        "options use-vc ndots:0\n"
        "\n"
        "# Based on host file: '/etc/resolv.conf' (internal resolver)\n"
        "# ExtServers: [192.0.2.1 192.0.2.2]\n"
        "# Overrides: [nameservers search options]\n"
        "# Option ndots from: internal\n"
    )


def _resolv_conf(engine: Engine, name: str) -> str:
    return engine.docker("exec", name, "cat", "/etc/resolv.conf").stdout.decode()


def test_resolv_conf_follows_unless_somebody_edited_it(engine: Engine, net: str) -> None:
    for name in ("plain", "edited"):
        _run(engine, name)
        assert "127.0.0.11" not in _resolv_conf(engine, name)
    engine.docker("exec", "edited", "sh", "-c", "echo '# mine' >> /etc/resolv.conf")
    for name in ("plain", "edited"):
        engine.docker("network", "connect", net, name)
    assert "nameserver 127.0.0.11\n" in _resolv_conf(engine, "plain")
    assert _addresses(engine, "plain", "edited") == {_address(engine, "edited")}
    assert "127.0.0.11" not in _resolv_conf(engine, "edited")
    engine.docker("network", "disconnect", net, "plain")
    assert "127.0.0.11" not in _resolv_conf(engine, "plain")
    assert "# mine" in _resolv_conf(engine, "edited")
    engine.docker("restart", "-t0", "edited")
    assert "nameserver 127.0.0.11\n" in _resolv_conf(engine, "edited"), "a start writes it anew"


def test_a_container_without_a_way_out_asks_nobody_outside(engine: Engine) -> None:
    engine.docker("network", "create", "--internal", "inner")
    _run(engine, "alone", "--network", "inner")
    _run(engine, "peer", "--network", "inner")
    assert _addresses(engine, "alone", "peer") == {_address(engine, "peer", "inner")}
    before = time.monotonic()
    done = engine.docker("exec", "alone", "nslookup", "-type=a", "example.org", check=False)
    assert b"SERVFAIL" in done.stdout + done.stderr
    assert time.monotonic() - before < 60
