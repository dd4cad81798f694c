"""Importing what a URL names: `docker import http://…`."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial

from lading.aio import tasks
from lading.distribution import Registries
from lading.images.pull_progress import Message, line, update

Importing = Callable[[AsyncIterator[bytes]], Awaitable[str]]
"""Makes an image of an archive and gives its ID."""

# Seconds between two progress lines.
_STEP = 0.1


async def import_url(registries: Registries, source: str, importing: Importing) -> AsyncIterator[Message]:
    """Fetches an archive and has it imported, giving docker's messages. Raises LadingError.

    Close the iterator if it is not read to its end: only that stops the work.
    """
    url = source if "://" in source else f"http://{source}"
    messages: asyncio.Queue[Message | None] = asyncio.Queue()
    pieces = _pieces(registries, url, messages.put_nowait)
    working = asyncio.ensure_future(importing(pieces))
    working.add_done_callback(lambda _: messages.put_nowait(None))
    try:
        while (message := await messages.get()) is not None:
            yield message
        yield line(await working)
    finally:
        working.cancel()
        await asyncio.wait([working])


async def _pieces(registries: Registries, url: str, say: Callable[[Message], None]) -> AsyncIterator[bytes]:
    reader = await tasks.in_own_thread(partial(registries.download, url))
    done, told = 0, 0.0
    try:
        say(line(f"Downloading from {url}"))
        # The pool is not for waiting: a few servers that are slow would take all of it.
        while piece := await tasks.in_own_thread(reader.read):
            done += len(piece)
            now = time.monotonic()
            if now - told >= _STEP or done == reader.size:
                told = now
                say(update("", "Importing", done, max(reader.size, 0)))
            yield piece
    except BaseException:
        # A thread may still be reading.
        reader.abort()
        raise
    reader.close()
