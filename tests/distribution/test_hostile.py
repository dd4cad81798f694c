"""Registries that mean no good: whatever they say, the answer is an error in words."""

import contextlib
import dataclasses
import json
from collections.abc import Callable, Iterator

import pytest
from tests.distribution.conftest import QUICK
from tests.registries import Breaking

from lading.distribution import Credentials, Registries, Repository
from lading.errors import InvalidParameter, LadingError
from lading.oci.image import Descriptor, digest_of

HASTY = dataclasses.replace(QUICK, timeout=0.5)
NO_ADDRESSES = [
    "http://[",
    "http://x:99999/",
    "http://x:port/",
    "http://",
    "//",
    "ftp://x/",
    "file:///etc/passwd",
    "http://a b/\x7f",
    "http://\xe4\xf6\xfc.invalid/",
    "http://" + "a" * 300 + ".invalid/",
    "::::",
]
BLOB = Descriptor(digest=digest_of(b""), size=5)


@pytest.fixture
def hostile() -> Iterator[Breaking]:
    with Breaking() as hostile:
        hostile.fail("GET /v2/$", "status", status=200)
        yield hostile


@pytest.fixture
def repository(hostile: Breaking) -> Repository:
    return Registries(HASTY).repository(hostile.host, "x", Credentials("a", "b"), push=True)


@pytest.mark.parametrize("address", NO_ADDRESSES)
def test_locations(repository: Repository, hostile: Breaking, address: str) -> None:
    hostile.fail("", "status", status=307, headers={"Location": address}, times=99)
    with pytest.raises(LadingError):
        repository.blob(BLOB)
    with pytest.raises(LadingError):
        repository.manifest("v1")
    with pytest.raises(LadingError):
        repository.upload(BLOB.digest, 0, lambda _: iter(()), lambda _: None)


@pytest.mark.parametrize("address", NO_ADDRESSES)
def test_places_to_upload_to(repository: Repository, hostile: Breaking, address: str) -> None:
    hostile.fail("POST ", "status", status=202, headers={"Location": address}, times=99)
    hostile.fail("", "status", status=404, times=99)
    with pytest.raises(LadingError):
        repository.upload(BLOB.digest, 0, lambda _: iter(()), lambda _: None)


@pytest.mark.parametrize("address", NO_ADDRESSES)
def test_realms(repository: Repository, hostile: Breaking, address: str) -> None:
    challenge = {"WWW-Authenticate": f'Bearer realm="{address}",service="s"'}
    hostile.fail("", "status", status=401, headers=challenge, times=99)
    with pytest.raises(LadingError):
        repository.manifest("v1")


@pytest.mark.parametrize("address", NO_ADDRESSES)
def test_next_pages(repository: Repository, hostile: Breaking, address: str) -> None:
    following = {"Link": f'<{address}>; rel="next"'}
    hostile.fail("/tags/list", "status", status=200, body=b'{"tags": ["a"]}', headers=following)
    hostile.fail("", "status", status=404, times=99)
    found: list[str] = []
    # An address that leads nowhere leads back, and nothing is asked twice.
    with contextlib.suppress(LadingError):
        found.extend(repository.tags())
    assert found in ([], ["a"])
    assert len(hostile.seen) <= 3


@pytest.mark.parametrize("address", NO_ADDRESSES)
def test_addresses_of_foreign_layers(repository: Repository, hostile: Breaking, address: str) -> None:
    hostile.fail("", "status", status=404, times=99)
    with pytest.raises(LadingError):
        repository.blob(Descriptor(digest=BLOB.digest, size=5, urls=[address]))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b"\xff",
        b"{",
        b'{"token": 5}',
        b'{"token": null}',
        b"[" * 100_000,
        b'{"tags": {}}',
    ],
)
def test_documents(repository: Repository, hostile: Breaking, body: bytes) -> None:
    challenge = {"WWW-Authenticate": f'Bearer realm="{hostile.url}/token"'}
    hostile.fail("GET /token", "status", status=200, body=body, times=99)
    hostile.fail("/blobs/", "status", status=401, headers=challenge, times=99)
    hostile.fail("", "status", status=200, body=body, times=99)
    with pytest.raises(LadingError):
        repository.blob_size(BLOB.digest)
    questions: list[Callable[[], object]] = [
        lambda: repository.manifest("v1"),
        lambda: Registries(QUICK).search(f"{hostile.host}/x", 5),
        lambda: list(repository.tags()),
    ]
    for question in questions:
        with contextlib.suppress(LadingError):
            question()


@pytest.mark.parametrize(
    "headers",
    [
        {"Content-Range": "bytes 7-9/5"},
        {"Content-Range": "bytes */*"},
        {"Content-Range": "bytes 3-" + "9" * 5000 + "/" + "9" * 5000},
        {"Content-Length": "-5"},
        {"Content-Length": "9" * 5000},
        {"Content-Length": "0x5"},
        {"Transfer-Encoding": "chunked", "Content-Length": "5"},
        {"Content-Encoding": "gzip"},
        {"Retry-After": "9" * 5000},
    ],
)
def test_headers(repository: Repository, hostile: Breaking, headers: dict[str, str]) -> None:
    hostile.fail("/blobs/", "status", status=206, headers=headers, body=b"12345", times=99)
    try:
        reader = repository.blob(BLOB, 3)
        while reader.read():
            pass
        repository.blob_size(BLOB.digest)
    except LadingError:
        pass
    status = {"status": 503, "headers": {"Retry-After": "9" * 5000}}
    hostile.fail("/manifests/", "status", times=99, **status)
    with pytest.raises(LadingError):
        repository.manifest("v1")


def test_errors_are_not_shown_without_end(repository: Repository, hostile: Breaking) -> None:
    error = json.dumps({"errors": [{"code": "DENIED", "message": "no" * 10**6}]}).encode()
    hostile.fail("/manifests/", "status", status=403, body=error)
    with pytest.raises(LadingError) as caught:
        repository.manifest("v1")
    assert len(str(caught.value)) < 100_000


@pytest.mark.parametrize(
    "name", ["[", "..", "a b", "x?y=z", "x:99999", "x:", ":5000", "[::1", "-x", "x\ny", "ä.invalid"]
)
def test_names_that_no_registry_has(name: str) -> None:
    registries = Registries(HASTY)
    with pytest.raises(InvalidParameter, match=r"^invalid registry "):
        registries.login(Credentials("a", "b", server_address=name))
    with pytest.raises(InvalidParameter):
        registries.repository(name, "x")
