"""Images made by podman, buildah, skopeo and umoci load under the ID and with the files they have there."""

import gzip
import os
import stat
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from lading.linux import mounts

from ..snapshots.trees import described
from . import foreign
from .foreign import Tools, needs
from .layouts import Layout, config_id
from .rooms import Rooms, digest_of

LINES = [
    "FROM scratch",
    "COPY busybox /bin/busybox",
    "COPY etc /etc",
    'ENV GREETING="hello there"',
    "EXPOSE 80/tcp",
    'LABEL maker="someone else"',
    'HEALTHCHECK CMD ["/bin/busybox", "true"]',
    "COPY --chown=12:34 etc/first /srv/owned",
    'CMD ["/bin/busybox", "cat", "/etc/first"]',
]


@asynccontextmanager
async def mounted(rooms: Rooms, name: str, at: Path) -> AsyncIterator[Path]:
    """An image's files, as a container would see them."""
    at.mkdir()
    rooms.snapshots.prepare("looked-at", rooms.images.resolve(name).chain_id)
    rooms.snapshots.mount("looked-at", str(at))
    try:
        yield at
    finally:
        mounts.unmount(str(at))
        rooms.snapshots.remove("looked-at")


@pytest.fixture(scope="module")
def tools(tmp_path_factory: pytest.TempPathFactory) -> Tools:
    made = Tools(tmp_path_factory.mktemp("tools"))
    context = made.root / "context"
    foreign.copy_busybox(context)
    (context / "etc").mkdir()
    (context / "etc/first").write_text("one\n")
    (context / "etc/second").write_text("two\n")
    return made


@pytest.fixture(scope="module")
def podmans(tools: Tools) -> str:
    """The ID of an image that podman built."""
    return tools.built("example.com/app:1", LINES)


async def checked(rooms: Rooms) -> None:
    await rooms.cleared()
    rooms.check()


@needs("podman")
@pytest.mark.parametrize("form", ["docker-archive", "oci-archive"])
async def test_podman_save(rooms: Rooms, tmp_path: Path, tools: Tools, podmans: str, form: str) -> None:
    tools.podman("save", "-q", "--format", form, "-o", tmp_path / "saved.tar", "example.com/app:1")
    assert await rooms.loaded(tmp_path / "saved.tar") == "Loaded image: example.com/app:1\n"
    image = rooms.images.resolve("example.com/app:1")
    assert image.id == podmans
    assert image.config.env is not None
    assert "GREETING=hello there" in image.config.env
    assert image.labels["maker"] == "someone else"
    async with mounted(rooms, image.id, tmp_path / "here") as here:
        assert (here / "etc/second").read_text() == "two\n"
        assert (here / "srv/owned").stat().st_uid == 12
    await checked(rooms)


@needs("podman")
async def test_podman_saves_several(rooms: Rooms, tmp_path: Path, tools: Tools, podmans: str) -> None:
    other = tools.built("example.com/other:2", [*LINES[:3], "ENV OTHER=1"])
    tools.podman("tag", "example.com/app:1", "elsewhere.org/app:tagged")
    names = ["example.com/app:1", "elsewhere.org/app:tagged", "example.com/other:2"]
    tools.podman("save", "-q", "-m", "-o", tmp_path / "saved.tar", *names)
    said = await rooms.loaded(tmp_path / "saved.tar")
    assert sorted(said.splitlines()) == sorted(f"Loaded image: {name}" for name in names)
    assert [rooms.images.resolve(name).id for name in names] == [podmans, podmans, other]
    await checked(rooms)


@needs("podman", "umoci", "skopeo")
async def test_the_files_of_a_built_image(rooms: Rooms, tmp_path: Path, tools: Tools, podmans: str) -> None:
    tools.podman("save", "-q", "--format", "oci-archive", "-o", tmp_path / "saved.tar", "example.com/app:1")
    foreign.run("skopeo", "copy", "-q", f"oci-archive:{tmp_path}/saved.tar", f"oci:{tmp_path}/layout:it")
    truth = foreign.unpacked_by_umoci(tmp_path / "layout", "it", tmp_path / "umoci")
    await rooms.load(tmp_path / "saved.tar")
    async with mounted(rooms, podmans, tmp_path / "here") as here:
        assert described(here) == described(truth)


