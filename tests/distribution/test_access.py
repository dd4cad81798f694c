"""Who asks: passwords, tokens, logging in."""

import dataclasses
import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.distribution.conftest import QUICK
from tests.distribution.parcels import BLOB, give, give_image, whole
from tests.registries import PASSWORD, USER, Breaking, Registry, TokenServer, needs_registry

from lading.distribution import Credentials, Registries, Unreachable
from lading.errors import LadingError, NotFound, Unauthorized
from lading.oci.image import Descriptor, digest_of

pytestmark = needs_registry

ADA = Credentials(USER, PASSWORD)
WRONG = Credentials(USER, "wrong")


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    with Registry(tmp_path_factory.mktemp("guarded"), auth="htpasswd") as registry:
        yield registry


@pytest.fixture(scope="module")
def tokens(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TokenServer]:
    with TokenServer(tmp_path_factory.mktemp("tokens")) as server:
        yield server


@pytest.fixture(scope="module")
def ticketed(tmp_path_factory: pytest.TempPathFactory, tokens: TokenServer) -> Iterator[Registry]:
    with Registry(tmp_path_factory.mktemp("ticketed"), auth=tokens) as registry:
        yield registry


def _login(registry: Registry, credentials: Credentials) -> tuple[str, str]:
    named = Credentials(
        credentials.username, credentials.password, credentials.identity_token, "", registry.host
    )
    login = Registries(QUICK).login(named)
    return login.status, login.identity_token


def test_a_password_opens(guarded: Registry) -> None:
    repository = Registries(QUICK).repository(guarded.host, "x", ADA, push=True)
    digest, _ = give_image(repository, "v1")
    assert repository.manifest("v1").digest == digest


def test_no_password_and_a_wrong_one(guarded: Registry) -> None:
    with pytest.raises(Unauthorized, match=r'^Get "http://.*/v2/x/manifests/v1": no basic auth credentials$'):
        Registries(QUICK).repository(guarded.host, "x").manifest("v1")
    with pytest.raises(Unauthorized, match=r"^unauthorized: authentication required$"):
        Registries(QUICK).repository(guarded.host, "x", WRONG).manifest("v1")


def test_logging_in_with_a_password(guarded: Registry) -> None:
    assert _login(guarded, ADA) == ("Login Succeeded", "")
    with pytest.raises(LadingError) as caught:
        _login(guarded, WRONG)
    assert str(caught.value) == (
        f"login attempt to http://{guarded.host}/v2/ failed with status: 401 Unauthorized"
    )


def test_logging_in_where_nobody_asks(registry: Registry) -> None:
    assert _login(registry, WRONG) == ("Login Succeeded", "")


def test_one_token_serves_many_requests(ticketed: Registry, tokens: TokenServer) -> None:
    tokens.asked.clear()
    repository = Registries(QUICK).repository(ticketed.host, "public/x", ADA, push=True)
    give_image(repository, "v1")
    assert tokens.asked == [("GET", USER, ("repository:public/x:pull,push",))]
    tokens.asked.clear()
    stranger = Registries(QUICK).repository(ticketed.host, "public/x")
    stranger.manifest("v1")
    stranger.describe("v1")
    assert tokens.asked == [("GET", "", ("repository:public/x:pull",))]


def test_a_token_that_does_not_reach(ticketed: Registry) -> None:
    with pytest.raises(NotFound) as caught:
        Registries(QUICK).repository(ticketed.host, "private/x").manifest("v1")
    assert str(caught.value) == (
        f"pull access denied for {ticketed.host}/private/x, repository does not exist or may require "
        "'docker login': denied: requested access to the resource is denied"
    )
    with pytest.raises(LadingError, match=r"^denied: requested access to the resource is denied$"):
        give(Registries(QUICK).repository(ticketed.host, "public/x", push=True), b"not allowed")


def test_a_wrong_password_at_the_token_server(ticketed: Registry) -> None:
    with pytest.raises(
        Unauthorized, match=r'^Get "http://.*/manifests/v1": unauthorized: incorrect username or password$'
    ):
        Registries(QUICK).repository(ticketed.host, "x", WRONG).manifest("v1")


def test_a_token_that_is_not_taken_is_asked_for_once_more(ticketed: Registry, tokens: TokenServer) -> None:
    repository = Registries(QUICK).repository(ticketed.host, "public/y", ADA, push=True)
    tokens.spoiled = 1
    blob = give(repository, BLOB)
    assert whole(repository.blob(blob)) == BLOB
    tokens.spoiled = 99
    with pytest.raises(LadingError, match=r"authentication required|invalid_token"):
        give(Registries(QUICK).repository(ticketed.host, "public/z", ADA, push=True), b"never")
    tokens.spoiled = 0


def test_a_token_server_that_is_out_of_order_for_a_moment() -> None:
    with Breaking() as server:
        challenge = f'Bearer realm="{server.url}/token",service="s"'
        with Breaking() as registry:
            registry.fail("GET /v2/$", "status", status=401, headers={"WWW-Authenticate": challenge})
            registry.fail("HEAD .*/blobs/", "status", status=200, headers={"Content-Length": "5"})
            server.fail("GET /token", "status", status=503)
            server.fail("GET /token", "status", status=307, headers={"Location": "/elsewhere"})
            server.fail("GET /elsewhere", "status", status=200, body=b'{"access_token": "t"}')
            repository = Registries(QUICK).repository(registry.host, "x", ADA)
            assert repository.blob_size(digest_of(b"")) == 5
            assert registry.seen[-1].headers["authorization"] == "Bearer t"
            assert server.seen[-1].headers["authorization"].startswith("Basic ")


