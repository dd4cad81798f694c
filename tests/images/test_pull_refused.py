"""What a pull refuses before it has fetched much, and whom it does not wait for."""

import asyncio
import gzip
import threading
from collections.abc import Iterator
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path

import pytest
from tests.registries import Breaking, Registry, needs_registry

from lading.distribution import Registries
from lading.errors import LadingError
from lading.images import ImageTransfers

from .published import GZIP, QUICK, Repository
from .rooms import Rooms, configuration, tree

pytestmark = needs_registry
LAYER = tree({"a": "one"})


@pytest.fixture
def broken(tmp_path: Path) -> Iterator[Breaking]:
    with Registry(tmp_path / "registry") as registry, Breaking(registry) as breaking:
        there = Repository(registry, "t")
        there.image([LAYER], "windows", os="windows")
        there.image([LAYER], "linux")
        blob = there.blob(gzip.compress(LAYER, 1, mtime=0), GZIP)
        there.manifest(configuration([LAYER] * 501), [blob] * 501, "tall")
        yield breaking


async def _refused(rooms: Rooms, broken: Breaking, tag: str) -> str:
    transfers = ImageTransfers(rooms.ctx, Registries(QUICK))
    try:
        with pytest.raises(LadingError) as caught:
            _ = [message async for message in transfers.pull(f"{broken.host}/t", tag)]
    finally:
        await transfers.close()
    rooms.check()
    return caught.value.message


@pytest.mark.parametrize(
    ("tag", "expected"),
    [
        ("windows", "operating system is not supported"),
        ("tall", "max depth exceeded: 501 layers, 500 can be stacked"),
    ],
)
async def test_an_image_that_cannot_be(rooms: Rooms, broken: Breaking, tag: str, expected: str) -> None:
    assert await _refused(rooms, broken, tag) == expected
    # The configuration, and no layer.
    assert broken.count("GET .*/blobs/") == 1


@pytest.mark.timeout(30)
async def test_a_registry_that_wants_days(rooms: Rooms, broken: Breaking) -> None:
    broken.fail("/blobs/", "status", status=503, headers={"Retry-After": "200000"}, times=99)
    said = await _refused(rooms, broken, "linux")
    assert said.startswith("error pulling image configuration: received unexpected HTTP status: 503")


def _asking() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name == "work"]


async def test_a_pull_that_was_given_up_leaves_no_thread(rooms: Rooms, broken: Breaking) -> None:
    broken.fail("/blobs/", "hold", times=99)
    transfers = ImageTransfers(rooms.ctx, Registries(replace(QUICK, pause=60, timeout=60)))
    try:
        messages = transfers.pull(f"{broken.host}/t", "linux")
        async with aclosing(messages):
            await anext(messages)
            while not broken.count("/blobs/"):
                await asyncio.sleep(0.01)
        async with asyncio.timeout(20):
            while _asking():
                await asyncio.sleep(0.01)
    finally:
        await transfers.close()
