"""Blobs: fetched from any byte on, broken off, taken up again."""

import threading
from pathlib import Path

import pytest
from tests.distribution.conftest import QUICK
from tests.distribution.parcels import BLOB, give, whole
from tests.engine.engine import wait_for
from tests.registries import Breaking, Registry, needs_registry
from tests.web_server import Handler, serve

from lading.distribution import Interrupted, Registries, RegistrySettings, Repository
from lading.errors import LadingError, NotFound
from lading.oci.image import Descriptor, digest_of

pytestmark = needs_registry


def test_a_blob_comes_whole_and_from_any_byte_on(repository: Repository) -> None:
    blob = give(repository, BLOB)
    reader = repository.blob(blob)
    assert (reader.offset, reader.size) == (0, len(BLOB))
    assert whole(reader) == BLOB
    reader = repository.blob(blob, 1000)
    assert (reader.offset, reader.size) == (1000, len(BLOB))
    assert whole(reader) == BLOB[1000:]


def test_what_is_there_and_what_is_not(repository: Repository) -> None:
    blob = give(repository, BLOB)
    assert repository.blob_size(blob.digest) == len(BLOB)
    strange = digest_of(b"never pushed")
    assert repository.blob_size(strange) is None
    with pytest.raises(NotFound, match="blob unknown: blob unknown to registry"):
        repository.blob(Descriptor(digest=strange))


def test_a_broken_blob_is_gone_on_with(repository: Repository, breaking: Breaking) -> None:
    blob = give(repository, BLOB)
    breaking.fail("GET .*/blobs/sha256", "cut", after=300_000)
    reader = repository.blob(blob)
    pieces: list[bytes] = []
    with pytest.raises(Interrupted, match="unexpected EOF"):
        pieces.extend(iter(reader.read, b""))
    got = b"".join(pieces)
    assert 0 < len(got) <= 300_000
    assert got == BLOB[: len(got)]
    rest = repository.blob(blob, len(got))
    assert rest.offset == len(got)
    assert got + whole(rest) == BLOB
    assert breaking.matching("GET .*/blobs/sha256")[-1].headers["range"] == f"bytes={len(got)}-"


def test_a_registry_without_ranges_begins_anew(repository: Repository, breaking: Breaking) -> None:
    blob = give(repository, BLOB)
    breaking.fail("GET .*/blobs/sha256", "no-range")
    reader = repository.blob(blob, 5000)
    assert reader.offset == 0
    assert whole(reader) == BLOB


def test_an_offset_past_the_end_begins_anew(repository: Repository) -> None:
    blob = give(repository, BLOB)
    reader = repository.blob(blob, len(BLOB) + 5)
    assert reader.offset == 0
    assert whole(reader) == BLOB


@pytest.mark.parametrize("by", [10, 100_000])
def test_a_registry_that_promises_too_much(repository: Repository, breaking: Breaking, by: int) -> None:
    blob = give(repository, BLOB)
    breaking.fail("GET .*/blobs/sha256", "lie", by=by)
    with pytest.raises(Interrupted, match="unexpected EOF"):
        whole(repository.blob(blob))


def test_a_registry_that_sends_more_than_the_blob_has(repository: Repository) -> None:
    blob = give(repository, BLOB)
    blob.size = 1000
    with pytest.raises(LadingError, match="sends more than the 1000 bytes"):
        whole(repository.blob(blob))


def test_a_stalled_transfer_is_interrupted(registry: Registry, breaking: Breaking) -> None:
    repository = Registries(RegistrySettings(timeout=0.3, pause=0.01)).repository(
        breaking.host, "t/stalled", push=True
    )
    blob = give(repository, BLOB)
    breaking.fail("GET .*/blobs/sha256", "stall", after=1000)
    with pytest.raises(Interrupted, match="exceeded while awaiting"):
        whole(repository.blob(blob))


@pytest.mark.parametrize("what", ["reader", "repository"])
def test_a_waiting_read_can_be_broken_off(repository: Repository, breaking: Breaking, what: str) -> None:
    blob = give(repository, BLOB)
    breaking.fail("GET .*/blobs/sha256", "stall", after=1000)
    reader = repository.blob(blob)
    assert reader.read()
    failed: list[BaseException] = []

    def wait() -> None:
        try:
            whole(reader)
        except LadingError as error:
            failed.append(error)

    waiting = threading.Thread(target=wait)
    waiting.start()
    (reader if what == "reader" else repository).abort()
    waiting.join(4)
    assert not waiting.is_alive()
    assert [str(error) for error in failed] == ["context canceled"]


@pytest.mark.parametrize("pattern", ["GET /v2/$", "GET .*/manifests/"])
def test_a_waiting_request_can_be_broken_off(
    repository: Repository, breaking: Breaking, pattern: str
) -> None:
    breaking.fail(pattern, "hold")
    failed: list[BaseException] = []

    def wait() -> None:
        try:
            repository.manifest("v1")
        except LadingError as error:
            failed.append(error)

    waiting = threading.Thread(target=wait)
    waiting.start()
    wait_for(lambda: breaking.matching(pattern))
    repository.abort()
    waiting.join(4)
    assert not waiting.is_alive()
    assert [str(error) for error in failed] == ["context canceled"]


