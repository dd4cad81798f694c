"""Messages, with dnspython for a second opinion."""

import struct
from ipaddress import IPv4Address, IPv6Address
from typing import Any

import dns.edns
import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lading.dns import message

_LABEL = st.text("abcdefghijklmnopqrstuvwxyz0123456789-_", min_size=1, max_size=20)
_NAMES = st.lists(_LABEL, min_size=1, max_size=6).map(".".join)


def _query(name: str, kind: str = "A", **words: Any) -> bytes:
    return dns.message.make_query(name + ".", kind, **words).to_wire()


@given(_NAMES, st.sampled_from(["A", "AAAA", "PTR", "ANY", "TXT"]), st.sampled_from([None, 512, 1232, 4096]))
def test_a_query_means_what_its_writer_meant(name: str, kind: str, payload: int | None) -> None:
    words = {} if payload is None else {"use_edns": 0, "payload": payload}
    query = message.parse(_query(name.upper(), kind, **words))
    assert query.name == name.lower().encode()
    assert query.kind == dns.rdatatype.from_text(kind)
    assert query.edns == (payload is not None)
    assert query.limit == (payload or 512)


@given(_NAMES, st.lists(st.ip_addresses(v=4), max_size=5), st.booleans())
def test_an_answer_is_read_as_it_was_meant(name: str, addresses: list[IPv4Address], edns: bool) -> None:
    asked = dns.message.make_query(name + ".", "A", use_edns=0 if edns else -1, payload=4096 if edns else 0)
    query = message.parse(asked.to_wire())
    answer = message.answer(query, tuple((message.A, bytes(address.packed)) for address in addresses))
    read = dns.message.from_wire(answer)
    assert asked.is_response(read)
    assert read.rcode() == dns.rcode.NOERROR
    assert (read.edns == 0) is edns
    assert read.flags & dns.flags.RA
    assert not read.flags & dns.flags.TC
    assert sorted(str(record) for rrset in read.answer for record in rrset) == sorted(
        {str(address) for address in addresses}
    )


def _said_to(packet: bytes) -> bytes:
    """The answer, if any."""
    try:
        return message.answer(message.parse(packet), ())
    except message.Ignored:
        return b""
    except message.Refusal as refusal:
        return refusal.answer


@given(st.binary(max_size=600))
def test_whatever_comes_is_answered_or_ignored(packet: bytes) -> None:
    answer = _said_to(packet)
    assert answer[:2] == (packet[:2] if answer else b"")
    assert not answer or dns.message.from_wire(answer, one_rr_per_rrset=True)


@given(_NAMES, st.data())
def test_a_damaged_query_ends_nothing(name: str, data: st.DataObject) -> None:
    packet = bytearray(_query(name, use_edns=0, payload=1232))
    for _ in range(3):
        packet[data.draw(st.integers(0, len(packet) - 1))] = data.draw(st.integers(0, 255))
    answer = _said_to(bytes(packet))
    assert not answer or answer[:2] == packet[:2]


@given(st.sampled_from([0, 600, 1232]), st.integers(1, 200))
def test_what_does_not_fit_is_said_to_be_left_out(payload: int, count: int) -> None:
    query = message.parse(_query("many", use_edns=0, payload=payload) if payload else _query("many"))
    records = tuple((message.A, struct.pack("!I", 0x0A000000 + number)) for number in range(count))
    answer = message.answer(query, records)
    limit = max(512, payload)
    read = dns.message.from_wire(answer)
    told = sum(len(rrset) for rrset in read.answer)
    assert len(answer) <= limit
    assert bool(read.flags & dns.flags.TC) == (told < count)
    assert len(answer) + 16 > limit or told == count
    by_tcp = dns.message.from_wire(message.answer(query, records, limit=message.LARGEST))
    assert sum(len(rrset) for rrset in by_tcp.answer) == count


@pytest.mark.parametrize(
    ("packet", "code"),
    [
        (struct.pack("!6H", 7, 0x0100, 0, 0, 0, 0), dns.rcode.FORMERR),
        (struct.pack("!6H", 7, 0x0100, 2, 0, 0, 0) + b"\1a\0\0\1\0\1" * 2, dns.rcode.FORMERR),
        (struct.pack("!6H", 7, 0x0100, 1, 0, 0, 0) + b"\xc0\x0c\0\1\0\1", dns.rcode.FORMERR),
        (struct.pack("!6H", 7, 0x0100, 1, 0, 0, 0) + b"\1a", dns.rcode.FORMERR),
        (struct.pack("!6H", 7, 0x2100, 1, 0, 0, 0) + b"\1a\0\0\1\0\1", dns.rcode.NOTIMP),
    ],
)
def test_what_is_no_question_is_told_so(packet: bytes, code: dns.rcode.Rcode) -> None:
    with pytest.raises(message.Refusal) as refusal:
        message.parse(packet)
    assert dns.message.from_wire(refusal.value.answer).rcode() == code


def test_a_newer_edns_is_not_pretended() -> None:
    with pytest.raises(message.Refusal) as refusal:
        message.parse(_query("web", use_edns=1, payload=1232))
    assert dns.message.from_wire(refusal.value.answer).rcode() == dns.rcode.BADVERS


@pytest.mark.parametrize(
    "packet", [b"", b"\0" * 11, dns.message.make_response(dns.message.make_query("a.", "A")).to_wire()]
)
def test_what_is_no_query_gets_no_answer(packet: bytes) -> None:
    with pytest.raises(message.Ignored):
        message.parse(packet)


@given(st.ip_addresses())
def test_reverse_names_are_addresses(address: IPv4Address | IPv6Address) -> None:
    assert message.reversed_address(address.reverse_pointer.encode()) == address.packed


@pytest.mark.parametrize(
    "name", [b"1.2.3.in-addr.arpa", b"01.2.3.4.in-addr.arpa", b"x.ip6.arpa", b"300.1.1.1.in-addr.arpa"]
)
def test_others_are_none(name: bytes) -> None:
    assert message.reversed_address(name) is None


def test_only_the_answer_to_a_question_counts() -> None:
    asked = dns.message.make_query("example.org.", "A")
    query = message.parse(asked.to_wire())
    answer = dns.message.make_response(asked).to_wire()
    assert message.belongs(answer, query, asked.id)
    assert not message.belongs(answer, query, asked.id ^ 1)
    assert not message.belongs(asked.to_wire(), query, asked.id)
    other = dns.message.make_query("example.com.", "A", id=asked.id)
    assert not message.belongs(dns.message.make_response(other).to_wire(), query, asked.id)
