"""Every kind of archive loads as the image it holds, under the ID others give it."""

import asyncio
import bz2
import gzip
import io
import json
import lzma
import subprocess
import tarfile
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from lading.errors import InvalidParameter, LadingError, NotFound

from .foreign import needs
from .rooms import Rooms, archived, configuration, digest_of, layout, saved, skopeo, streamed, tarred, tree

ONE = tree({"etc/one": "1", "bin/sh": "x" * 50_000})
TWO = tree({"etc/two": "2", "etc/.wh.one": ""})


def _zstd(data: bytes) -> bytes:
    return subprocess.run(["zstd", "-q", "-c"], input=data, capture_output=True, check=True).stdout


def content_of(rooms: Rooms, name: str) -> list[str]:
    """The paths of an image's uppermost layer."""
    top = Path(rooms.snapshots.directories(rooms.images.resolve(name).chain_id)[-1])
    return sorted(str(path.relative_to(top)) for path in top.rglob("*"))


async def test_docker_archive(rooms: Rooms) -> None:
    assert await rooms.loaded(saved("busybox:latest", [ONE, TWO])) == "Loaded image: busybox:latest\n"
    image = rooms.images.resolve("busybox")
    assert image.id == digest_of(configuration([ONE, TWO]))
    assert image.config.cmd == ["sh"]
    assert image.size == 50_002
    assert content_of(rooms, "busybox") == ["etc", "etc/one", "etc/two"]
    assert [(kind, action, actor) for kind, action, actor, _ in rooms.events] == [("image", "load", image.id)]
    await rooms.cleared()
    rooms.check()


@pytest.mark.parametrize(
    "compress",
    [
        gzip.compress,
        bz2.compress,
        lzma.compress,
        lambda data: gzip.compress(data[:999]) + gzip.compress(data[999:]),
        pytest.param(_zstd, marks=needs("zstd")),
    ],
    ids=["gzip", "bzip2", "xz", "gzip members", "zstd"],
)
async def test_archives_compressed_as_a_whole(rooms: Rooms, compress: Callable[[bytes], bytes]) -> None:
    assert await rooms.loaded(compress(saved("a:b", [ONE]))) == "Loaded image: a:b\n"
    await rooms.cleared()
    rooms.check()


async def test_an_image_without_a_name(rooms: Rooms) -> None:
    image_id = digest_of(configuration([ONE]))
    assert await rooms.loaded(saved(None, [ONE])) == f"Loaded image ID: {image_id}\n"
    (shown,) = rooms.images.list()
    assert (shown["Id"], shown["RepoTags"]) == (image_id, [])


async def test_progress_names_layers_and_sizes(rooms: Rooms) -> None:
    big = tree({"big": b"z" * 3_000_000})
    messages = await rooms.load(saved("a", [big]), quiet=False)
    details = [message["progressDetail"] for message in messages if message.get("status") == "Loading layer"]
    assert details[-1] == {"current": len(big), "total": len(big)}
    assert {message["id"] for message in messages if "id" in message} == {digest_of(big)[7:19]}
    assert messages[-1] == {"stream": "Loaded image: a:latest\n"}


async def test_oci_layout_keeps_the_manifest(rooms: Rooms, tmp_path: Path) -> None:
    root = layout(tmp_path / "layout", "example.com/app:1", [ONE, TWO])
    assert await rooms.loaded(tarred(root)) == "Loaded image: example.com/app:1\n"
    image = rooms.images.resolve("example.com/app:1")
    descriptor = json.loads((root / "index.json").read_text())["manifests"][0]
    assert image.manifest_digest == descriptor["digest"]
    assert (
        rooms.content.read(image.manifest_digest)
        == (root / "blobs" / descriptor["digest"].replace(":", "/")).read_bytes()
    )
    await rooms.cleared()
    rooms.check()


@pytest.mark.parametrize("form", ["oci-archive", "docker-archive", "oci-zstd", "oci-gzip"])
async def test_the_id_is_the_one_skopeo_gives(rooms: Rooms, tmp_path: Path, form: str) -> None:
    source = layout(tmp_path / "layout", "app:1", [ONE, TWO], config={"Env": ["A=1"], "Labels": {"l": "v"}})
    if form.startswith("oci-") and form != "oci-archive":
        skopeo("copy", "-q", "--dest-compress-format", form[4:], f"oci:{source}:app:1", f"dir:{tmp_path}/dir")
        skopeo("copy", "-q", f"dir:{tmp_path}/dir", f"oci:{tmp_path}/out:app:1")
        data = tarred(tmp_path / "out")
        inspected = skopeo("inspect", "--raw", f"oci:{tmp_path}/out:app:1")
    else:
        skopeo("copy", "-q", f"oci:{source}:app:1", f"{form}:{tmp_path}/out.tar:app:1")
        data = (tmp_path / "out.tar").read_bytes()
        inspected = skopeo("inspect", "--raw", f"{form}:{tmp_path}/out.tar:app:1")
    assert await rooms.loaded(data) == "Loaded image: app:1\n"
    image = rooms.images.resolve("app:1")
    assert image.id == json.loads(inspected)["config"]["digest"]
    assert image.document.diff_ids == [digest_of(ONE), digest_of(TWO)]
    assert content_of(rooms, "app:1") == ["etc", "etc/one", "etc/two"]
    await rooms.cleared()
    rooms.check()


