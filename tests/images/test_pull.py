"""Pulling from a real registry, with one in between that breaks."""

import asyncio
import gzip
import itertools
import json
import os
import shutil
import subprocess
import time
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.registries import Breaking, Registry, needs_registry
from tests.web_server import Handler, serve

from lading.distribution import Registries
from lading.errors import LadingError
from lading.images import ImageTransfers
from lading.snapshots import Limits

from .published import CONFIG, DOCKER, GZIP, MANIFEST, QUICK, Repository, noise, on
from .rooms import Rooms, configuration, digest_of, saved, tree

pytestmark = needs_registry

Json = dict[str, Any]


@pytest.fixture
def there(registry: Registry, request: pytest.FixtureRequest) -> Repository:
    name = request.node.name.partition("[")[0].lower()
    return Repository(registry, f"{name}-{abs(hash(request.node.name)) % 10**6}")


@asynccontextmanager
async def _transfers(rooms: Rooms, at_once: int = 3, timeout: float = 5) -> AsyncIterator[ImageTransfers]:
    transfers = ImageTransfers(rooms.ctx, Registries(replace(QUICK, timeout=timeout)), at_once)
    try:
        yield transfers
    finally:
        await transfers.close()


async def _pull(rooms: Rooms, name: str, tag: str = "latest", platform: str = "linux/amd64") -> list[Json]:
    async with _transfers(rooms) as transfers:
        return [message async for message in transfers.pull(name, tag, platform)]


async def _refused(
    rooms: Rooms, name: str, tag: str = "latest", platform: str = "linux/amd64"
) -> LadingError:
    """Why a pull fails; nothing of it may be left."""
    with pytest.raises(LadingError) as caught:
        await _pull(rooms, name, tag, platform)
    rooms.check()
    return caught.value


def _statuses(messages: list[Json], identity: str | None = None) -> list[str]:
    """What was said, once for what was said several times in a row."""
    said: list[str] = []
    for message in messages:
        if identity in (None, message.get("id")) and message["status"] not in said[-1:]:
            said.append(message["status"])
    return said


def _parts(rooms: Rooms) -> list[Path]:
    directory = rooms.root / "content/ingest/parts"
    return list(directory.iterdir()) if directory.exists() else []


async def test_a_pull_says_what_docker_says_and_makes_the_image(
    rooms: Rooms, there: Repository, broken: Breaking
) -> None:
    layers = [tree({"a": "one"}), noise(1)]
    manifest = there.image(layers, "1")
    name = f"{broken.host}/{there.name}"
    messages = await _pull(rooms, name, "1")
    assert messages[0] == {"status": f"Pulling from {there.name}", "id": "1"}
    assert messages[-2:] == [
        {"status": f"Digest: {manifest['digest']}"},
        {"status": f"Status: Downloaded newer image for {name}:1"},
    ]
    blob = gzip.compress(layers[1], 1, mtime=0)
    identity = digest_of(blob)[7:19]
    assert _statuses(messages, identity) == [
        *("Pulling fs layer", "Downloading", "Verifying Checksum"),
        *("Download complete", "Extracting", "Pull complete"),
    ]
    last = [message for message in messages if message.get("id") == identity][-2]
    assert last["progressDetail"] == {"current": len(blob), "total": len(blob)}
    image = rooms.images.inspect(f"{name}:1")
    assert image["Id"] == digest_of(configuration(layers))
    assert image["RepoDigests"] == [f"{name}@{manifest['digest']}"]
    assert rooms.images.resolve(f"{name}@{manifest['digest']}").id == image["Id"]
    assert rooms.events == [("image", "pull", f"{name}:1", {"name": name})]
    rooms.check()
    assert _parts(rooms) == []


