"""Clearing away takes nothing that is used, and leaves nothing that is not, whatever goes on at once."""

import asyncio
import os
import random
from collections.abc import Awaitable, Callable
from contextlib import suppress

import pytest

from lading.errors import Conflict, NotFound
from lading.filters import Filters
from lading.images import Commit, ImageUser
from lading.oci.image import ImageConfig

from .rooms import Rooms, saved, streamed, tree

# Few enough that the images of different users share them all the time.
LAYERS = [tree({f"layer/{number}/{file}": str(file) * 50 for file in range(20)}) for number in range(4)]


class User:
    """Does one thing after another with images of its own, and sees after each that they are whole."""

    def __init__(self, rooms: Rooms, number: int, seed: int) -> None:
        self.rooms = rooms
        self.number = number
        self.chance = random.Random(seed * 100 + number)
        self.tags: set[str] = set()
        self.boxes: dict[str, str] = {}

    async def act(self, times: int) -> None:
        deeds: list[Callable[[], Awaitable[None]]] = [
            *(self.load, self.load, self.import_, self.commit, self.remove, self.remove),
            *(self.create, self.destroy, self.prune, self.check, self.give_up),
        ]
        for _ in range(times):
            await self.chance.choice(deeds)()
            self.see()

    def see(self) -> None:
        for tag in self.tags:
            image = self.rooms.images.resolve(tag)
            assert all(self.rooms.content.has(digest) for digest in image.record.blobs)
            assert all(os.path.exists(self.rooms.content.path(digest)) for digest in image.record.blobs)
            for directory in self.rooms.snapshots.directories(image.chain_id):
                assert os.listdir(directory), tag
        for box in self.boxes:
            assert os.path.isdir(self.rooms.snapshots.driver_data(box)["UpperDir"])
            for directory in self.rooms.snapshots.driver_data(box).get("LowerDir", "").split(":"):
                assert os.listdir(directory), box

    def new_tag(self) -> str:
        return f"user{self.number}:{self.chance.randrange(4)}"

    async def load(self) -> None:
        tag = self.new_tag()
        layers = self.chance.sample(LAYERS, self.chance.randint(1, 3))
        await self.rooms.load(saved(tag, layers, author=f"{self.number} {self.chance.randrange(3)}"))
        self.tags.add(tag)

    async def give_up(self) -> None:
        """A client that goes away in the middle of a load."""
        load = asyncio.create_task(self.load())
        await asyncio.sleep(self.chance.uniform(0, 0.02))
        load.cancel()
        with suppress(asyncio.CancelledError):
            await load

    async def import_(self) -> None:
        tag = self.new_tag()
        await self.rooms.images.import_(streamed(self.chance.choice(LAYERS)), *tag.split(":"))
        self.tags.add(tag)

    async def commit(self) -> None:
        if not self.tags:
            return
        tag = self.new_tag()
        parent = self.rooms.images.resolve(self.chance.choice(sorted(self.tags)))
        layer = tree({"made": str(self.chance.randrange(3))})
        order = Commit(parent.id, ImageConfig(), lambda push: push(layer))
        await self.rooms.images.commit(order, *tag.split(":"))
        self.tags.add(tag)

    async def remove(self) -> None:
        if self.tags:
            tag = self.chance.choice(sorted(self.tags))
            with suppress(Conflict):
                self.rooms.images.remove(tag, self.chance.random() < 0.5, True, self.users())
                self.tags.discard(tag)

    def users(self) -> list[ImageUser]:
        return [ImageUser(box, image_id, False) for box, image_id in self.boxes.items()]

    async def create(self) -> None:
        if self.tags:
            image = self.rooms.images.resolve(self.chance.choice(sorted(self.tags)))
            box = f"box{self.number}-{self.chance.randrange(1 << 30)}"
            self.rooms.snapshots.prepare(box, image.chain_id)
            self.boxes[box] = image.id

    async def destroy(self) -> None:
        if self.boxes:
            box, image_id = self.boxes.popitem()
            self.rooms.snapshots.remove(box)
            if self.rooms.images.get(image_id) is None:
                self.rooms.images.clear()

    async def prune(self) -> None:
        with suppress(Conflict):
            await self.rooms.images.prune(Filters({}), list)

    async def check(self) -> None:
        with suppress(Conflict):
            repair = self.chance.random() < 0.5
            found = [message async for message in self.rooms.images.check(list, repair=repair, deep=True)]
            assert found[-1]["aux"]["Findings"] == []


@pytest.mark.parametrize("seed", range(3))
async def test_many_at_once(rooms: Rooms, seed: int) -> None:
    users = [User(rooms, number, seed) for number in range(5)]
    await asyncio.gather(*(user.act(25) for user in users))
    for user in users:
        for box in list(user.boxes):
            rooms.snapshots.remove(box)
    rooms.images.clear()
    await rooms.cleared()
    rooms.check()
    for shown in rooms.images.list(everything=True):
        with suppress(NotFound, Conflict):
            rooms.images.remove(shown["Id"], force=True)
    for shown in rooms.images.list(everything=True):
        with suppress(NotFound):
            rooms.images.remove(shown["Id"], force=True)
    assert rooms.images.list(everything=True) == []
    await rooms.cleared()
    assert rooms.files() == []


async def test_the_files_of_an_image_go_after_the_answer(rooms: Rooms) -> None:
    await rooms.load(saved("big", LAYERS))
    rooms.images.remove("big")
    # Nothing but this has run since, so no thread has begun.
    assert len(list((rooms.root / "snapshots/.trash").rglob("*/layer/*/*"))) == 20 * len(LAYERS)
    assert os.listdir(rooms.root / "content/blobs/sha256") == []
    await rooms.cleared()
    assert rooms.files() == []