def test_a_password_is_not_sent_in_the_clear_on_behalf_of_a_registry_with_tls(
    tokens: TokenServer, tmp_path: Path, certificates: Path, certs_d: Callable[[str], Path]
) -> None:
    with Registry(tmp_path / "registry", auth=tokens, tls=certificates) as registry:
        directory = certs_d(registry.host)
        shutil.copy(certificates / "ca.pem", directory / "ca.crt")
        settings = dataclasses.replace(QUICK, certificates=(str(directory.parent),), insecure=())
        tokens.asked.clear()
        with pytest.raises(Unauthorized, match="which is not encrypted: credentials are not sent there"):
            Registries(settings).repository(registry.host, "public/x", ADA).manifest("v1")
        assert tokens.asked == []
        with pytest.raises(NotFound):
            Registries(settings).repository(registry.host, "public/x").manifest("v1")
        assert tokens.asked == [("GET", "", ("repository:public/x:pull",))]


def test_taking_over_asks_for_both_repositories(ticketed: Registry, tokens: TokenServer) -> None:
    blob = give(Registries(QUICK).repository(ticketed.host, "a", ADA, push=True), BLOB)
    tokens.asked.clear()
    other = Registries(QUICK).repository(ticketed.host, "b", ADA, push=True)
    assert other.mount(blob.digest, "a")
    assert tokens.asked[-1] == ("GET", USER, ("repository:b:pull,push", "repository:a:pull"))


def test_an_identity_token_instead_of_the_password(ticketed: Registry, tokens: TokenServer) -> None:
    status, identity = _login(ticketed, ADA)
    assert (status, identity) == ("Login Succeeded", "identity-of-ada")
    tokens.asked.clear()
    holder = Credentials(identity_token=identity)
    give(Registries(QUICK).repository(ticketed.host, "private/y", holder, push=True), BLOB)
    assert tokens.asked == [("POST", USER, ("repository:private/y:pull,push",))]
    assert _login(ticketed, holder)[0] == "Login Succeeded"


def test_logging_in_with_a_wrong_password_at_the_token_server(ticketed: Registry) -> None:
    with pytest.raises(Unauthorized) as caught:
        _login(ticketed, WRONG)
    assert str(caught.value) == (
        f'Get "http://{ticketed.host}/v2/": unauthorized: incorrect username or password'
    )


def test_logging_in_where_nobody_is() -> None:
    with pytest.raises(
        Unreachable, match=r'^Get "http://127.0.0.1:1/v2/": dial tcp 127.0.0.1:1: connect: conn'
    ):
        Registries(QUICK).login(Credentials(USER, PASSWORD, server_address="127.0.0.1:1"))


def test_a_registry_token_is_shown_as_it_is(breaking: Breaking) -> None:
    repository = Registries(QUICK).repository(breaking.host, "x", Credentials(registry_token="t0ken"))
    repository.blob_size(digest_of(b""))
    assert breaking.matching("HEAD ")[0].headers["authorization"] == "Bearer t0ken"


def test_a_storage_elsewhere_is_not_told_the_password(guarded: Registry) -> None:
    give(Registries(QUICK).repository(guarded.host, "x", ADA, push=True), BLOB)
    with Breaking(guarded) as front, Breaking() as storage:
        storage.fail("GET /signed", "status", status=200, body=BLOB)
        front.fail("GET .*/blobs/", "status", status=307, headers={"Location": f"{storage.url}/signed"})
        repository = Registries(QUICK).repository(front.host, "x", ADA)
        assert whole(repository.blob(_descriptor())) == BLOB
        assert front.matching("GET .*/blobs/")[0].headers["authorization"].startswith("Basic ")
        assert "authorization" not in storage.seen[0].headers


def _descriptor() -> Descriptor:
    return Descriptor(digest=digest_of(BLOB), size=len(BLOB))


def test_a_mirror_is_not_told_the_password(breaking: Breaking) -> None:
    challenge = {"WWW-Authenticate": 'Basic realm="mirror"'}
    breaking.fail("GET ", "status", status=401, headers=challenge, times=99)
    mirrored = dataclasses.replace(QUICK, mirrors=(f"{breaking.url}/",), https_proxy="http://127.0.0.1:1")
    with pytest.raises(LadingError, match=r"registry-1\.docker\.io"):
        Registries(mirrored).repository("docker.io", "library/x", ADA).manifest("latest")
    assert breaking.seen
    assert not [seen for seen in breaking.seen if "authorization" in seen.headers]


def test_searching(breaking: Breaking) -> None:
    found = {"name": "ada/engine", "description": None, "star_count": 7, "is_official": True}
    body = json.dumps({"results": [found]}).encode()
    breaking.fail("GET /v1/search.q=engine&n=3$", "status", status=200, body=body)
    (result,) = Registries(QUICK).search(f"{breaking.host}/engine", 3)
    assert (result.name, result.description, result.star_count, result.is_official) == (
        "ada/engine",
        "",
        7,
        True,
    )
    breaking.fail("GET /v1/search", "status", status=404, body=b"nothing here")
    with pytest.raises(LadingError, match="Unexpected status code 404"):
        Registries(QUICK).search(f"{breaking.host}/engine", 3)
    with pytest.raises(LadingError, match=r"repository name \(https://x\) should not have a scheme"):
        Registries(QUICK).search("https://x", 3)


def test_searching_with_an_identity_token(ticketed: Registry, tokens: TokenServer) -> None:
    with Breaking(ticketed) as front:
        front.fail("GET /v1/search", "status", status=200, body=b'{"results": []}')
        tokens.asked.clear()
        holder = Credentials(identity_token=f"identity-of-{USER}")
        assert Registries(QUICK).search(f"{front.host}/engine", 3, holder) == []
        assert tokens.asked == [("POST", USER, ("registry:catalog:search",))]
        assert front.matching("GET /v1/search")[0].headers["authorization"].startswith("Bearer ")
