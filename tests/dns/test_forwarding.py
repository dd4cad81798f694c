"""What is not ours is asked elsewhere."""

import socket
from collections.abc import Callable
from typing import Any

import dns.flags
import dns.message
import dns.rcode
from tests.dns.resolver import Container, Resolver, Upstream, answer_with, hexed

Make = Callable[[], Container]
Servers = Callable[..., Upstream]


def _set_up(resolver: Resolver, one: Container, *servers: list[Any], **facts: Any) -> None:
    asker = {"netns": one.path, "networks": ["n"], "servers": servers, **facts}
    networks = {"n": {"name": "n", "names": {"web": hexed("10.0.0.2")}}}
    assert resolver.tell("change", networks=networks, askers={"a": asker}) == {"failed": {}}


def test_by_way_of_the_host_or_of_the_container(
    resolver: Resolver, container: Make, upstream: Servers
) -> None:
    one = container()
    on_host, inside = upstream(), upstream(one)
    for server, from_host in ((on_host, True), (inside, False)):
        _set_up(resolver, one, server.facts(from_host=from_host))
        for tcp in (False, True):
            assert one.addresses("example.org", tcp=tcp) == ["203.0.113.7"]
        assert [(name, protocol) for name, protocol, _ in server.asked] == [
            ("example.org", "udp"),
            ("example.org", "tcp"),
        ]
    assert one.addresses("web") == ["10.0.0.2"]
    assert one.ask("web", "AAAA").rcode() == one.ask("web", "TXT").rcode() == dns.rcode.NOERROR
    assert not any("web" in name for name, _, _ in on_host.asked + inside.asked)


def test_ports_and_numbers_cannot_be_guessed(resolver: Resolver, container: Make, upstream: Servers) -> None:
    one, server = container(), upstream()
    _set_up(resolver, one, server.facts(from_host=True))
    for number in range(20):
        assert one.ask(f"{number}.example.org", id=7).id == 7
    assert len(server.ports) > 10
    assert len({identifier for _, _, identifier in server.asked}) > 10


def test_a_forged_answer_is_passed_over(resolver: Resolver, container: Make, upstream: Servers) -> None:
    one, server = container(), upstream()

    def forge(query: dns.message.Message) -> bytes:
        """Says three wrong things before the right one."""
        asker = server._datagrams
        right = answer_with(query, "203.0.113.7")
        other = dns.message.make_query("other.example.", "A", id=query.id)
        for wrong in (
            (query.id ^ 0x55).to_bytes(2, "big") + answer_with(query, "198.51.100.1")[2:],
            answer_with(other, "198.51.100.1"),
            query.to_wire(),
        ):
            asker.sendto(wrong, ("127.0.0.1", next(iter(server.ports))))
        return right

    server.answer = forge
    _set_up(resolver, one, server.facts(from_host=True))
    assert one.addresses("example.org") == ["203.0.113.7"]


def test_the_next_server_is_asked(resolver: Resolver, container: Make, upstream: Servers) -> None:
    one, failing, good = container(), upstream(), upstream()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as unused:
        unused.bind(("127.0.0.1", 0))
        closed = ["127.0.0.1", True, unused.getsockname()[1]]
    for code in (dns.rcode.SERVFAIL, dns.rcode.REFUSED):

        def refuse(query: dns.message.Message, code: dns.rcode.Rcode = code) -> bytes:
            answer = dns.message.make_response(query)
            answer.set_rcode(code)
            return answer.to_wire()

        failing.answer = refuse
        servers = (closed, failing.facts(from_host=True), good.facts(from_host=True))
        _set_up(resolver, one, *servers)
        for tcp in (False, True):
            assert one.addresses("example.org", tcp=tcp) == ["203.0.113.7"]
        _set_up(resolver, one, *servers[:2])
        assert one.ask("example.org").rcode() == dns.rcode.SERVFAIL


def test_a_server_that_says_nothing(resolver: Resolver, container: Make, upstream: Servers) -> None:
    one, silent, good = container(), upstream(), upstream()
    silent.answer = lambda _: None
    _set_up(resolver, one, silent.facts(from_host=True), good.facts(from_host=True))
    with one.socket() as slow:
        slow.connect(("127.0.0.11", 53))
        slow.send(dns.message.make_query("example.org.", "A").to_wire())
        assert one.addresses("web") == ["10.0.0.2"], "others do not wait"
        answer = dns.message.from_wire(slow.recv(512))
    assert answer.answer[0][0].to_text() == "203.0.113.7"


def test_that_there_is_no_such_name_is_an_answer(
    resolver: Resolver, container: Make, upstream: Servers
) -> None:
    one, first, second = container(), upstream(), upstream()

    def unknown(query: dns.message.Message) -> bytes:
        answer = dns.message.make_response(query)
        answer.set_rcode(dns.rcode.NXDOMAIN)
        return answer.to_wire()

    first.answer = unknown
    _set_up(resolver, one, first.facts(from_host=True), second.facts(from_host=True))
    assert one.ask("example.org").rcode() == dns.rcode.NXDOMAIN
    assert not second.asked


def test_what_is_cut_short_is_had_by_tcp(resolver: Resolver, container: Make, upstream: Servers) -> None:
    one, server = container(), upstream()
    many = [f"203.0.113.{number}" for number in range(200)]
    server.answer = lambda query: (
        answer_with(query, *many) if server.asked[-1][1] == "tcp" else answer_with(query, flags=dns.flags.TC)
    )
    _set_up(resolver, one, server.facts(from_host=True))
    assert one.ask("example.org").flags & dns.flags.TC
    assert sorted(one.addresses("example.org", tcp=True)) == sorted(many)


def test_who_cannot_go_out_does_not_ask_out(resolver: Resolver, container: Make, upstream: Servers) -> None:
    one = container()
    on_host, inside = upstream(), upstream(one)
    _set_up(resolver, one, on_host.facts(from_host=True), external=False)
    assert one.ask("example.org").rcode() == dns.rcode.SERVFAIL
    assert not on_host.asked
    # One that was named for the container, and that it can reach itself, is another matter.
    _set_up(resolver, one, inside.facts(from_host=False), external=False)
    assert one.addresses("example.org") == ["203.0.113.7"]


def test_a_flood_of_one_is_not_the_others(resolver: Resolver, container: Make, upstream: Servers) -> None:
    one, two, silent = container(), container(), upstream()
    silent.answer = lambda _: None
    _set_up(resolver, one, silent.facts(from_host=True))
    resolver.tell("change", askers={"b": {"netns": two.path, "networks": ["n"]}})
    refused = 0
    with one.socket() as flood:
        flood.connect(("127.0.0.11", 53))
        flood.settimeout(0.05)
        for number in range(1400):
            flood.send(dns.message.make_query(f"{number}.example.org.", "A").to_wire())
        assert two.addresses("web") == ["10.0.0.2"]
        try:
            while True:
                refused += dns.message.from_wire(flood.recv(512)).rcode() == dns.rcode.REFUSED
        except TimeoutError:
            pass
    assert refused > 0
    assert one.addresses("web") == ["10.0.0.2"]
