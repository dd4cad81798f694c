"""Registries that say too much, or what cannot be said on."""

import itertools
import json

import pytest
from tests.distribution.conftest import QUICK
from tests.registries import Breaking
from tests.web_server import Handler, serve

from lading.distribution import Credentials, Registries, Unreachable
from lading.distribution.certificates import Trust
from lading.distribution.challenge import Challenge
from lading.distribution.proxies import Proxies
from lading.distribution.tokens import Authorizer
from lading.distribution.transport import Transport
from lading.errors import InvalidParameter, LadingError, Unauthorized


@pytest.mark.parametrize("token", ["a\nb", "a\r\nX-Other: y", "\u2603", "\x00"])
def test_tokens_that_no_header_field_can_hold(token: str) -> None:
    with Breaking() as hostile:
        challenge = {"WWW-Authenticate": f'Bearer realm="{hostile.url}/token"'}
        hostile.fail("/token", "status", status=200, body=json.dumps({"token": token}).encode(), times=9)
        hostile.fail("", "status", status=401, headers=challenge, times=9)
        with pytest.raises(LadingError, match='invalid header field value for "Authorization"'):
            Registries(QUICK).repository(hostile.host, "x").manifest("v1")
        known = Credentials(registry_token=token)
        with pytest.raises(LadingError, match='invalid header field value for "Authorization"'):
            Registries(QUICK).repository(hostile.host, "x", known).manifest("v1")


def test_tags_without_an_end() -> None:
    numbers = itertools.count()

    def endless(request: Handler) -> None:
        link = f"</v2/x/tags/list?last={next(numbers)}>; rel=next"
        tags = [f"{'t' * 120}{number}" for number in range(5000)]
        request.answer(200, json.dumps({"tags": tags}).encode(), {"Link": link})

    server = serve(endless)
    try:
        tags = Registries(QUICK).repository(f"127.0.0.1:{server.server_port}", "x").tags()
        with pytest.raises(LadingError, match=r"the list of tags of .*/x is longer than 16777216 bytes"):
            for _ in tags:
                pass
    finally:
        server.shutdown()
        server.server_close()


@pytest.mark.timeout(20)
@pytest.mark.parametrize("links", ["<a>;" * 16000, "<" * 60000, "<a>; rel=" * 6000])
def test_links_that_take_long_to_read(links: str) -> None:
    with Breaking() as hostile:
        hostile.fail("/tags/", "status", status=200, body=b'{"tags": ["a"]}', headers={"Link": links})
        hostile.fail("", "status", status=200)
        assert list(Registries(QUICK).repository(hostile.host, "x").tags()) == ["a"]


@pytest.mark.parametrize(
    "link", ['<{}>; rel="next"', "<{}>;rel=next", '</other>; rel="prev", <{}>; title="x"; REL = next']
)
def test_the_next_page_of_tags(link: str) -> None:
    with Breaking() as registry:
        following = {"Link": link.format("/v2/x/tags/list?n=1&last=a")}
        registry.fail("/tags/list.n=1000$", "status", status=200, body=b'{"tags": ["a"]}', headers=following)
        registry.fail("/tags/list.n=1&last=a$", "status", status=200, body=b'{"tags": ["b"]}')
        registry.fail("", "status", status=200)
        assert list(Registries(QUICK).repository(registry.host, "x").tags()) == ["a", "b"]


def test_ports_of_thousands_of_digits() -> None:
    with pytest.raises(InvalidParameter, match=r"^invalid registry "):
        Registries(QUICK).repository("a:" + "1" * 5000, "x")


def test_what_signs_an_address_is_not_shown() -> None:
    with Breaking() as registry:
        signed = {"Location": "http://127.0.0.1:1/blob?X-Amz-Signature=secret&x=y"}
        registry.fail("/manifests/", "status", status=307, headers=signed, times=9)
        registry.fail("", "status", status=200)
        with pytest.raises(Unreachable) as caught:
            Registries(QUICK).repository(registry.host, "x").manifest("v1")
    assert 'Get "http://127.0.0.1:1/blob": ' in caught.value.message


def test_a_file_for_those_who_know_the_password() -> None:
    with Breaking() as server, Breaking() as other:
        server.fail("", "status", status=307, headers={"Location": f"{other.url}/y"})
        other.fail("", "status", status=200, body=b"all of it")
        reader = Registries(QUICK).download(f"http://ada:en%40%3A@{server.host}/x")
        assert reader.read() == b"all of it"
        assert server.seen[0].headers["authorization"] == "Basic YWRhOmVuQDo="
        # It is said to the one it is for.
        assert "authorization" not in other.seen[0].headers


def test_a_scheme_in_capitals_is_no_more_encrypted() -> None:
    transport = Transport(Trust(), Proxies(), 1, "test")
    authorizer = Authorizer(transport, Credentials("ada", "secret"), "repository:x:pull", private=True)
    authorizer.learn([Challenge("bearer", {"realm": "HTTP://127.0.0.1:1/token"})])
    with pytest.raises(Unauthorized, match="which is not encrypted"):
        authorizer.header()