async def test_what_is_here_is_not_fetched_again(rooms: Rooms, there: Repository, broken: Breaking) -> None:
    base = noise(2)
    there.image([base], "1")
    there.image([base, tree({"b": "two"})], "2")
    name = f"{broken.host}/{there.name}"
    await _pull(rooms, name, "1")
    fetched = broken.count("GET .*/blobs/")
    again = await _pull(rooms, name, "1")
    assert _statuses(again)[-1] == f"Status: Image is up to date for {name}:1"
    assert broken.count("GET .*/blobs/") == fetched
    more = await _pull(rooms, name, "2")
    known = digest_of(gzip.compress(base, 1, mtime=0))
    assert _statuses(more, known[7:19]) == ["Already exists"]
    assert broken.count(f"GET .*/blobs/{known}") == 1
    rooms.check()


async def test_a_tag_that_moved_leaves_the_old_image_its_digest(
    rooms: Rooms, there: Repository, broken: Breaking
) -> None:
    name = f"{broken.host}/{there.name}"
    old = there.image([tree({"a": "old"})], "1")
    await _pull(rooms, name, "1")
    new = there.image([tree({"a": "new"})], "1")
    messages = await _pull(rooms, name, "1")
    assert messages[-1] == {"status": f"Status: Downloaded newer image for {name}:1"}
    assert rooms.images.inspect(f"{name}:1")["RepoDigests"] == [f"{name}@{new['digest']}"]
    assert rooms.images.inspect(f"{name}@{old['digest']}")["RepoTags"] == []


async def test_a_layer_whose_blob_never_came_is_fetched(
    rooms: Rooms, there: Repository, broken: Breaking
) -> None:
    base = noise(3)
    await rooms.load(saved("loaded:1", [base]))
    there.image([base, tree({"b": "two"})], "1")
    await _pull(rooms, f"{broken.host}/{there.name}", "1")
    # Without it nobody could push what was pulled.
    assert broken.count(f"GET .*/blobs/{digest_of(gzip.compress(base, 1, mtime=0))}") == 1
    rooms.check()


async def test_an_image_that_was_loaded_gets_its_name_without_a_transfer(
    rooms: Rooms, there: Repository, broken: Breaking
) -> None:
    layers = [tree({"a": "one"})]
    manifest = there.image(layers, "1")
    await rooms.load(saved(None, layers))
    name = f"{broken.host}/{there.name}"
    await _pull(rooms, name, "1")
    assert broken.count("GET .*/blobs/") == 0
    assert rooms.images.inspect(f"{name}:1")["RepoDigests"] == [f"{name}@{manifest['digest']}"]


@pytest.mark.parametrize(
    ("wanted", "chosen"),
    [
        ("linux/amd64", "linux/amd64"),
        ("linux/amd64/v3", "linux/amd64/v2"),
        ("linux/arm/v7", "linux/arm/v6"),
        ("linux/arm/v8", "linux/arm/v6"),
        ("linux/arm64", "linux/arm64/v8"),
        ("aarch64", "linux/arm64/v8"),
    ],
)
async def test_an_index_gives_what_runs_best(
    rooms: Rooms, there: Repository, broken: Breaking, wanted: str, chosen: str
) -> None:
    names = ("linux/amd64", "linux/amd64/v2", "linux/arm/v6", "linux/arm64/v8")
    images = {
        name: there.image([tree({"name": name})], architecture=name.split("/")[1], comment=name)
        for name in names
    }
    attestation = there.image([tree({"in": "toto"})])
    index = there.index(
        [on(attestation, "unknown/unknown"), *(on(image, name) for name, image in images.items())], "multi"
    )
    name = f"{broken.host}/{there.name}"
    messages = await _pull(rooms, name, "multi", wanted)
    assert {"status": f"Digest: {index['digest']}"} in messages
    image = rooms.images.inspect(f"{name}:multi")
    assert image["Comment"] == chosen
    assert image["RepoDigests"] == [f"{name}@{index['digest']}"]
    rooms.check()


async def test_an_index_without_the_platform_is_refused(
    rooms: Rooms, there: Repository, broken: Breaking
) -> None:
    there.index([on(there.image([tree({"a": "one"})]), "linux/s390x")], "latest")
    error = await _refused(rooms, f"{broken.host}/{there.name}")
    assert error.message == (
        "no matching manifest for linux/amd64 in the manifest list entries: "
        "no match for platform in manifest: not found"
    )


