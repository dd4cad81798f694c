"""A power cut may bring back what was removed, without its files: commits are not synced one by one."""

import gzip
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.registries import Registry, needs_registry

from lading.distribution import Registries
from lading.errors import InternalError, NotFound
from lading.images import ImageTransfers

from .published import QUICK, Repository
from .rooms import Rooms, digest_of, saved, tree

ONE, TWO = tree({"a": "one"}), tree({"b": "two"})


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[Registry]:
    with Registry(tmp_path / "registry") as registry:
        yield registry


async def _reopened(rooms: Rooms) -> Rooms:
    await rooms.close()
    return Rooms(rooms.root)


async def test_an_image_that_has_lost_all_its_files(rooms: Rooms) -> None:
    await rooms.load(saved("gone:1", [ONE, TWO]))
    await rooms.load(saved("whole:1", [ONE]))
    await rooms.settled()
    gone = rooms.images.resolve("gone:1")
    assert gone.chain_id is not None
    directory = rooms.snapshots.directories(gone.chain_id)[-1]
    shutil.rmtree(directory)
    os.unlink(rooms.content.path(digest_of(TWO)))
    again = await _reopened(rooms)
    try:
        with pytest.raises(NotFound):
            again.images.resolve("gone:1")
        assert again.images.resolve("whole:1")
        await again.cleared()
        again.check()
        await again.load(saved("gone:1", [ONE, TWO]))
        again.check()
    finally:
        await again.close()


@needs_registry
async def test_a_pull_brings_back_what_an_image_has_lost(rooms: Rooms, registry: Registry) -> None:
    manifest = Repository(registry, "t").image([ONE, TWO], "1")
    name = f"{registry.host}/t:1"
    lost = digest_of(gzip.compress(TWO, 1, mtime=0))

    async def pull(into: Rooms) -> list[str]:
        transfers = ImageTransfers(into.ctx, Registries(QUICK))
        try:
            return [message["status"] async for message in transfers.pull(name)]
        finally:
            await transfers.close()

    await pull(rooms)
    await rooms.settled()
    os.unlink(rooms.content.path(lost))
    again = await _reopened(rooms)
    try:
        # It can be run as before, but not given away.
        assert again.images.resolve(name)
        with pytest.raises(InternalError, match="load or pull it again"):
            await ImageTransfers(again.ctx, Registries(QUICK)).save([name])
        said = await pull(again)
        assert "Pull complete" in said
        assert said[-1] == f"Status: Image is up to date for {name}"
        archive = await ImageTransfers(again.ctx, Registries(QUICK)).save([name])
        assert manifest["digest"][7:].encode() in b"".join([piece async for piece in archive])
        again.check()
    finally:
        await again.close()
