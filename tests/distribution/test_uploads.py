"""Blobs on their way to a registry."""

import re
from collections.abc import Iterator

import pytest
from tests.distribution.conftest import QUICK
from tests.distribution.parcels import BLOB, give, reading, whole
from tests.registries import Breaking, needs_registry
from tests.web_server import Handler, serve

from lading.distribution import Interrupted, Registries, Repository
from lading.errors import LadingError
from lading.oci.image import Descriptor, digest_of

pytestmark = needs_registry


@pytest.mark.parametrize("data", [BLOB, b"{}", b""])
def test_a_blob_goes_there_and_tells_how_far_it_is(repository: Repository, data: bytes) -> None:
    digest = digest_of(data)
    told: list[int] = []
    repository.upload(digest, len(data), reading(data), told.append)
    assert repository.blob_size(digest) == len(data)
    assert whole(repository.blob(Descriptor(digest=digest, size=len(data)))) == data
    assert told == sorted(told)
    assert told[-1:] == ([len(data)] if data else [])


@pytest.mark.parametrize(
    ("pattern", "kind", "how"),
    [
        ("PATCH ", "cut-upload", {"after": 200_000}),
        ("PATCH ", "drop", {}),
        ("PATCH ", "status", {"status": 503, "headers": {"Retry-After": "0"}}),
        ("POST ", "drop", {}),
        ("POST ", "status", {"status": 429, "headers": {"Retry-After": "0"}}),
        ("PUT ", "drop", {}),
    ],
)
def test_a_broken_upload_is_tried_again(
    repository: Repository, breaking: Breaking, pattern: str, kind: str, how: dict[str, object]
) -> None:
    breaking.fail(pattern, kind, **how)
    blob = give(repository, BLOB)
    assert repository.blob_size(blob.digest) == len(BLOB)


def test_an_upload_that_always_breaks_is_given_up(repository: Repository, breaking: Breaking) -> None:
    breaking.fail("PATCH ", "cut-upload", after=1000, times=99)
    with pytest.raises(Interrupted):
        give(repository, BLOB)
    assert breaking.count("PATCH ") == 3


def test_a_long_wait_is_left_to_who_asks(repository: Repository, breaking: Breaking) -> None:
    breaking.fail("PATCH ", "status", status=503, headers={"Retry-After": "3600"}, times=99)
    with pytest.raises(Interrupted) as caught:
        give(repository, b"not so busy as that")
    assert caught.value.retry_after == 3600
    assert breaking.count("PATCH ") == 1


def test_another_blob_than_announced_is_refused(repository: Repository) -> None:
    with pytest.raises(LadingError, match="digest invalid"):
        repository.upload(digest_of(b"this"), 4, reading(b"that"), lambda _: None)


def test_whoever_listens_can_stop_it(repository: Repository, breaking: Breaking) -> None:
    class Enough(Exception):
        pass

    def stop(_: int) -> None:
        raise Enough

    with pytest.raises(Enough):
        repository.upload(digest_of(BLOB), len(BLOB), reading(BLOB), stop)
    assert breaking.count("PUT ") == 0


def test_a_blob_is_taken_over_from_another_repository(repository: Repository, breaking: Breaking) -> None:
    blob = give(repository, BLOB)
    other = Registries(QUICK).repository(breaking.host, "t/other", push=True)
    assert other.blob_size(blob.digest) is None
    assert other.mount(blob.digest, "t/test_a_blob_is_taken_over_from_another_repository")
    assert other.blob_size(blob.digest) == len(BLOB)
    assert breaking.count("POST .*t/other") == 1


def test_what_cannot_be_taken_over_is_uploaded_on_the_spot(
    repository: Repository, breaking: Breaking
) -> None:
    data = b"nobody has it"
    assert not repository.mount(digest_of(data), "t/nobody")
    give(repository, data)
    assert breaking.count("POST ") == 1


class _Resumable:
    """A registry that keeps what came of a broken upload, as the specification has it."""

    def __init__(self) -> None:
        self.have = b""
        self.ranges: list[str] = []
        self.breaks = 1
        self.whole = ""

    def handle(self, request: Handler) -> None:
        place = {"Location": "/v2/x/blobs/uploads/1"}
        if request.command == "POST":
            request.answer(202, b"", place)
        elif request.command == "PATCH":
            self.ranges.append(request.headers.get("Content-Range", ""))
            if self.breaks:
                self.breaks -= 1
                self.have += request.read_some(400_000)
                request.hang_up()
                return
            self.have += request.body
            request.answer(202, b"", place)
        elif request.command == "PUT":
            self.whole = re.sub(".*digest=sha256%3A", "sha256:", request.path)
            request.answer(201, b"", place)
        elif "/uploads/" in request.path:
            request.answer(204, b"", {**place, "Range": f"0-{len(self.have) - 1}"})
        else:
            request.answer(200 if request.path == "/v2/" else 404, b"")


@pytest.fixture
def resumable() -> Iterator[tuple[_Resumable, Repository]]:
    registry = _Resumable()
    server = serve(registry.handle)
    yield registry, Registries(QUICK).repository(f"127.0.0.1:{server.server_port}", "x", push=True)
    server.shutdown()
    server.server_close()


def test_a_broken_upload_goes_on_where_it_broke(resumable: tuple[_Resumable, Repository]) -> None:
    registry, repository = resumable
    digest = digest_of(BLOB)
    told: list[int] = []
    repository.upload(digest, len(BLOB), reading(BLOB), told.append)
    assert registry.have == BLOB
    assert registry.ranges == ["", f"400000-{len(BLOB) - 1}"]
    assert registry.whole == digest
    assert told[-1] == len(BLOB)