async def test_indexes_within_indexes_end(rooms: Rooms, there: Repository, broken: Breaking) -> None:
    inner = there.image([tree({"a": "one"})])
    for depth in range(5):
        inner = there.index([inner], f"depth-{depth + 1}")
    name = f"{broken.host}/{there.name}"
    await _pull(rooms, name, "depth-4")
    with pytest.raises(LadingError, match="nested too deeply"):
        await _pull(rooms, name, "depth-5")


async def test_a_lone_image_for_another_platform_comes_with_a_warning(
    rooms: Rooms, there: Repository, broken: Breaking
) -> None:
    there.image([tree({"a": "one"})], "1")
    name = f"{broken.host}/{there.name}"
    messages = await _pull(rooms, name, "1", "linux/s390x")
    assert messages[-1]["status"] == (
        f"WARNING: image with reference {name}:1 was found but its platform (linux/amd64) "
        "does not match the specified platform (linux/s390x)"
    )


async def test_all_tags_come_where_none_is_said(rooms: Rooms, there: Repository, broken: Breaking) -> None:
    for tag in ("1", "2", "3"):
        there.image([tree({"tag": tag})], tag)
    name = f"{broken.host}/{there.name}"
    messages = await _pull(rooms, name, "")
    assert sorted(message["id"] for message in messages if "Pulling from" in message["status"]) == [
        *("1", "2", "3")
    ]
    assert messages[-1] == {"status": f"Status: Downloaded newer image for {name}"}
    assert len(rooms.images.list()) == 3


async def test_a_digest_is_pulled_by_itself(rooms: Rooms, there: Repository, broken: Breaking) -> None:
    digest = there.image([tree({"a": "one"})], "1")["digest"]
    name = f"{broken.host}/{there.name}"
    messages = await _pull(rooms, name, digest)
    assert messages[0] == {"status": f"Pulling from {there.name}", "id": f"{name}@{digest}"}
    assert rooms.images.inspect(f"{name}@{digest}")["RepoTags"] == []


async def test_two_pulls_share_what_both_want(rooms: Rooms, there: Repository, broken: Breaking) -> None:
    base = noise(4, 4 << 20)
    there.image([base, tree({"a": "one"})], "1")
    there.image([base, tree({"b": "two"})], "2")
    name = f"{broken.host}/{there.name}"
    async with _transfers(rooms) as transfers:

        async def pull(tag: str) -> list[Json]:
            return [message async for message in transfers.pull(name, tag, "linux/amd64")]

        first, second = await asyncio.gather(pull("1"), pull("2"))
    shared = digest_of(gzip.compress(base, 1, mtime=0))
    assert broken.count(f"GET .*/blobs/{shared}") == 1
    for messages in (first, second):
        assert _statuses(messages, shared[7:19])[-1] in ("Pull complete", "Already exists")
    assert len(rooms.images.list()) == 2
    rooms.check()


async def _side_by_side(rooms: Rooms, name: str, *tags: str) -> list[list[Json] | BaseException]:
    async with _transfers(rooms) as transfers:

        async def pull(tag: str) -> list[Json]:
            return [message async for message in transfers.pull(name, tag, "linux/amd64")]

        return await asyncio.gather(*map(pull, tags), return_exceptions=True)


async def test_one_image_pulled_thrice_at_once(rooms: Rooms, there: Repository, broken: Breaking) -> None:
    layer = noise(17)
    there.image([layer, tree({"a": "one"})], "1")
    outcomes = await _side_by_side(rooms, f"{broken.host}/{there.name}", "1", "1", "1")
    assert [outcome for outcome in outcomes if isinstance(outcome, BaseException)] == []
    assert broken.count(f"GET .*/blobs/{digest_of(gzip.compress(layer, 1, mtime=0))}") == 1
    assert len(rooms.images.list()) == 1
    rooms.check()


