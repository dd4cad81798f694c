"""Archives that want more than there is room for: a clear error, and all that was taken is given back."""

import errno
import gzip
import io
import os
import tarfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from lading.errors import InvalidParameter, LadingError, TooLarge
from lading.linux import mounts

from .layouts import Layout
from .rooms import Rooms, archived, saved, streamed, tree


@pytest.fixture
def rooms(tmp_path: Path) -> Iterator[Path]:
    """On a file system of 32 MiB."""
    root = tmp_path / "small"
    root.mkdir()
    mounts.mount("tmpfs", str(root), "tmpfs", 0, "size=32m")
    yield root
    mounts.unmount(str(root))


async def left(rooms: Rooms) -> None:
    await rooms.cleared()
    assert rooms.files() == []
    assert (rooms.images.list(), rooms.snapshots.layers(), rooms.content.digests()) == ([], [], frozenset())
    # And there is room again.
    assert await rooms.loaded(saved("small:1", [tree({"f": "x"})])) == "Loaded image: small:1\n"


def header(name: str, size: int) -> bytes:
    info = tarfile.TarInfo(name)
    info.size = size
    return info.tobuf(tarfile.GNU_FORMAT)


async def test_a_layer_that_does_not_fit_as_it_came(rooms: Rooms) -> None:
    with pytest.raises(LadingError, match=r"(?i)no space left on device"):
        await rooms.load(saved("a:1", [tree({"big": os.urandom(40 << 20)})]))
    await left(rooms)


async def test_a_layer_that_fits_compressed_only(rooms: Rooms) -> None:
    bomb = gzip.compress(tree({"zeros": bytes(64 << 20)}))
    assert len(bomb) < 100_000
    data = archived(
        {"layer.tar": bomb, "manifest.json": b'[{"Config": "c", "Layers": ["layer.tar"]}]', "c": b"{}"}
    )
    with pytest.raises(LadingError, match="no space left on device"):
        await rooms.load(data)
    await left(rooms)


async def test_many_layers_that_fit_one_by_one(rooms: Rooms) -> None:
    layers = [tree({f"f{number}": os.urandom(5 << 20)}) for number in range(8)]
    with pytest.raises(LadingError, match=r"(?i)no space left on device"):
        await rooms.load(saved("a:1", layers))
    await left(rooms)


async def endless(start: bytes, piece: bytes) -> AsyncIterator[bytes]:
    yield start
    while True:
        yield piece


async def test_an_archive_without_end(rooms: Rooms) -> None:
    source = endless(saved("a:1", [tree({"f": "x"})]), bytes(1 << 20))
    with pytest.raises(InvalidParameter, match="too much data after the end of the archive"):
        async for _ in rooms.images.load(source):
            pass
    await left(rooms)


async def test_files_without_end(rooms: Rooms) -> None:
    source = endless(b"", b"".join(header(f"f{number}", 0) for number in range(1000)))
    with pytest.raises(TooLarge, match="more than 100000 files"):
        async for _ in rooms.images.load(source):
            pass
    await left(rooms)


async def test_documents_without_end(rooms: Rooms) -> None:
    body = b"[" + b" " * ((8 << 20) - 2) + b"]"
    source = endless(b"", header("x.json", len(body)) + body)
    with pytest.raises(TooLarge, match="too many documents"):
        async for _ in rooms.images.load(source):
            pass
    await left(rooms)


async def test_a_bomb_within_a_bomb(rooms: Rooms) -> None:
    inner = io.BytesIO()
    with gzip.open(inner, "wb") as file:
        file.write(header("zeros", 300 << 20))
        for _ in range(300):
            file.write(bytes(1 << 20))
    data = gzip.compress(archived({"layer.tar": inner.getvalue(), "manifest.json": b"[]"}))
    # Nobody asks for the layer; it is taken in all the same, since the list may come last.
    assert [message async for message in rooms.images.load(streamed(data), quiet=True)] == []
    await left(rooms)


@pytest.mark.parametrize("number", [0, 1])
async def test_a_disk_that_is_full_at_the_last_moment(
    rooms: Rooms, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    write = rooms.content.write
    written: list[bytes] = []

    def full(data: bytes, *more: str) -> str:
        if len(written) == number:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        written.append(data)
        return write(data, *more)

    layout = Layout()
    layout.list(layout.image([tree({"a": "1"}), tree({"b": "2"})]), "app:1")
    with monkeypatch.context() as patched:
        patched.setattr(rooms.content, "write", full)
        with pytest.raises(LadingError, match=r"(?i)no space left on device"):
            await rooms.load(layout.archive())
    await left(rooms)
