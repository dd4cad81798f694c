"""Which servers stand for a registry."""

from ipaddress import IPv4Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lading.distribution.endpoints import (
    checked_insecure,
    checked_mirror,
    endpoints_of,
    host_of,
    index_of,
    is_insecure,
    split_term,
)
from lading.errors import InvalidParameter


def _urls(domain: str, *mirrors: str, insecure: bool = False, push: bool = False) -> list[str]:
    return [endpoint.url for endpoint in endpoints_of(domain, mirrors, insecure=insecure, push=push)]


def test_docker_hub_and_its_mirrors() -> None:
    assert _urls("docker.io") == ["https://registry-1.docker.io"]
    assert _urls("docker.io", "http://m:1/", "https://n/") == [
        "http://m:1",
        "https://n",
        "https://registry-1.docker.io",
    ]
    assert _urls("docker.io", "http://m:1/", push=True) == ["https://registry-1.docker.io"]


def test_other_registries() -> None:
    assert _urls("ghcr.io", "http://m/") == ["https://ghcr.io"]
    assert _urls("127.0.0.1:5000", insecure=True) == ["https://127.0.0.1:5000", "http://127.0.0.1:5000"]
    assert [e.verified for e in endpoints_of("x:1", (), insecure=True, push=False)] == [False, False]
    assert endpoints_of("x:1", (), insecure=False, push=False)[0].verified


@pytest.mark.parametrize(
    ("domain", "addresses", "insecure", "expected"),
    [
        ("127.0.0.1:5000", ["127.0.0.1"], ["127.0.0.0/8"], True),
        ("localhost:5000", ["::1", "127.0.0.1"], ["::1/128"], True),
        ("reg.lan:5000", ["10.1.2.3"], ["10.0.0.0/8"], True),
        ("reg.lan:5000", ["10.1.2.3"], ["reg.lan:5000"], True),
        ("reg.lan:5001", ["10.1.2.3"], ["reg.lan:5000"], False),
        ("reg.lan:5001", ["10.1.2.3"], ["reg.lan"], False),
        ("reg.lan", ["fe80::1%eth0"], ["fe80::/10"], True),
        ("reg.lan", [], ["10.0.0.0/8"], False),
        ("docker.io", ["127.0.0.1"], ["127.0.0.0/8"], False),
    ],
)
def test_which_registries_are_insecure(
    domain: str, addresses: list[str], insecure: list[str], expected: bool
) -> None:
    assert is_insecure(domain, insecure, addresses) is expected


@given(st.ip_addresses(v=4))
def test_every_loopback_address_is_insecure_and_no_other(address: IPv4Address) -> None:
    assert is_insecure(f"{address}:5000", ["127.0.0.0/8"], [str(address)]) == address.is_loopback


def test_hosts_and_server_addresses() -> None:
    assert [host_of(text) for text in ("a.b:5000", "a.b", "[::1]:5000")] == ["a.b", "a.b", "::1"]
    for text in ("", "https://index.docker.io/v1/", "docker.io", "registry-1.docker.io", " index.docker.io "):
        assert index_of(text) == "docker.io"
    assert index_of("https://reg.example:5000/v2/") == "reg.example:5000"
    assert index_of("reg.example/some/path") == "reg.example"


def test_search_terms() -> None:
    assert split_term("busybox") == ("docker.io", "busybox")
    assert split_term("library/busybox") == ("docker.io", "busybox")
    assert split_term("ada/engine") == ("docker.io", "ada/engine")
    assert split_term("index.docker.io/ada/engine") == ("docker.io", "ada/engine")
    assert split_term("localhost/engine") == ("localhost", "engine")
    assert split_term("reg:5000/ada/engine") == ("reg:5000", "ada/engine")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("https://m.example", "https://m.example/"),
        ("http://m.example:5000/", "http://m.example:5000/"),
        ("https://m.example/cache/", "https://m.example/cache/"),
    ],
)
def test_mirrors(text: str, expected: str) -> None:
    assert checked_mirror(text) == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "m.example:5000",
            "no scheme specified for \"m.example:5000\": must use either 'https://' or 'http://'",
        ),
        (
            "ftp://m.example",
            "unsupported scheme \"ftp\" in \"ftp://m.example\": must use either 'https://' or 'http://'",
        ),
        ("https://m.example/?a=b", 'query or fragment at end of the URI "https://m.example/?a=b"'),
        (
            "https://ada:secret@m.example",
            'username/password not allowed in URI "https://ada:xxxxx@m.example"',
        ),
        ("https://", '"https://" is not a valid URI'),
        ("https://[m", '"https://[m" is not a valid URI'),
    ],
)
def test_what_is_no_mirror(text: str, message: str) -> None:
    with pytest.raises(InvalidParameter) as caught:
        checked_mirror(text)
    assert str(caught.value) == f"invalid mirror: {message}"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("reg.example:5000", "reg.example:5000"),
        ("HTTP://reg.example", "reg.example"),
        ("10.1.2.3/8", "10.0.0.0/8"),
        ("2001:db8::/32", "2001:db8::/32"),
        ("[2001:db8::1]:80", "[2001:db8::1]:80"),
        ("2001:db8::1", "2001:db8::1"),
    ],
)
def test_insecure_registries(text: str, expected: str) -> None:
    assert checked_insecure(text) == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("svn://x", "insecure registry svn://x should not contain '://'"),
        (
            "-x",
            "insecure registry -x is not valid: invalid index name (-x). Cannot begin or end with a hyphen",
        ),
        ("mytest-.com", 'insecure registry mytest-.com is not valid: invalid host "mytest-.com"'),
        ("x/y", 'insecure registry x/y is not valid: invalid host "x/y"'),
        ("x:500000", 'insecure registry x:500000 is not valid: invalid port "500000"'),
    ],
)
def test_what_is_no_registry(text: str, message: str) -> None:
    with pytest.raises(InvalidParameter) as caught:
        checked_insecure(text)
    assert str(caught.value) == message