async def test_the_oldest_format(rooms: Rooms) -> None:
    files = {
        "a" * 64 + "/json": json.dumps(
            {"id": "a" * 64, "created": "2014-01-01T00:00:00Z", "os": "linux"}
        ).encode(),
        "a" * 64 + "/layer.tar": ONE,
        "b" * 64 + "/json": json.dumps(
            {"id": "b" * 64, "parent": "a" * 64, "config": {"Cmd": ["top"]}, "os": "linux"}
        ).encode(),
        "b" * 64 + "/layer.tar": TWO,
        "repositories": json.dumps({"old/app": {"1.0": "b" * 64}}).encode(),
    }
    assert await rooms.loaded(archived(files)) == "Loaded image: old/app:1.0\n"
    image = rooms.images.resolve("old/app:1.0")
    assert image.config.cmd == ["top"]
    assert image.document.diff_ids == [digest_of(ONE), digest_of(TWO)]


async def test_links_to_layers_and_a_list_that_comes_first(rooms: Rooms, tmp_path: Path) -> None:
    config = configuration([ONE, ONE, TWO])
    path = tmp_path / "links.tar"
    with tarfile.open(path, "w") as archive:
        listed = [
            {
                "Config": "c.json",
                "RepoTags": ["a:1", "b/c:2"],
                "Layers": ["x/layer.tar", "y/layer.tar", "z/layer.tar"],
            }
        ]
        for name, data in {
            "manifest.json": json.dumps(listed).encode(),
            "x/layer.tar": ONE,
            "c.json": config,
            "z/layer.tar": TWO,
        }.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
        link = tarfile.TarInfo("y/layer.tar")
        link.type, link.linkname = tarfile.SYMTYPE, "../x/layer.tar"
        archive.addfile(link)
    assert await rooms.loaded(path) == "Loaded image: a:1\nLoaded image: b/c:2\n"
    assert len(rooms.snapshots.directories(rooms.images.resolve("a:1").chain_id)) == 3
    await rooms.cleared()
    rooms.check()


async def test_two_images_share_their_layers(rooms: Rooms) -> None:
    await rooms.load(saved("a", [ONE]))
    await rooms.load(saved("b", [ONE, TWO]))
    assert len(rooms.snapshots.layers()) == 2
    sizes = {shown["RepoTags"][0]: shown["SharedSize"] for shown in rooms.images.list(shared_size=True)}
    assert sizes == {"a:latest": 50_001, "b:latest": 50_001}
    await rooms.cleared()
    rooms.check()


async def test_a_known_layer_in_another_place(rooms: Rooms) -> None:
    await rooms.load(saved("a", [ONE, TWO]))
    await rooms.load(saved("b", [TWO, ONE]))
    assert content_of(rooms, "b") == ["bin", "bin/sh", "etc", "etc/one"]
    await rooms.cleared()
    rooms.check()


async def test_loading_again_changes_nothing(rooms: Rooms) -> None:
    await rooms.load(saved("a", [ONE, TWO]))
    before = rooms.files()
    assert await rooms.loaded(saved("a", [ONE, TWO])) == "Loaded image: a:latest\n"
    await rooms.cleared()
    assert rooms.files() == before
    await rooms.cleared()
    rooms.check()


async def test_a_name_moves_to_the_new_image(rooms: Rooms) -> None:
    await rooms.load(saved("a", [ONE]))
    old = rooms.images.resolve("a").id
    said = await rooms.loaded(saved("a", [TWO]))
    assert said == (
        f"The image a:latest already exists, renaming the old one with ID {old} to empty string\n"
        "Loaded image: a:latest\n"
    )
    assert rooms.images.resolve(old[7:19]).id == old
    assert rooms.images.resolve("a").id != old


async def test_a_restart_finds_the_same(rooms: Rooms) -> None:
    await rooms.load(saved("a", [ONE, TWO]))
    again = Rooms(rooms.root)
    assert again.images.list() == rooms.images.list()
    assert again.images.inspect("a") == rooms.images.inspect("a")
    again.check()
    await again.close()


def damaged_layer() -> bytes:
    return saved("a", [ONE]).replace(b"bin/sh", b"bin/5h", 1)


def wrong_diff_id() -> bytes:
    return saved("a", [ONE], rootfs={"type": "layers", "diff_ids": [digest_of(b"other")]})


def too_few_layers() -> bytes:
    return saved("a", [ONE], rootfs={"type": "layers", "diff_ids": []})


