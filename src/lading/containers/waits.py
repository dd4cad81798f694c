"""Clients that wait for a container."""

import asyncio
import json
import socket

from lading.containers.context import Context
from lading.containers.record import Container, Ended


async def answer(ctx: Context, container: Container, condition: str, client: socket.socket) -> None:
    """Waits for `condition` and writes the JSON answer, whose end is the end of the connection.

    Ends early where the client goes away.
    """
    loop = asyncio.get_running_loop()
    with client:
        ended = container.when(condition)
        gone = loop.create_task(_wait_for_end(loop, client))
        try:
            await asyncio.wait((ended, gone), return_when=asyncio.FIRST_COMPLETED)
            if ended.done():
                await loop.sock_sendall(client, body(ended.result()))
        except ConnectionError:
            pass
        finally:
            ended.cancel()
            gone.cancel()


async def _wait_for_end(loop: asyncio.AbstractEventLoop, client: socket.socket) -> None:
    try:
        while await loop.sock_recv(client, 4096):
            pass
    except ConnectionError:
        pass


def body(ended: Ended) -> bytes:
    """The answer of `POST /containers/{id}/wait` (Engine API 1.51, ContainerWaitResponse)."""
    answer: dict[str, object] = {"StatusCode": ended.exit_code}
    if ended.error:
        answer["Error"] = {"Message": ended.error}
    return json.dumps(answer).encode() + b"\n"
