"""What a push tells its client, in docker's words.

Source: moby's pkg/streamformatter and distribution/push_v2.go.
"""

import asyncio
from collections.abc import AsyncIterator

from lading.images.pull_progress import Message, line, update

# A line for every so many bytes; the client draws them.
_STEP = 512 << 10
# Messages that wait for a slow client; from there on such lines are left out.
_BACKLOG = 512


class PushProgress:
    """Messages on their way to one client. Loop thread, but for `moving`."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._messages: asyncio.Queue[Message | None] = asyncio.Queue()
        self._shown: dict[tuple[str, str], int] = {}

    def say(self, text: str) -> None:
        """A line that stays."""
        self._messages.put_nowait(line(text))

    def state(self, layer: str, text: str) -> None:
        """Where a layer has got to."""
        self._messages.put_nowait(update(layer, text))

    def result(self, tag: str, digest: str, size: int) -> None:
        """What a push has come to, for programs: the size of the manifest is in bytes."""
        aux = {"Tag": tag, "Digest": digest, "Size": size}
        self._messages.put_nowait({"progressDetail": {}, "aux": aux})

    def moving(self, layer: str, action: str, done: int, total: int) -> None:
        """How far something about a layer is, in bytes. Any thread."""
        shown = self._shown.get((layer, action), -_STEP)
        # Less than before: it was begun again.
        if shown <= done < total and done - shown < _STEP:
            return
        if self._messages.qsize() > _BACKLOG:
            return
        self._shown[layer, action] = done
        message = update(layer, action, done, total)
        try:
            self._loop.call_soon_threadsafe(self._messages.put_nowait, message)
        except RuntimeError:
            # The loop is closed: nobody listens.
            pass

    def end(self) -> None:
        """There will be no more."""
        self._messages.put_nowait(None)

    async def messages(self) -> AsyncIterator[Message]:
        """Until the end."""
        while (message := await self._messages.get()) is not None:
            yield message