async def test_a_layer_taken_in_vain_is_there_for_the_other_pull(
    rooms: Rooms, there: Repository, broken: Breaking
) -> None:
    layer, other = noise(18), tree({"b": "two"})
    there.image([layer], "good")
    blob = there.blob(gzip.compress(layer, 1, mtime=0), GZIP)
    there.manifest(configuration([other]), [blob], "bad")
    good, bad = await _side_by_side(rooms, f"{broken.host}/{there.name}", "good", "bad")
    assert not isinstance(good, BaseException)
    assert isinstance(bad, LadingError)
    assert broken.count(f"GET .*/blobs/{blob['digest']}") == 1
    rooms.check()


async def test_what_failed_for_one_pull_is_tried_again_by_the_other(
    rooms: Rooms, there: Repository, broken: Breaking
) -> None:
    layer = noise(19)
    there.image([layer], "1")
    there.image([layer, tree({"b": "two"})], "2")
    blob = digest_of(gzip.compress(layer, 1, mtime=0))
    # As often as one transfer tries.
    broken.fail(f"GET .*/blobs/{blob}", "cut", times=QUICK.attempts, after=10_000)
    outcomes = await _side_by_side(rooms, f"{broken.host}/{there.name}", "1", "2")
    failed = [outcome for outcome in outcomes if isinstance(outcome, LadingError)]
    assert len(failed) == 1
    assert "unexpected EOF" in failed[0].message
    assert len(rooms.images.list()) == 1
    # The other layer of the one that failed may wait for its next try.
    rooms.content.remove_partials()
    rooms.check()


async def test_the_other_pull_goes_on_when_the_first_is_given_up(
    rooms: Rooms, there: Repository, broken: Breaking
) -> None:
    layer = noise(5)
    there.image([layer], "1")
    blob = digest_of(gzip.compress(layer, 1, mtime=0))
    broken.fail(f"GET .*/blobs/{blob}", "stall", after=1 << 20)
    name = f"{broken.host}/{there.name}"
    heard: list[Json] = []
    async with _transfers(rooms, timeout=2) as transfers:
        async with aclosing(transfers.pull(name, "1", "linux/amd64")) as first:
            await _until(first, "Downloading")
            second = asyncio.create_task(_collect(transfers, name, heard))
            while not any(message.get("id") == blob[7:19] for message in heard):
                await asyncio.sleep(0.005)
        await second
    assert _statuses(heard)[-1].startswith("Status: Downloaded newer image")
    ranges = [seen.headers.get("range", "") for seen in broken.matching(f"GET .*/blobs/{blob}")]
    assert ranges == ["", f"bytes={1 << 20}-"]
    rooms.check()


async def _until(messages: AsyncIterator[Json], status: str) -> None:
    async for message in messages:
        if message["status"] == status:
            return


async def _collect(transfers: ImageTransfers, name: str, heard: list[Json]) -> None:
    async for message in transfers.pull(name, "1", "linux/amd64"):
        heard.append(message)


async def test_a_broken_transfer_goes_on_where_it_was(
    rooms: Rooms, there: Repository, broken: Breaking
) -> None:
    layer = noise(6)
    there.image([layer], "1")
    blob = digest_of(gzip.compress(layer, 1, mtime=0))
    broken.fail(f"GET .*/blobs/{blob}", "cut", after=700_000)
    messages = await _pull(rooms, f"{broken.host}/{there.name}", "1")
    ranges = [seen.headers.get("range", "") for seen in broken.matching(f"GET .*/blobs/{blob}")]
    assert ranges == ["", "bytes=700000-"]
    assert "Retrying in 1 second" in _statuses(messages, blob[7:19])
    rooms.check()


async def test_a_registry_without_ranges_is_asked_for_all_again(
    rooms: Rooms, there: Repository, broken: Breaking
) -> None:
    layer = noise(7)
    there.image([layer], "1")
    blob = digest_of(gzip.compress(layer, 1, mtime=0))
    broken.fail(f"GET .*/blobs/{blob}", "cut", after=700_000)
    broken.fail(f"GET .*/blobs/{blob}", "no-range")
    await _pull(rooms, f"{broken.host}/{there.name}", "1")
    rooms.check()


