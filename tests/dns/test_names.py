"""Names of the networks a container is on, asked for inside its namespace."""

import contextlib
import os
import shutil
import socket
import subprocess
from collections.abc import Callable

import dns.flags
import dns.message
import dns.rcode
import pytest
from tests.dns.resolver import Container, Resolver, hexed, wait_until

Make = Callable[[], Container]


def _two(resolver: Resolver, container: Make) -> tuple[Container, Container]:
    """Two containers on a network each and one in common."""
    first, second = container(), container()
    networks = {
        "both": {"name": "both", "names": {"web": hexed("10.0.0.2"), "all": hexed("10.0.0.2", "10.0.0.3")}},
        "one": {
            "name": "mine",
            "names": {"db": hexed("10.1.0.2")},
            "pointers": {hexed("10.1.0.2")[0]: "db"},
        },
        "two": {"name": "yours", "names": {"cache": hexed("10.2.0.2")}},
    }
    askers = {
        "a": {"netns": first.path, "networks": ["both", "one"]},
        "b": {"netns": second.path, "networks": ["both", "two"]},
    }
    assert resolver.tell("change", networks=networks, askers=askers, whole=True) == {"failed": {}}
    return first, second


def test_each_knows_its_own_networks(resolver: Resolver, container: Make) -> None:
    first, second = _two(resolver, container)
    for tcp in (False, True):
        assert first.addresses("web", tcp=tcp) == ["10.0.0.2"]
        assert second.addresses("WEB.both", tcp=tcp) == ["10.0.0.2"]
        assert first.addresses("db", tcp=tcp) == ["10.1.0.2"]
        assert second.addresses("cache.yours", tcp=tcp) == ["10.2.0.2"]
        # Nobody is there to forward it to.
        assert second.ask("db", tcp=tcp).rcode() == dns.rcode.SERVFAIL
        assert first.ask("cache", tcp=tcp).rcode() == dns.rcode.SERVFAIL
    assert first.addresses("2.0.1.10.in-addr.arpa", "PTR") == ["db.mine."]
    assert second.addresses("2.0.1.10.in-addr.arpa", "PTR") == []


def test_several_share_a_name(resolver: Resolver, container: Make) -> None:
    first, _ = _two(resolver, container)
    answers = [tuple(first.addresses("all")) for _ in range(6)]
    assert {frozenset(answer) for answer in answers} == {frozenset({"10.0.0.2", "10.0.0.3"})}
    assert len({answer[0] for answer in answers}) == 2, "each comes first in turn"


def test_no_address_of_that_kind(resolver: Resolver, container: Make) -> None:
    first, _ = _two(resolver, container)
    answer = first.ask("web", "AAAA")
    assert (answer.rcode(), answer.answer) == (dns.rcode.NOERROR, [])
    assert first.ask("web", "AAAA").rcode() == dns.rcode.NOERROR


def test_a_change_counts_at_once(resolver: Resolver, container: Make) -> None:
    first, _ = _two(resolver, container)
    assert first.addresses("web") == ["10.0.0.2"]
    resolver.tell("change", networks={"both": {"names": {"web": None, "www": hexed("10.0.0.9")}}})
    assert first.ask("web").rcode() == dns.rcode.SERVFAIL
    assert first.addresses("www") == ["10.0.0.9"]
    resolver.tell("change", askers={"a": {"netns": first.path, "networks": ["one"]}})
    assert first.ask("www").rcode() == dns.rcode.SERVFAIL
    assert first.addresses("db") == ["10.1.0.2"]


def test_more_than_a_datagram_holds(resolver: Resolver, container: Make) -> None:
    one = container()
    many = [f"10.0.{number // 250}.{number % 250}" for number in range(600)]
    networks = {"n": {"name": "n", "names": {"many": hexed(*many)}}}
    resolver.tell("change", networks=networks, askers={"a": {"netns": one.path, "networks": ["n"]}})
    answer = one.ask("many")
    assert answer.flags & dns.flags.TC
    assert sum(map(len, answer.answer)) in range(20, 31)
    with_edns = one.ask("many", use_edns=0, payload=4096)
    assert with_edns.flags & dns.flags.TC
    assert sum(map(len, with_edns.answer)) in range(240, 256)
    assert with_edns.edns == 0
    assert sorted(one.addresses("many", tcp=True)) == sorted(many)


def test_port_53_stays_the_containers(resolver: Resolver, container: Make) -> None:
    first, _ = _two(resolver, container)
    for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM):
        with first.socket(kind) as own:
            own.bind(("0.0.0.0", 53))
            assert first.addresses("web", tcp=kind == socket.SOCK_STREAM) == ["10.0.0.2"]
    with first.socket() as own, first.socket() as client:
        own.bind(("127.0.0.1", 53))
        client.connect(("127.0.0.1", 53))
        client.send(b"mine")
        assert own.recv(10) == b"mine"


@pytest.mark.skipif(shutil.which("busybox") is None, reason="no busybox")
def test_an_ordinary_program_finds_it(resolver: Resolver, container: Make) -> None:
    first, _ = _two(resolver, container)
    found = first.inside(
        lambda: subprocess.run(
            ["busybox", "nslookup", "-type=a", "web", "127.0.0.11"],
            capture_output=True,
            text=True,
            timeout=20,
        )
    )
    assert "10.0.0.2" in found.stdout, found


def test_nonsense_ends_nothing(resolver: Resolver, container: Make) -> None:
    first, second = _two(resolver, container)
    with first.socket() as client:
        client.connect(("127.0.0.11", 53))
        for packet in (b"", b"x", b"\0" * 12, os.urandom(500), b"\0\1\1\0\0\1\0\0\0\0\0\0\xff"):
            client.send(packet)
    with first.socket(socket.SOCK_STREAM) as client:
        client.connect(("127.0.0.11", 53))
        client.send(b"\0\x03abc\xff\xff" + os.urandom(100))
        assert first.addresses("web", tcp=True) == ["10.0.0.2"]
    assert first.addresses("web") == second.addresses("web") == ["10.0.0.2"]


