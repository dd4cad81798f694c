"""Addresses and subnets."""

from ipaddress import IPv4Address, IPv4Interface, IPv4Network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lading.errors import InternalError, InvalidParameter
from lading.network.ipam import mac_of, next_free
from lading.network.subnets import choose

SUBNET = IPv4Network("10.231.1.0/28")
EVERY_HOST = set(SUBNET.hosts())


@given(
    used=st.sets(st.sampled_from(sorted(EVERY_HOST))), last=st.none() | st.sampled_from(sorted(EVERY_HOST))
)
def test_the_address_is_free_and_a_hosts(used: set[IPv4Address], last: IPv4Address | None) -> None:
    if used == EVERY_HOST:
        with pytest.raises(InternalError, match="no available IPv4 addresses"):
            next_free(SUBNET, SUBNET, used, last)
    else:
        assert next_free(SUBNET, SUBNET, used, last) in EVERY_HOST - used


@given(moves=st.lists(st.integers(0, 13), max_size=60))
def test_an_address_given_back_comes_last(moves: list[int]) -> None:
    """What was given out last is not given out next while anything else is free."""
    used: dict[IPv4Address, None] = {}
    last: IPv4Address | None = None
    freed: list[IPv4Address] = sorted(EVERY_HOST)
    for move in moves:
        if move < len(used):
            given_back = list(used)[move]
            del used[given_back]
            freed.append(given_back)
        elif freed:
            address = next_free(SUBNET, SUBNET, used, last)
            assert address not in used
            if last is not None and len(freed) > 1:
                assert address != last
            freed.remove(address)
            used[address] = None
            last = address


def test_a_pool_within_the_subnet() -> None:
    pool = IPv4Network("10.231.1.8/30")
    used: set[IPv4Address] = set()
    while len(used) < 4:
        used.add(next_free(SUBNET, pool, used, None))
    assert used == set(pool)
    # The last quarter ends with the broadcast address, which is no host's.
    pool = IPv4Network("10.231.1.12/30")
    assert next_free(SUBNET, pool, {pool[0], pool[1]}, pool[1]) == pool[2]
    with pytest.raises(InternalError):
        next_free(SUBNET, pool, set(list(pool)[:3]), None)


def test_hardware_addresses_are_dockers() -> None:
    assert mac_of(IPv4Address("172.17.0.2")) == "02:42:ac:11:00:02"


TAKEN = [IPv4Network("0.0.0.0/0"), IPv4Network("172.17.9.0/24"), IPv4Network("172.18.0.0/15")]


def test_the_first_pool_that_hides_no_route() -> None:
    assert str(choose(None, None, [])) == "172.17.0.1/16"
    assert str(choose(None, None, TAKEN)) == "172.20.0.1/16"
    every_private = [IPv4Network("172.16.0.0/12")]
    assert str(choose(None, None, every_private)) == "192.168.0.1/20"
    with pytest.raises(InternalError, match="--bip"):
        choose(None, None, [*every_private, IPv4Network("192.168.0.0/16")])


def test_the_subnet_of_before_is_kept_while_it_is_free() -> None:
    before = IPv4Interface("172.25.0.1/16")
    assert choose(None, before, TAKEN) == before
    assert str(choose(None, before, [*TAKEN, IPv4Network("172.25.3.0/24")])) == "172.20.0.1/16"


def test_what_was_asked_for_may_lie_within_a_wider_route() -> None:
    asked = IPv4Interface("10.1.2.1/24")
    assert choose(asked, None, [IPv4Network("10.0.0.0/8")]) == asked
    with pytest.raises(InvalidParameter, match=r"overlaps the host's route to 10\.1\.2\.128/25"):
        choose(asked, None, [IPv4Network("10.1.2.128/25")])