def test_after_an_abort_nothing_is_asked(repository: Repository, breaking: Breaking) -> None:
    repository.abort()
    with pytest.raises(Interrupted, match="context canceled"):
        repository.manifest("latest")
    assert breaking.seen == []


def test_too_many_requests_are_waited_for(repository: Repository, breaking: Breaking) -> None:
    blob = give(repository, BLOB)
    breaking.fail("GET .*/blobs/sha256", "status", status=429, times=2, headers={"Retry-After": "0"})
    assert whole(repository.blob(blob)) == BLOB
    assert breaking.count("GET .*/blobs/sha256") == 3


def test_attempts_come_to_an_end(repository: Repository, breaking: Breaking) -> None:
    blob = give(repository, BLOB)
    breaking.fail("GET .*/blobs/sha256", "status", status=503, times=99, headers={"Retry-After": "0"})
    with pytest.raises(Interrupted, match="503 Service Unavailable"):
        repository.blob(blob)
    assert breaking.count("GET .*/blobs/sha256") == 3


def test_a_long_wait_is_left_to_who_asks(repository: Repository, breaking: Breaking) -> None:
    blob = give(repository, BLOB)
    breaking.fail("GET .*/blobs/sha256", "status", status=429, times=99, headers={"Retry-After": "3600"})
    with pytest.raises(Interrupted, match="toomanyrequests: too many requests") as caught:
        repository.blob(blob)
    assert caught.value.retry_after == 3600
    assert breaking.count("GET .*/blobs/sha256") == 1


def test_a_storage_elsewhere_is_not_told_who_asks(repository: Repository, breaking: Breaking) -> None:
    blob = give(repository, BLOB)
    with Breaking() as storage:
        storage.fail("GET /signed", "status", status=200, body=BLOB)
        place = {"Location": f"{storage.url}/signed?key=1"}
        breaking.fail("GET .*/blobs/sha256", "status", status=307, headers=place)
        assert whole(repository.blob(blob)) == BLOB
        assert "authorization" not in storage.seen[0].headers


def test_a_ring_of_redirects_ends(repository: Repository, breaking: Breaking) -> None:
    place = {"Location": "/v2/x/blobs/sha256:1"}
    breaking.fail("GET .*/blobs/", "status", status=307, times=99, headers=place)
    with pytest.raises(LadingError, match="stopped after 10 redirects"):
        repository.blob(Descriptor(digest=digest_of(b"")))


def test_a_foreign_layer_comes_from_its_address(repository: Repository) -> None:
    with Breaking() as web:
        web.fail("GET /layer", "status", status=200, body=BLOB)
        layer = Descriptor(
            digest=digest_of(BLOB),
            size=len(BLOB),
            urls=["ftp://127.0.0.1/x", f"{web.url}/none", f"{web.url}/layer"],
        )
        web.fail("GET /none", "status", status=404)
        assert whole(repository.blob(layer)) == BLOB


def test_a_foreign_layer_that_the_registry_has_too(repository: Repository) -> None:
    layer = give(repository, BLOB)
    layer.urls = ["http://127.0.0.1:1/gone"]
    assert whole(repository.blob(layer)) == BLOB


@pytest.mark.parametrize("broken", [False, True])
def test_a_blob_in_chunks_of_no_known_length(broken: bool) -> None:
    def handle(request: Handler) -> None:
        if request.path == "/v2/":
            request.answer(200, b"")
            return
        request.head(200, {"Transfer-Encoding": "chunked"})
        for start in range(0, len(BLOB) // 2 if broken else len(BLOB), 50_000):
            piece = BLOB[start : start + 50_000]
            request.wfile.write(b"%x\r\n%b\r\n" % (len(piece), piece))
        request.hang_up() if broken else request.wfile.write(b"0\r\n\r\n")

    server = serve(handle)
    repository = Registries(QUICK).repository(f"127.0.0.1:{server.server_port}", "x")
    reader = repository.blob(Descriptor(digest=digest_of(BLOB), size=len(BLOB)))
    assert reader.size == -1
    if broken:
        with pytest.raises(Interrupted, match="unexpected EOF"):
            whole(reader)
    else:
        assert whole(reader) == BLOB
    server.shutdown()
    server.server_close()


def test_a_host_of_which_nothing_comes_is_soon_given_up() -> None:
    with Breaking() as silent:
        silent.fail("GET /v2/$", "hold", times=99)
        repository = Registries(RegistrySettings(timeout=0.2, pause=0.01)).repository(silent.host, "x")
        with pytest.raises(Interrupted, match="exceeded while awaiting"):
            repository.manifest("v1")
        assert silent.count("GET /v2/$") == 2


def test_a_registry_that_is_started_again_meanwhile(tmp_path: Path) -> None:
    with Registry(tmp_path) as registry:
        repository = Registries(RegistrySettings(attempts=8, pause=0.05)).repository(
            registry.host, "x", push=True
        )
        blob = give(repository, BLOB)
        registry.stop()
        restarting = threading.Thread(target=registry.start)
        restarting.start()
        assert whole(repository.blob(blob)) == BLOB
        restarting.join()