async def test_a_transfer_given_up_is_gone_on_with_by_the_next_pull(
    rooms: Rooms, there: Repository, broken: Breaking
) -> None:
    layer = noise(8)
    there.image([layer], "1")
    blob = digest_of(gzip.compress(layer, 1, mtime=0))
    broken.fail(f"GET .*/blobs/{blob}", "stall", after=900_000)
    name = f"{broken.host}/{there.name}"
    async with _transfers(rooms) as transfers, aclosing(transfers.pull(name, "1", "linux/amd64")) as messages:
        await _until(messages, "Downloading")
        while _arrived(rooms) < 700_000:
            await asyncio.sleep(0.01)
    left = _arrived(rooms)
    assert [part.name for part in _parts(rooms)] == [blob[7:]]
    assert rooms.images.list() == []
    await _pull(rooms, name, "1")
    ranges = [seen.headers.get("range", "") for seen in broken.matching(f"GET .*/blobs/{blob}")]
    assert ranges == ["", f"bytes={left}-"]
    assert _parts(rooms) == []
    rooms.check()


def _arrived(rooms: Rooms) -> int:
    return sum(part.stat().st_size for part in _parts(rooms))


async def test_bytes_that_were_spoilt_on_the_disk_are_fetched_again(
    rooms: Rooms, there: Repository, broken: Breaking
) -> None:
    layer = noise(9)
    there.image([layer], "1")
    blob = gzip.compress(layer, 1, mtime=0)
    parts = rooms.root / "content/ingest/parts"
    parts.mkdir(parents=True)
    (parts / digest_of(blob)[7:]).write_bytes(b"x" * 1000 + blob[1000:500_000])
    await _pull(rooms, f"{broken.host}/{there.name}", "1")
    rooms.check()


async def test_a_whole_blob_that_was_left_needs_no_request(
    rooms: Rooms, there: Repository, broken: Breaking
) -> None:
    layer = noise(10)
    there.image([layer], "1")
    blob = gzip.compress(layer, 1, mtime=0)
    parts = rooms.root / "content/ingest/parts"
    parts.mkdir(parents=True)
    (parts / digest_of(blob)[7:]).write_bytes(blob)
    await _pull(rooms, f"{broken.host}/{there.name}", "1")
    assert broken.count(f"GET .*/blobs/{digest_of(blob)}") == 0
    rooms.check()


async def test_what_nobody_comes_for_goes(rooms: Rooms) -> None:
    parts = rooms.root / "content/ingest/parts"
    parts.mkdir(parents=True)
    for name, age in (("a" * 64, 25), ("b" * 64, 23)):
        (parts / name).write_bytes(b"some")
        then = time.time() - age * 3600
        os.utime(parts / name, (then, then))
    rooms.images.clear()
    assert [part.name for part in _parts(rooms)] == ["b" * 64]
    rooms.content.remove_partials()
    assert _parts(rooms) == []


async def test_wrong_bytes_are_refused_and_leave_nothing(
    rooms: Rooms, there: Repository, broken: Breaking
) -> None:
    layer = noise(11)
    there.image([layer], "1")
    blob = digest_of(gzip.compress(layer, 1, mtime=0))
    broken.fail(f"GET .*/blobs/{blob}", "corrupt")
    error = await _refused(rooms, f"{broken.host}/{there.name}", "1")
    assert error.message == f"filesystem layer verification failed for digest {blob}"
    assert (_parts(rooms), rooms.images.list()) == ([], [])


async def test_a_wrong_configuration_is_refused(rooms: Rooms, there: Repository, broken: Breaking) -> None:
    layers = [tree({"a": "one"})]
    there.image(layers, "1")
    config = digest_of(configuration(layers))
    broken.fail(f"GET .*/blobs/{config}", "corrupt")
    error = await _refused(rooms, f"{broken.host}/{there.name}", "1")
    assert error.message == (
        f"error pulling image configuration: image config verification failed for digest {config}"
    )


