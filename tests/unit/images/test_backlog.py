"""Progress for clients that do not read it is not kept for ever."""

import asyncio

from lading.images.push_progress import PushProgress


def test_a_push_whose_client_is_asleep() -> None:
    async def push() -> list[str]:
        progress = PushProgress()
        progress.state("layer", "Preparing")
        for done in range(5000):
            progress.moving("layer", "Pushing", done << 20, 5000 << 20)
            await asyncio.sleep(0)
        progress.state("layer", "Pushed")
        progress.end()
        return [message["status"] async for message in progress.messages()]

    said = asyncio.run(push())
    assert (said[0], said[-1]) == ("Preparing", "Pushed")
    assert len(said) < 600