def test_many_queries_on_one_connection(resolver: Resolver, container: Make) -> None:
    first, _ = _two(resolver, container)
    queries = [dns.message.make_query(f"{name}.", "A") for name in ("web", "db", "all") * 20]
    framed = b"".join(len(wire).to_bytes(2, "big") + wire for wire in (query.to_wire() for query in queries))
    with first.socket(socket.SOCK_STREAM) as client:
        client.connect(("127.0.0.11", 53))
        # In pieces that fall across the queries.
        for start in range(0, len(framed), 7):
            client.send(framed[start : start + 7])
        client.shutdown(socket.SHUT_WR)
        with client.makefile("rb") as stream:
            answers = [
                dns.message.from_wire(stream.read(int.from_bytes(stream.read(2), "big"))) for _ in queries
            ]
            assert stream.read() == b""
    assert all(query.is_response(answer) for query, answer in zip(queries, answers, strict=True))


def _private_bytes(resolver: Resolver) -> int:
    assert resolver.process is not None
    with open(f"/proc/{resolver.process.pid}/smaps_rollup") as file:
        return sum(int(line.split()[1]) for line in file if line.startswith("Private_Dirty:")) * 1024


def test_one_name_in_many_spellings_fills_no_memory(resolver: Resolver, container: Make) -> None:
    one = container()
    many = hexed(*(f"10.0.0.{number}" for number in range(1, 250)))
    label = "abcdefghijklmnop"
    networks = {"n": {"name": "n", "names": {label: many}}}
    resolver.tell("change", networks=networks, askers={"a": {"netns": one.path, "networks": ["n"]}})
    assert len(one.addresses(label)) > 20
    before = _private_bytes(resolver)
    with one.socket() as client:
        client.connect(("127.0.0.11", 53))
        for number in range(4000):
            name = "".join(
                letter.upper() if number >> place & 1 else letter for place, letter in enumerate(label)
            )
            client.send(dns.message.make_query(f"{name}.", "A", use_edns=0, payload=4096).to_wire())
            client.recv(8192)
    assert _private_bytes(resolver) - before < 8 << 20


def test_idle_connections_make_room(resolver: Resolver, container: Make) -> None:
    first, _ = _two(resolver, container)
    with contextlib.ExitStack() as clients:
        for _ in range(100):
            client = clients.enter_context(first.socket(socket.SOCK_STREAM))
            client.connect(("127.0.0.11", 53))
        assert first.addresses("web", tcp=True) == ["10.0.0.2"]
        assert first.addresses("web") == ["10.0.0.2"]


def test_a_container_that_ends_leaves_nothing(resolver: Resolver, container: Make) -> None:
    first, second = _two(resolver, container)
    resolver.tell("change", askers={"a": None})
    with first.socket(socket.SOCK_STREAM) as client, pytest.raises(ConnectionRefusedError):
        client.connect(("127.0.0.11", 53))
    assert second.addresses("web") == ["10.0.0.2"]
    resolver.tell("change", whole=True, networks={}, askers={})
    resolver.leave()
    assert resolver.process is not None
    assert resolver.process.wait(20) == 0, "nobody needs it"


def test_a_namespace_that_is_gone_is_said_to_be(resolver: Resolver, container: Make) -> None:
    first, _ = _two(resolver, container)
    answer = resolver.tell("change", askers={"z": {"netns": "/run/no-such", "networks": ["both"]}})
    assert set(answer["failed"]) == {"z"}
    assert first.addresses("web") == ["10.0.0.2"]


def test_answers_without_a_daemon_and_again_after_its_own_death(resolver: Resolver, container: Make) -> None:
    first, second = _two(resolver, container)
    resolver.leave()
    assert first.addresses("web") == ["10.0.0.2"]
    resolver.connect()
    assert resolver.process is not None
    assert resolver.tell("hello")["pid"] == resolver.process.pid
    resolver.leave()
    resolver.kill()
    resolver.start()
    resolver.connect()
    resolver.tell(
        "change",
        whole=True,
        networks={"both": {"name": "both", "names": {"web": hexed("10.0.0.5")}}},
        askers={
            "a": {"netns": first.path, "networks": ["both"]},
            "b": {"netns": second.path, "networks": ["both"]},
        },
    )
    for tcp in (False, True):
        assert first.addresses("web", tcp=tcp) == second.addresses("web", tcp=tcp) == ["10.0.0.5"]


def test_a_port_that_was_taken_meanwhile(resolver: Resolver, container: Make) -> None:
    first = container()
    facts = {"netns": first.path, "networks": ["n"]}
    networks = {"n": {"name": "n", "names": {"web": hexed("10.0.0.2")}}}
    resolver.tell("change", networks=networks, askers={"a": facts})
    assert first.addresses("web") == ["10.0.0.2"]
    resolver.tell("change", askers={"a": None})
    with first.socket() as thief, first.socket(socket.SOCK_STREAM) as other:
        thief.bind(("0.0.0.0", 61053))
        other.bind(("0.0.0.0", 61053))
        resolver.tell("change", askers={"a": facts})
        assert first.addresses("web") == first.addresses("web", tcp=True) == ["10.0.0.2"]
        resolver.tell("change", askers={"a": None})
    resolver.tell("change", askers={"a": facts})
    wait_until(lambda: first.addresses("web") == ["10.0.0.2"])
    assert first.addresses("web", tcp=True) == ["10.0.0.2"]
