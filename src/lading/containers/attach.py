"""Joining a client to a container's streams."""

import asyncio
import fcntl
import socket
import struct
import termios
from dataclasses import dataclass

from lading.containers.context import Context
from lading.containers.logs import LogOptions, read_logs
from lading.containers.record import Container
from lading.errors import Conflict, InvalidParameter, LadingError
from lading.runtime import Attach, detach_sequence

_PATIENCE = 100
"""Milliseconds a client gets to read the head of its answer."""


@dataclass(frozen=True, slots=True)
class AttachOptions:
    """The parameters of `POST /containers/{id}/attach` (Engine API 1.51)."""

    stdin: bool
    stdout: bool
    stderr: bool
    logs: bool
    stream: bool
    detach_keys: str = ""
    multiplexed: bool = True
    """Whether output and errors are told apart, where there is no terminal."""

    def check(self) -> None:
        """Raises InvalidParameter, while the connection is still HTTP."""
        detach_sequence(self.detach_keys)
        if not (self.logs or self.stream):
            raise InvalidParameter("Bad parameters: you must choose at least one of logs and stream")


async def attach(
    ctx: Context, container: Container, client: tuple[socket.socket, bytes], options: AttachOptions
) -> None:
    """Sends what was asked for of the log, then hands the client to the keeper.

    From there on its session does not depend on this daemon.
    """
    connection, early = client
    with connection:
        if options.logs or container.state.running:
            await _head_taken(connection)
        if options.logs:
            await _send_logs(ctx, container, connection, options)
        if not options.stream:
            return
        ctx.publish(container, "attach")
        wishes = Attach(
            stdin=options.stdin and container.definition.config.open_stdin,
            stdout=options.stdout,
            stderr=options.stderr,
            framed=options.multiplexed and not container.definition.config.tty,
            detach_keys=options.detach_keys,
            early=early,
        )
        try:
            await ctx.runtime.attach(container.id, connection, wishes)
        except Conflict:
            # It ended just now; the client sees the end of its streams.
            return


async def _head_taken(connection: socket.socket) -> None:
    """Waits until the client has read the answer's head, as far as that shows.

    docker-py reads the head through a buffer and drops what came with it.
    """
    if connection.family != socket.AF_UNIX:
        return
    for _ in range(_PATIENCE):
        (unread,) = struct.unpack("i", fcntl.ioctl(connection, termios.TIOCOUTQ, bytes(4)))
        if unread == 0:
            return
        await asyncio.sleep(0.001)


async def _send_logs(
    ctx: Context, container: Container, connection: socket.socket, options: AttachOptions
) -> None:
    wanted = LogOptions(stdout=options.stdout, stderr=options.stderr, multiplexed=options.multiplexed)
    loop = asyncio.get_running_loop()
    try:
        async for piece in read_logs(ctx, container, wanted):
            await loop.sock_sendall(connection, piece)
    except (LadingError, ConnectionError):
        return