@pytest.mark.parametrize("by", [-1000, 1000])
async def test_sizes_that_are_not_true_are_refused(
    rooms: Rooms, there: Repository, broken: Breaking, by: int
) -> None:
    layer = noise(12)
    blob = there.blob(gzip.compress(layer, 1, mtime=0), GZIP)
    there.manifest(configuration([layer]), [{**blob, "size": blob["size"] + by}], "1")
    error = await _refused(rooms, f"{broken.host}/{there.name}", "1")
    assert "failed size validation" in error.message
    assert _parts(rooms) == []


@pytest.mark.parametrize("by", [-1000, 1000])
async def test_a_registry_that_lies_on_lengths_is_refused(
    rooms: Rooms, there: Repository, broken: Breaking, by: int
) -> None:
    layer = noise(15)
    there.image([layer], "1")
    blob = digest_of(gzip.compress(layer, 1, mtime=0))
    broken.fail(f"GET .*/blobs/{blob}", "lie", by=by)
    error = await _refused(rooms, f"{broken.host}/{there.name}", "1")
    assert "failed size validation" in error.message
    assert _parts(rooms) == []


async def test_a_blob_without_an_end_is_refused(rooms: Rooms, there: Repository, registry: Registry) -> None:
    layer = noise(16)
    there.image([layer], "1")
    blob = gzip.compress(layer, 1, mtime=0)

    def handle(request: Handler) -> None:
        if digest_of(blob) not in request.path:
            request.answer(307, b"", {"Location": registry.url + request.path})
            return
        request.head(200, {"Transfer-Encoding": "chunked"})
        for piece in itertools.chain([blob], itertools.repeat(bytes(65536))):
            request.wfile.write(b"%x\r\n%b\r\n" % (len(piece), piece))

    server = serve(handle)
    try:
        error = await _refused(rooms, f"127.0.0.1:{server.server_port}/{there.name}", "1")
    finally:
        server.shutdown()
        server.server_close()
    assert "failed size validation" in error.message
    assert _parts(rooms) == []


async def test_a_layer_that_is_no_archive_is_refused(
    rooms: Rooms, there: Repository, broken: Breaking
) -> None:
    there.image([b"no archive" * 1000], "1")
    error = await _refused(rooms, f"{broken.host}/{there.name}", "1")
    assert error.message.startswith("failed to register layer: ")
    assert _parts(rooms) == []


async def test_a_bomb_is_given_up_before_its_end(rooms: Rooms, there: Repository, broken: Breaking) -> None:
    bomb = tree({"zeros": bytes(64 << 20)})
    # What follows the bomb is not even fetched to its end.
    blob = there.blob(gzip.compress(bomb, 1, mtime=0) + gzip.compress(noise(36), 1, mtime=0), GZIP)
    there.manifest(configuration([bomb]), [blob], "1")
    rooms.snapshots._limits = Limits(size=1 << 20)
    broken.fail(f"GET .*/blobs/{blob['digest']}", "stall", after=blob["size"] - 1000)
    error = await _refused(rooms, f"{broken.host}/{there.name}", "1")
    assert error.message.startswith("failed to register layer: ")
    assert (error.status, _parts(rooms)) == (413, [])


async def test_a_configuration_of_other_layers_is_refused(
    rooms: Rooms, there: Repository, broken: Breaking
) -> None:
    blob = there.blob(gzip.compress(tree({"a": "one"}), 1, mtime=0), GZIP)
    there.manifest(configuration([tree({"b": "two"})]), [blob], "1")
    with pytest.raises(LadingError, match="layers from manifest don't match image configuration"):
        await _pull(rooms, f"{broken.host}/{there.name}", "1")
    assert rooms.images.list() == []


HELM = "application/vnd.cncf.helm.config.v1+json"


