"""Images count as safe once a sync has passed."""

import asyncio
import threading

import pytest

from lading.linux import mounts

from .rooms import Rooms, saved, tree


async def test_images_that_come_during_a_sync_share_the_next(
    rooms: Rooms, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun: list[str] = []
    disk = threading.Event()

    def sync(directory: str) -> None:
        begun.append(directory)
        disk.wait(30)

    monkeypatch.setattr(mounts, "sync_filesystem", sync)
    for number in range(5):
        await rooms.load(saved(f"image:{number}", [tree({"number": str(number)})]))
        while not begun:
            await asyncio.sleep(0.01)
    # What waits for a slow disk is not one thread for each image.
    assert len(begun) == 1
    assert len(rooms.ctx.store.unsettled()) == 5
    disk.set()
    await rooms.settled()
    assert len(begun) == 2
