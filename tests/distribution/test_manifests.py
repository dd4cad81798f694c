"""Manifests and tags, and how a registry's refusals are told."""

import dataclasses
import json

import pytest
from tests.distribution.conftest import QUICK
from tests.distribution.parcels import BLOB, give_image, whole
from tests.registries import Breaking, Registry, free_port, needs_registry

from lading.distribution import (
    Interrupted,
    Registries,
    RegistrySettings,
    Repository,
    TooManyRequests,
    Unreachable,
)
from lading.errors import Forbidden, InvalidParameter, LadingError, NotFound, Unauthorized
from lading.oci.image import INDEX, MANIFEST, Descriptor, digest_of

pytestmark = needs_registry


def test_an_image_goes_there_and_comes_back(repository: Repository) -> None:
    digest, body = give_image(repository, "v1")
    assert digest == digest_of(body)
    for reference in ("v1", digest):
        fetched = repository.manifest(reference)
        assert (fetched.media_type, fetched.digest, fetched.body) == (MANIFEST, digest, body)
        assert repository.describe(reference) == Descriptor(MANIFEST, digest, len(body))


def test_an_index_keeps_its_kind(repository: Repository) -> None:
    digest, body = give_image(repository, "v1")
    entry = {"mediaType": MANIFEST, "digest": digest, "size": len(body)}
    index = json.dumps({"schemaVersion": 2, "mediaType": INDEX, "manifests": [entry]}).encode()
    repository.put_manifest("all", index, INDEX)
    assert repository.manifest("all").media_type == INDEX
    assert repository.describe("all").media_type == INDEX


def test_all_tags_of_a_repository(repository: Repository) -> None:
    for tag in ("v1", "v2"):
        give_image(repository, tag)
    assert sorted(repository.tags()) == ["v1", "v2"]


def test_tags_come_page_by_page(repository: Repository, breaking: Breaking) -> None:
    following = {"Link": '</v2/x/tags/list?last=v1&n=2>; rel="next"'}
    breaking.fail(
        "tags/list.n=1000$", "status", status=200, body=b'{"tags": ["v0", "v1"]}', headers=following
    )
    breaking.fail("tags/list.last=v1&n=2$", "status", status=200, body=b'{"tags": ["v2"]}')
    assert list(repository.tags()) == ["v0", "v1", "v2"]


def test_a_registry_whose_pages_never_end(repository: Repository, breaking: Breaking) -> None:
    following = {"Link": '</v2/x/tags/list?last=a>; rel="next"'}
    breaking.fail("tags/list", "status", status=200, body=b'{"tags": ["a"]}', headers=following, times=99)
    assert list(repository.tags()) == ["a", "a"]


def test_what_is_not_there(repository: Repository, breaking: Breaking) -> None:
    give_image(repository, "v1")
    name = f"{breaking.host}/t/test_what_is_not_there"
    with pytest.raises(NotFound) as caught:
        repository.manifest("v2")
    assert str(caught.value) == f"manifest for {name}:v2 not found: manifest unknown: manifest unknown"
    with pytest.raises(NotFound, match="manifest unknown: manifest unknown"):
        repository.describe("v2")
    strange = digest_of(b"strange")
    with pytest.raises(NotFound, match=f"manifest for {name}@{strange} not found"):
        repository.manifest(strange)
    nobody = Registries(QUICK).repository(breaking.host, "no/body")
    with pytest.raises(NotFound, match=f"repository {breaking.host}/no/body not found: name unknown"):
        list(nobody.tags())


def _errors(code: str, message: str) -> bytes:
    return json.dumps({"errors": [{"code": code, "message": message}]}).encode()


