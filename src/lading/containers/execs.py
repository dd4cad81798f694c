"""Running commands inside a running container."""

import asyncio
import select
import socket
import struct
from contextlib import suppress
from typing import Any

from lading.containers.bundle import exec_process_of
from lading.containers.context import Context
from lading.containers.exec_record import ExecRecord, in_events
from lading.containers.record import Container, Status
from lading.containers.resize import check_console_size
from lading.errors import Conflict, InvalidParameter, LadingError, NotFound
from lading.ids import new_id
from lading.runtime import Attach, Exec, LaunchError, detach_sequence
from lading.schema.container import ExecConfig, ExecStartBody
from lading.units import now_ns

_DYING = 0.5
"""Seconds in which the end of a container is heard whose processes are being killed."""


def find_exec(ctx: Context, exec_id: str) -> ExecRecord:
    """Raises NotFound."""
    record = ctx.execs.get(exec_id)
    if record is None:
        raise NotFound(f"No such exec instance: {exec_id}")
    return record


def create_exec(ctx: Context, container: Container, config: ExecConfig) -> ExecRecord:
    """Notes a command to be run. Raises InvalidParameter, or Conflict where the container does not run."""
    if not config.cmd:
        raise InvalidParameter("No exec command specified")
    detach_sequence(config.detach_keys)
    check_console_size(config.console_size)
    _check_runs(container)
    _drop_outlived(ctx)
    record = ExecRecord(id=new_id(), container_id=container.id, config=config, created_ns=now_ns())
    ctx.store.save_exec(record)
    ctx.execs[record.id] = record
    ctx.runtime.expect()
    ctx.publish(container, f"exec_create: {in_events(config.cmd)}", execID=record.id)
    return record


def _drop_outlived(ctx: Context) -> None:
    """Else a container that is asked every second how it is would leave a record of each time."""
    now = now_ns()
    for record in [record for record in ctx.execs.values() if record.outlived(now)]:
        del ctx.execs[record.id]
        ctx.store.delete_exec(record.id)


def _check_runs(container: Container) -> None:
    if container.state.status is Status.PAUSED:
        raise Conflict(f"container {container.name} is paused, unpause the container before exec")
    if container.state.status is Status.RESTARTING:
        raise Conflict(f"container {container.id} is restarting, wait until the container is running")
    if not container.state.running:
        raise Conflict(f"container {container.id} is not running")


def check_startable(ctx: Context, record: ExecRecord, body: ExecStartBody) -> Container:
    """The container of an exec that may be started. Raises Conflict, NotFound or InvalidParameter."""
    check_console_size(body.console_size)
    if record.started:
        message = "has already run" if record.exit_code is not None else "is already running"
        raise Conflict(f"Error: Exec command {record.id} {message}")
    container = ctx.registry.get(record.container_id)
    if container is None:
        raise NotFound(f"No such exec instance: {record.id}")
    _check_runs(container)
    return container


async def resize_exec(ctx: Context, record: ExecRecord, height: int, width: int) -> None:
    """Raises Conflict where the command does not run."""
    if not record.running:
        raise Conflict(f"exec {record.id} is not running")
    if record.config.tty:
        await ctx.runtime.resize(record.id, height, width)


async def start_exec(
    ctx: Context, record: ExecRecord, body: ExecStartBody, client: tuple[socket.socket, bytes] | None
) -> None:
    """Runs the command, with its streams on `client` (a socket and what it already sent).

    Where it cannot be run, the record gets the exit code docker gives it (126
    or 127), and the client the reason; without a client that is raised.
    """
    container = check_startable(ctx, record, body)
    record.started = True
    ctx.publish(container, f"exec_start: {in_events(record.config.cmd or [''])}", execID=record.id)
    if client is None:
        await _execute(ctx, container, record, body)
        return
    connection, early = client
    with connection:
        try:
            await ctx.runtime.attach(record.id, connection, _wishes(record.config, early))
            await _execute(ctx, container, record, body)
            if record.config.attach_stdin and _has_left(connection):
                # Before the command was there to be told that nothing more will come.
                with suppress(NotFound, Conflict):
                    await ctx.runtime.close_stdin(record.id)
        except LadingError as error:
            await _tell(connection, error.message, framed=not record.config.tty)
            await ctx.runtime.forget(record.id)
        except Exception:
            # A fault of ours. The keeper has the connection too and would hold the client for ever.
            await ctx.runtime.forget(record.id)
            raise


def _has_left(connection: socket.socket) -> bool:
    poll = select.poll()
    poll.register(connection, 0)
    return bool(poll.poll(0))


def _wishes(config: ExecConfig, early: bytes) -> Attach:
    return Attach(
        stdin=config.attach_stdin,
        stdout=config.attach_stdout,
        stderr=config.attach_stderr,
        framed=not config.tty,
        detach_keys=config.detach_keys,
        early=early,
    )


async def _execute(ctx: Context, container: Container, record: ExecRecord, body: ExecStartBody) -> None:
    config = record.config
    try:
        started = await ctx.runtime.execute(
            Exec(
                key=record.id,
                container_id=container.id,
                process=_process(ctx, container, config),
                runtime=container.definition.host.runtime,
                tty=config.tty,
                open_stdin=config.attach_stdin,
                console_size=body.console_size or config.console_size,
            )
        )
    except Exception as error:
        record.exit_code = error.exit_code if isinstance(error, LaunchError) else 126
        record.finished_ns = now_ns()
        _save(ctx, record)
        if isinstance(error, LaunchError) and error.status >= 500:
            await _blame_end(container)
        raise
    if record.exit_code is None:
        record.running, record.pid = True, started.pid
        _save(ctx, record)


async def _blame_end(container: Container) -> None:
    """Raises Conflict where the container is just ending, of which the runtime speaks in riddles."""
    ended = container.when("not-running")
    try:
        # All its processes die before the one whose end we hear of.
        async with asyncio.timeout(_DYING):
            await ended
    except TimeoutError:
        return
    raise Conflict(f"container {container.id} is not running")


def _save(ctx: Context, record: ExecRecord) -> None:
    # The container may have been removed meanwhile, and its execs with it.
    if record.id in ctx.execs:
        ctx.store.save_exec(record)


def _process(ctx: Context, container: Container, config: ExecConfig) -> dict[str, Any]:
    try:
        return exec_process_of(ctx, container, config)
    except OSError:
        # Its root is looked at by way of its process.
        raise Conflict(f"container {container.id} is not running") from None


async def _tell(connection: socket.socket, message: str, *, framed: bool) -> None:
    text = f"{message}\r\n".encode()
    head = struct.pack(">BxxxI", 1, len(text)) if framed else b""
    try:
        await asyncio.get_running_loop().sock_sendall(connection, head + text)
    except ConnectionError:
        pass