@needs("buildah")
@pytest.mark.parametrize("form", ["oci", "oci-archive", "docker-archive"])
async def test_buildah_commit(rooms: Rooms, tmp_path: Path, tools: Tools, form: str) -> None:
    container = tools.buildah("from", "scratch")
    tools.buildah("add", container, tools.root / "context/etc", "/etc")
    tools.buildah("config", "--entrypoint", '["/bin/true"]', "--author", "me", container)
    target = f"{form}:{tmp_path}/out:app:9"
    tools.buildah("commit", "-q", container, target)
    data = foreign.packed_layout(tmp_path / "out") if form == "oci" else tmp_path / "out"
    assert await rooms.loaded(data) == "Loaded image: app:9\n"
    image = rooms.images.resolve("app:9")
    assert image.config.entrypoint == ["/bin/true"]
    assert image.id == foreign.described_by_skopeo(target)[0]
    await checked(rooms)


def rich(root: Path) -> Path:
    """A tree with everything that a layer can say of a file."""
    for directory in ("bin", "etc/deep/er", "var/sticky", "var/group", "gone/with/all", "kept"):
        (root / directory).mkdir(parents=True)
    (root / "bin/su").write_bytes(os.urandom(70_000))
    (root / "bin/su").chmod(0o4755)
    (root / "bin/ping").write_bytes(b"ping")
    os.setxattr(root / "bin/ping", "security.capability", bytes.fromhex("01000002" + "00200000" + "00" * 12))
    os.setxattr(root / "etc/deep", "user.note", b"a\0b")
    for path in ("etc/a", "etc/deep/b", "gone/with/all/c", "gone/d", "kept/e", "etc/becomes-directory"):
        (root / path).write_text(path)
    (root / "etc/becomes-file").mkdir()
    (root / "etc/becomes-file/inside").write_text("x")
    os.link(root / "etc/a", root / "etc/twin")
    os.link(root / "etc/a", root / "var/triplet")
    os.symlink("../etc/a", root / "var/link")
    os.symlink("kept", root / "to-kept")
    os.chown(root / "etc/deep/b", 1000, 70_000)
    os.chown(root / "var/link", 1, 2, follow_symlinks=False)
    (root / "var/sticky").chmod(0o1777)
    (root / "var/group").chmod(0o2750)
    os.mkfifo(root / "var/pipe", 0o600)
    os.mknod(root / "var/zero", stat.S_IFCHR | 0o666, os.makedev(1, 5))
    os.mknod(root / "var/disk", stat.S_IFBLK | 0o640, os.makedev(7, 3))
    with open(root / "var/sparse", "wb") as file:
        file.seek(3 << 20)
        file.write(b"end of it")
    (root / "n" / ("a" * 200) / ("b" * 200)).mkdir(parents=True)
    (root / "n" / ("a" * 200) / ("b" * 200) / ("c" * 255)).write_text("long")
    (root / "u\u00fc \n\\x").write_text("odd")
    (root / os.fsdecode(b"not-utf8-\xff")).write_text("bytes")
    _set_times(root)
    return root


def changed(root: Path) -> Path:
    """A layer on top of `rich`: additions, replacements and what hides."""
    for directory in ("etc/deep", "gone", "etc/becomes-directory/now", "to-kept-not"):
        (root / directory).mkdir(parents=True)
    (root / "etc/.wh.a").touch()
    (root / "etc/deep/.wh..wh..opq").touch()
    (root / "etc/deep/new").write_text("new")
    (root / "gone/.wh.with").touch()
    (root / "etc/becomes-file").write_text("now a file")
    (root / "bin").mkdir()
    (root / "bin/su").write_bytes(b"another")
    (root / "bin/su").chmod(0o755)
    (root / "bin/.wh.never-was-there").touch()
    _set_times(root)
    return root


def _set_times(root: Path) -> None:
    for path in sorted(root.rglob("*"), reverse=True):
        os.utime(path, (1_600_000_000, 1_600_000_000 + len(path.name)), follow_symlinks=False)


def _layers(tmp_path: Path, *options: str) -> list[bytes]:
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    return [
        foreign.packed_by_tar(made, *options) for made in (rich(tmp_path / "one"), changed(tmp_path / "two"))
    ]


