"""Clients and servers that let one wait keep nobody else waiting: here the pool has one thread."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from tests.registries import Breaking
from tests.web_server import Handler, serve

from lading.aio import tasks
from lading.distribution import Credentials, Registries
from lading.filters import Filters
from lading.images import ImageTransfers

from .published import QUICK
from .rooms import Rooms, tree


def _one_thread() -> None:
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(1))


async def _is_free() -> bool:
    """Whether the pool still does something for others."""
    return await asyncio.wait_for(tasks.in_thread(lambda: True), 20)


@contextlib.asynccontextmanager
async def _waiting(work: "asyncio.Future[object]") -> AsyncIterator[None]:
    try:
        yield
    finally:
        work.cancel()
        await asyncio.wait([work])


async def test_a_file_from_the_web_is_imported(rooms: Rooms) -> None:
    _one_thread()
    archive = tree({"a": b"x" * (1 << 20)})

    def answer(request: Handler) -> None:
        request.answer(200, archive)

    server = serve(answer)
    transfers = ImageTransfers(rooms.ctx, Registries(QUICK))
    try:
        url = f"http://127.0.0.1:{server.server_port}/x.tar"
        messages = transfers.import_url(url, lambda stream: rooms.images.import_(stream, "imported"))
        async with asyncio.timeout(20):
            said = [message async for message in messages]
        assert said[-1]["status"] == rooms.images.resolve("imported").id
    finally:
        await transfers.close()
        server.shutdown()
        server.server_close()


async def test_clients_that_send_nothing_more(rooms: Rooms) -> None:
    _one_thread()
    begun = asyncio.Event()

    async def stalled() -> AsyncIterator[bytes]:
        yield b"\0" * 512
        begun.set()
        await asyncio.Event().wait()

    async def load() -> object:
        return [message async for message in rooms.images.load(stalled())]

    for work in (load(), rooms.images.import_(stalled(), "stalled")):
        begun.clear()
        async with _waiting(asyncio.ensure_future(work)):
            await begun.wait()
            assert await _is_free()


@pytest.mark.parametrize("what", ["login", "search"])
async def test_registries_that_do_not_answer(rooms: Rooms, what: str) -> None:
    _one_thread()
    with Breaking() as silent:
        silent.fail("", "hold", times=9)
        transfers = ImageTransfers(rooms.ctx, Registries(replace(QUICK, timeout=60)))
        ada = Credentials("ada", "secret", server_address=silent.host)

        async def ask() -> object:
            if what == "login":
                return await transfers.login(ada)
            return await transfers.search(f"{silent.host}/x", 5, Filters())

        async with _waiting(asyncio.ensure_future(ask())):
            while not silent.seen:
                await asyncio.sleep(0.01)
            assert await _is_free()
        await transfers.close()
