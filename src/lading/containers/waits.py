"""Clients that wait for a container.

Their connections are parked with the keeper, so that `docker run` gets its
exit code though the daemon it asked is gone: the next one answers.
"""

import asyncio
import json
import socket
from typing import Any

from lading.containers.context import Context
from lading.containers.record import Container, Ended
from lading.units import now_ns


async def answer(ctx: Context, container: Container, condition: str, client: socket.socket) -> None:
    """Waits for `condition` and writes the JSON answer, whose end is the end of the connection.

    Ends early where the client goes away.
    """
    ended = container.when(condition)
    about = {"container": container.id, "condition": condition, "since_ns": now_ns()}
    # A process that ends at once is not to wait for the keeper's word.
    parking = asyncio.ensure_future(ctx.runtime.park(about, client))
    with client:
        await _wait(ended, client)
        number = await parking
    await ctx.runtime.unpark(number)


async def take_over(ctx: Context) -> None:
    """Goes on waiting for those whom an earlier daemon left unanswered."""
    for number, about, client in await ctx.runtime.parked():
        container = ctx.registry.get(about["container"])
        if container is None:
            client.close()
            await ctx.runtime.unpark(number)
            continue
        ended = _missed(container, about) or container.when(about["condition"])
        ctx.background.spawn(_go_on(ctx, ended, client, number), "wait")


async def _go_on(ctx: Context, ended: "asyncio.Future[Ended]", client: socket.socket, number: int) -> None:
    with client:
        await _wait(ended, client)
    await ctx.runtime.unpark(number)


def _missed(container: Container, about: dict[str, Any]) -> "asyncio.Future[Ended] | None":
    """The exit that was noted, but not told any more, before the earlier daemon died."""
    state = container.state
    if about["condition"] != "next-exit" or state.finished_ns < about["since_ns"]:
        return None
    future: asyncio.Future[Ended] = asyncio.get_running_loop().create_future()
    future.set_result(Ended(state.exit_code))
    return future


async def _wait(ended: "asyncio.Future[Ended]", client: socket.socket) -> None:
    loop = asyncio.get_running_loop()
    client.setblocking(False)
    gone = loop.create_task(_wait_for_end(loop, client))
    try:
        await asyncio.wait((ended, gone), return_when=asyncio.FIRST_COMPLETED)
        if ended.done():
            await loop.sock_sendall(client, body(ended.result()))
        # The keeper has the connection too: closing our side would not end it.
        client.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass
    finally:
        ended.cancel()
        gone.cancel()


async def _wait_for_end(loop: asyncio.AbstractEventLoop, client: socket.socket) -> None:
    try:
        while await loop.sock_recv(client, 4096):
            pass
    except OSError:
        pass


def body(ended: Ended) -> bytes:
    """The answer of `POST /containers/{id}/wait` (Engine API 1.51, ContainerWaitResponse)."""
    answer: dict[str, object] = {"StatusCode": ended.exit_code}
    if ended.error:
        answer["Error"] = {"Message": ended.error}
    return json.dumps(answer).encode() + b"\n"