@needs("umoci")
@pytest.mark.parametrize(
    "options",
    [
        ["--format=gnu"],
        ["--format=posix", "-S", "--sparse-version=1.0"],
        ["--format=posix", "--xattrs", "--xattrs-include=*", "--pax-option=delete=atime,delete=ctime"],
    ],
    ids=" ".join,
)
async def test_the_files_are_those_umoci_makes(rooms: Rooms, tmp_path: Path, options: list[str]) -> None:
    layout = Layout()
    image = layout.image(_layers(tmp_path, *options))
    layout.list(image, "rich:1")
    truth = foreign.unpacked_by_umoci(
        foreign.written(layout, "it", tmp_path / "layout"), "it", tmp_path / "umoci"
    )
    await rooms.load(layout.archive())
    assert rooms.images.resolve("rich:1").id == config_id(layout, image)
    async with mounted(rooms, "rich:1", tmp_path / "here") as here:
        ours, theirs = described(here), described(truth)
        assert ours.keys() == theirs.keys()
        assert {path: (ours[path], theirs[path]) for path in ours if ours[path] != theirs[path]} == {}
        assert os.stat(here / "bin/su").st_mode & 0o7777 == 0o755


@needs("umoci")
async def test_what_umoci_repacks(rooms: Rooms, tmp_path: Path) -> None:
    layout = Layout()
    layout.list(layout.image(_layers(tmp_path)[:1]))
    place = foreign.written(layout, "one", tmp_path / "layout")
    root = foreign.unpacked_by_umoci(place, "one", tmp_path / "bundle")
    (root / "etc/a").unlink()
    (root / "added").write_text("by umoci")
    (root / "bin/ping").chmod(0o700)
    foreign.run("umoci", "repack", "--image", f"{place}:example.com/two:2", tmp_path / "bundle")
    foreign.run("umoci", "config", "--image", f"{place}:example.com/two:2", "--config.cmd", "/added")
    said = await rooms.loaded(foreign.packed_layout(place))
    assert "Loaded image: example.com/two:2" in said
    image = rooms.images.resolve("example.com/two:2")
    assert image.config.cmd == ["/added"]
    truth = foreign.unpacked_by_umoci(place, "example.com/two:2", tmp_path / "again")
    async with mounted(rooms, image.id, tmp_path / "here") as here:
        assert described(here) == described(truth)
    await checked(rooms)


@needs("skopeo")
@pytest.mark.parametrize("form", ["gzip", "zstd", "zstd:chunked"])
async def test_skopeo_compresses_otherwise(rooms: Rooms, tmp_path: Path, form: str) -> None:
    layout = Layout()
    # Old skopeos write some entries of `rich` anew when they cut a layer into chunks.
    layers = _layers(tmp_path)[form == "zstd:chunked" :]
    image = layout.image(layers, compress=None)
    layout.list(image)
    place = foreign.written(layout, "it", tmp_path / "layout")
    options = ["--dest-compress", "--dest-compress-format", form]
    target = f"oci-archive:{tmp_path}/out.tar:app:1"
    foreign.run("skopeo", "copy", "-q", *options, f"oci:{place}:it", f"dir:{tmp_path}/dir")
    foreign.run("skopeo", "copy", "-q", f"dir:{tmp_path}/dir", target)
    assert await rooms.loaded(tmp_path / "out.tar") == "Loaded image: app:1\n"
    loaded = rooms.images.resolve("app:1")
    image_id, blobs = foreign.described_by_skopeo(target)
    assert (loaded.id, loaded.document.diff_ids) == (image_id, [digest_of(layer) for layer in layers])
    # Kept as they came, for whoever pulls them from here.
    assert set(blobs) <= rooms.content.digests()
    assert set(blobs).isdisjoint(loaded.document.diff_ids)
    await checked(rooms)


@needs("skopeo")
async def test_skopeo_makes_docker_archives(rooms: Rooms, tmp_path: Path) -> None:
    layout = Layout()
    image = layout.image(_layers(tmp_path), compress=gzip.compress)
    layout.list(image)
    place = foreign.written(layout, "it", tmp_path / "layout")
    foreign.run("skopeo", "copy", "-q", "--format", "v2s2", f"oci:{place}:it", f"dir:{tmp_path}/dir")
    foreign.run(
        "skopeo",
        "copy",
        "-q",
        "--additional-tag",
        "app:2",
        f"dir:{tmp_path}/dir",
        f"docker-archive:{tmp_path}/o:app:1",
    )
    assert await rooms.loaded(tmp_path / "o") == "Loaded image: app:1\nLoaded image: app:2\n"
    assert rooms.images.resolve("app:2").id == foreign.described_by_skopeo(f"docker-archive:{tmp_path}/o")[0]
    await checked(rooms)