@pytest.mark.parametrize(
    ("status", "body", "headers", "kind", "text"),
    [
        (401, b"", {}, Unauthorized, "unauthorized: authentication required"),
        (
            401,
            _errors("UNAUTHORIZED", "authentication required"),
            {"WWW-Authenticate": 'Basic realm="x"'},
            Unauthorized,
            "no basic auth credentials",
        ),
        (
            403,
            _errors("DENIED", "requested access to the resource is denied"),
            {},
            NotFound,
            "pull access denied for {name}, repository does not exist or may require 'docker login': "
            "denied: requested access to the resource is denied",
        ),
        (403, b"<html>", {}, Forbidden, "error parsing HTTP 403 response body: "),
        (
            429,
            _errors("TOOMANYREQUESTS", "You have reached your pull rate limit."),
            {"Retry-After": "21600"},
            TooManyRequests,
            "toomanyrequests: You have reached your pull rate limit.",
        ),
        (500, b"oops", {"Retry-After": "0"}, LadingError, "received unexpected HTTP status: 500 Internal"),
    ],
)
def test_refusals_are_worded_as_docker_words_them(
    repository: Repository,
    breaking: Breaking,
    status: int,
    body: bytes,
    headers: dict[str, str],
    kind: type[LadingError],
    text: str,
) -> None:
    breaking.fail("/manifests/", "status", status=status, body=body, headers=headers, times=99)
    with pytest.raises(kind) as caught:
        repository.manifest("v1")
    name = f"{breaking.host}/t/test_refusals_are_worded_as_docker_words_them"
    assert text.format(name=name) in str(caught.value)


def test_a_manifest_that_is_another(repository: Repository, breaking: Breaking) -> None:
    digest, _ = give_image(repository, "v1")
    breaking.fail("GET .*/manifests/", "corrupt", times=2)
    with pytest.raises(LadingError, match=f"manifest verification failed for digest {digest}"):
        repository.manifest(digest)
    with pytest.raises(LadingError, match="manifest verification failed"):
        repository.manifest("v1")


def test_a_manifest_that_breaks_off_is_fetched_again(repository: Repository, breaking: Breaking) -> None:
    _, body = give_image(repository, "v1")
    breaking.fail("GET .*/manifests/", "cut", after=20)
    breaking.fail("GET .*/manifests/", "drop")
    assert repository.manifest("v1").body == body
    breaking.fail("GET .*/manifests/", "cut", after=20, times=99)
    with pytest.raises(Interrupted, match="unexpected EOF"):
        repository.manifest("v1")


@pytest.mark.parametrize(
    ("body", "kind", "text"),
    [
        (b" " * (4 * 1024 * 1024 + 1), "application/json", "is longer than 4194304 bytes"),
        (b"{", MANIFEST, "invalid manifest of .*:v1: "),
        (
            b'{"schemaVersion": 1}',
            "application/json",
            "manifest version 2, schema 1 support has been removed",
        ),
        (b"[]", MANIFEST, "invalid manifest of"),
    ],
)
def test_no_manifest_at_all(
    repository: Repository, breaking: Breaking, body: bytes, kind: str, text: str
) -> None:
    breaking.fail("manifests", "status", status=200, body=body, headers={"Content-Type": kind})
    with pytest.raises(InvalidParameter, match=text):
        repository.manifest("v1")


def test_a_registry_that_cannot_describe(repository: Repository, breaking: Breaking) -> None:
    digest, body = give_image(repository, "v1")
    breaking.fail("HEAD .*/manifests/", "status", status=405)
    assert repository.describe("v1") == Descriptor(MANIFEST, digest, len(body))


def test_nobody_is_there() -> None:
    port = free_port()
    with pytest.raises(Unreachable) as caught:
        Registries(QUICK).repository(f"127.0.0.1:{port}", "x").manifest("latest")
    assert str(caught.value) == (
        f'Get "http://127.0.0.1:{port}/v2/": dial tcp 127.0.0.1:{port}: connect: connection refused'
    )
    with pytest.raises(Unreachable) as caught:
        Registries(QUICK).repository("nosuch.invalid", "x").manifest("latest")
    assert (
        str(caught.value) == 'Get "https://nosuch.invalid/v2/": dial tcp: lookup nosuch.invalid: no such host'
    )


def test_a_mirror_goes_first_and_may_fail(registry: Registry, breaking: Breaking) -> None:
    give_image(Registries(QUICK).repository(registry.host, "library/thing", push=True), "v1")
    mirrored = Registries(_mirrored(f"http://127.0.0.1:{free_port()}/", f"{breaking.url}/"))
    repository = mirrored.repository("docker.io", "library/thing")
    manifest = repository.manifest("v1")
    assert breaking.count("GET /v2/library/thing/manifests/v1") == 1
    layer = json.loads(manifest.body)["layers"][0]
    assert whole(repository.blob(Descriptor(digest=layer["digest"], size=layer["size"]))) == BLOB


def _mirrored(*mirrors: str) -> RegistrySettings:
    return dataclasses.replace(QUICK, mirrors=mirrors)
