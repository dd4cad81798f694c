"""Proxies, as Go's client chooses them."""

import pytest

from lading.distribution.proxies import Proxies, masked, proxies_of


@pytest.mark.parametrize(
    ("url", "none_for", "expected"),
    [
        ("https://reg.example/v2/", "", "http://secure:2"),
        ("http://reg.example/v2/", "", "http://plain:1"),
        ("http://localhost:5000/", "", ""),
        ("http://127.4.5.6:5000/", "", ""),
        ("http://[::1]:5000/", "", ""),
        ("https://reg.example/", "*", ""),
        ("https://reg.example/", "example", ""),
        ("https://reg.example/", ".example", ""),
        ("https://example/", ".example", "http://secure:2"),
        ("https://example/", "*.example", "http://secure:2"),
        ("https://reg.example/", "*.example", ""),
        ("https://regexample/", "example", "http://secure:2"),
        ("https://reg.example/", "other, REG.EXAMPLE ,", ""),
        ("https://reg.example:5000/", "reg.example:5000", ""),
        ("https://reg.example/", "reg.example:5000", "http://secure:2"),
        ("https://reg.example/", "reg.example:443", ""),
        ("https://10.1.2.3/", "10.0.0.0/8", ""),
        ("https://11.1.2.3/", "10.0.0.0/8", "http://secure:2"),
        ("https://10.1.2.3/", "10.1.2.3", ""),
        ("https://[2001:db8::1]/", "2001:db8::1", ""),
        ("https://[2001:db8::1]:5000/", "[2001:db8::1]:5000", ""),
        ("https://reg.example/", "no/network", "http://secure:2"),
    ],
)
def test_who_is_asked_directly(url: str, none_for: str, expected: str) -> None:
    assert Proxies("plain:1", "http://secure:2", none_for).proxy_for(url) == expected


def test_settings_go_before_the_environment() -> None:
    environment = {"HTTP_PROXY": "a", "https_proxy": "b", "NO_PROXY": "c", "no_proxy": "d"}
    assert proxies_of("", "", "", environment) == Proxies("a", "b", "c")
    assert proxies_of("x", "", "z", environment) == Proxies("x", "b", "z")


def test_nobody_is_shown_a_password() -> None:
    assert masked("http://ada:secret@proxy:1/") == "http://xxxxx:xxxxx@proxy:1/"
    assert masked("ada:secret@proxy:1") == "xxxxx:xxxxx@proxy:1"
    assert masked("http://proxy:1") == "http://proxy:1"