def escaping_layer() -> bytes:
    return saved("a", [tree({"../../escaped": "x"})])


def missing_config() -> bytes:
    return archived({"manifest.json": json.dumps([{"Config": "none.json", "Layers": []}]).encode()})


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: b"", "holds no image"),
        (lambda: b"this is no archive" * 100, "archive/tar"),
        (lambda: gzip.compress(saved("a", [ONE]))[:-100], "unexpected EOF"),
        (lambda: saved("a", [ONE])[:30_000], "unexpected EOF"),
        (lambda: tree({"some": "file"}), "holds no image"),
        (lambda: archived({"manifest.json": b"{}"}), "invalid manifest.json"),
        (missing_config, "'none.json' is missing"),
        (lambda: saved("Not A Name", [ONE]), "invalid reference format"),
        (lambda: saved("a", [ONE], config={"Env": "text"}), "invalid image configuration"),
        (lambda: saved("a", [b"no archive at all" + bytes(1000)]), "not a tar archive"),
        (damaged_layer, "invalid tar header"),
        (wrong_diff_id, "invalid diffID for layer"),
        (too_few_layers, "layers length mismatch: expected 0, got 1"),
        (escaping_layer, "leads out of the archive's root"),
    ],
)
async def test_bad_archives_leave_nothing(rooms: Rooms, make: Callable[[], bytes], message: str) -> None:
    with pytest.raises(InvalidParameter, match=message):
        await rooms.load(make())
    await rooms.cleared()
    assert rooms.files() == []
    assert rooms.images.list() == []
    assert not (rooms.root.parent / "escaped").exists()


async def test_a_blob_that_is_not_what_its_name_says(rooms: Rooms, tmp_path: Path) -> None:
    root = layout(tmp_path / "layout", "app:1", [ONE])
    blob = root / "blobs" / digest_of(ONE).replace(":", "/")
    blob.write_bytes(TWO)
    with pytest.raises(InvalidParameter, match="digest mismatch"):
        await rooms.load(tarred(root))
    await rooms.cleared()
    assert rooms.files() == []


@pytest.mark.parametrize("after", [0, 1, 5, 60])
async def test_a_client_that_vanishes_leaves_nothing(rooms: Rooms, after: int) -> None:
    async def broken() -> AsyncIterator[bytes]:
        number = 0
        async for piece in streamed(saved("a", [tree({"big": b"z" * 2_000_000})])):
            if number == after:
                raise ConnectionResetError("gone")
            number += 1
            yield piece
        raise ConnectionResetError("gone")

    with pytest.raises((ConnectionResetError, LadingError)):
        async for _ in rooms.images.load(broken()):
            pass
    await rooms.cleared()
    assert rooms.files() == []


async def test_a_load_that_is_cancelled_leaves_nothing(rooms: Rooms) -> None:
    stuck = asyncio.Event()

    async def stuck_stream() -> AsyncIterator[bytes]:
        async for piece in streamed(saved("a", [tree({"big": b"z" * 300_000})])[:250_000]):
            yield piece
        stuck.set()
        await asyncio.sleep(3600)

    async def load() -> None:
        async for _ in rooms.images.load(stuck_stream(), quiet=False):
            pass

    task = asyncio.create_task(load())
    await stuck.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await rooms.cleared()
    assert rooms.files() == []


async def test_two_loads_of_the_same_at_once(rooms: Rooms) -> None:
    data = saved("a", [ONE, TWO])
    await asyncio.gather(*(rooms.load(data) for _ in range(4)))
    await rooms.cleared()
    assert len(rooms.images.list()) == 1
    await rooms.cleared()
    rooms.check()


async def test_removing_while_loading_takes_nothing_away(rooms: Rooms) -> None:
    await rooms.load(saved("a", [ONE]))
    started, go_on = asyncio.Event(), asyncio.Event()

    async def slow() -> AsyncIterator[bytes]:
        data = saved("b", [ONE, TWO])
        yield data[:60_000]
        started.set()
        await go_on.wait()
        yield data[60_000:]

    async def load() -> None:
        async for _ in rooms.images.load(slow()):
            pass

    loading = asyncio.create_task(load())
    await started.wait()
    rooms.images.remove("a")
    go_on.set()
    await loading
    with pytest.raises(NotFound):
        rooms.images.resolve("a")
    assert content_of(rooms, "b") == ["etc", "etc/one", "etc/two"]
    await rooms.cleared()
    rooms.check()


async def test_a_client_that_leaves_when_all_is_read_leaves_nothing_behind(rooms: Rooms) -> None:
    stream = rooms.images.load(streamed(saved("left:1", [tree({"a": "1"}), tree({"b": "2"})])))
    await anext(stream)
    # The archive is whole by now, and its progress still waits to be fetched.
    while len(asyncio.all_tasks()) > 1:
        await asyncio.sleep(0.01)
    await stream.aclose()  # type: ignore[attr-defined]
    await rooms.cleared()
    assert rooms.files() == []