@pytest.mark.parametrize(
    ("kind", "config_type", "layer_type", "said"),
    [
        (MANIFEST, HELM, "application/tar+gzip", "unsupported media type application/vnd.cncf.helm"),
        (MANIFEST, CONFIG, "application/vnd.in-toto+json", "unsupported media type application/vnd.in-toto"),
        (
            DOCKER,
            "application/vnd.docker.plugin.v1+json",
            GZIP,
            "encountered remote .*plugin.* when fetching",
        ),
        (MANIFEST, "application/vnd.docker.ai.model.config.v0.1+json", GZIP, "AI models are not yet"),
    ],
)
async def test_what_is_no_image_is_refused(
    rooms: Rooms, there: Repository, broken: Breaking, kind: str, config_type: str, layer_type: str, said: str
) -> None:
    document = {
        "schemaVersion": 2,
        "mediaType": kind,
        "config": there.blob(b"{}", config_type),
        "layers": [there.blob(b"{ }", layer_type)],
    }
    there.document(document, "1")
    with pytest.raises(LadingError, match=said):
        await _pull(rooms, f"{broken.host}/{there.name}", "1")
    assert broken.count("GET .*/blobs/") == 0


def _zstd(data: bytes) -> bytes:
    return subprocess.run(["zstd", "-q"], input=data, capture_output=True, check=True).stdout


@pytest.mark.skipif(shutil.which("zstd") is None, reason="zstd is missing")
async def test_layers_of_all_compressions_and_twice_the_same(
    rooms: Rooms, there: Repository, broken: Breaking
) -> None:
    plain, squeezed, zipped = tree({"a": "plain"}), tree({"b": "zstd"}), tree({"c": "gzip"})
    blobs = [
        there.blob(plain, "application/vnd.oci.image.layer.v1.tar"),
        there.blob(_zstd(squeezed), "application/vnd.oci.image.layer.v1.tar+zstd"),
        there.blob(gzip.compress(zipped, mtime=0), GZIP),
    ]
    there.manifest(configuration([plain, squeezed, zipped, squeezed]), [*blobs, blobs[1]], "1")
    messages = await _pull(rooms, f"{broken.host}/{there.name}", "1")
    assert broken.count(f"GET .*/blobs/{blobs[1]['digest']}") == 1
    assert [message["status"] for message in messages].count("Pull complete") == 3
    image = rooms.images.resolve(f"{broken.host}/{there.name}:1")
    top = rooms.snapshots.directories(image.chain_id)
    assert [sorted(os.listdir(path)) for path in top] == [["a"], ["b"], ["c"], ["b"]]
    rooms.check()


async def test_layers_wait_for_their_turn(rooms: Rooms, there: Repository, broken: Breaking) -> None:
    layers = [noise(seed, 200_000) for seed in range(20, 24)]
    there.image(layers, "1")
    async with _transfers(rooms, at_once=1) as transfers:
        name = f"{broken.host}/{there.name}"
        messages = [message async for message in transfers.pull(name, "1", "linux/amd64")]
    waited = [message["id"] for message in messages if message["status"] == "Waiting"]
    assert len(waited) == 3
    done = [message["id"] for message in messages if message["status"] == "Pull complete"]
    assert done == [digest_of(gzip.compress(layer, 1, mtime=0))[7:19] for layer in layers]


async def test_a_registry_that_is_out_of_order_is_told_of(
    rooms: Rooms, there: Repository, broken: Breaking
) -> None:
    layer = noise(13)
    there.image([layer], "1")
    blob = digest_of(gzip.compress(layer, 1, mtime=0))
    broken.fail(f"GET .*/blobs/{blob}", "cut", times=100, after=10_000)
    error = await _refused_for_now(rooms, f"{broken.host}/{there.name}")
    assert "unexpected EOF" in error.message
    # What came is kept for the next one.
    assert [part.name for part in _parts(rooms)] == [blob[7:]]


async def _refused_for_now(rooms: Rooms, name: str) -> LadingError:
    with pytest.raises(LadingError) as caught:
        await _pull(rooms, name, "1")
    assert rooms.images.list() == []
    return caught.value


async def test_messages_are_what_clients_can_read(rooms: Rooms, there: Repository, broken: Breaking) -> None:
    there.image([noise(14)], "1")
    for message in await _pull(rooms, f"{broken.host}/{there.name}", "1"):
        assert json.loads(json.dumps(message)) == message
        if message["status"] in ("Downloading", "Extracting"):
            assert message["progressDetail"]["total"] > 0
            assert message["progress"].startswith("[")
