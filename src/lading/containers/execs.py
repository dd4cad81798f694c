"""Running commands inside a running container."""

import asyncio
import select
import socket
import struct
from contextlib import suppress

from lading.containers.bundle import exec_process_of
from lading.containers.context import Context
from lading.containers.exec_record import ExecRecord
from lading.containers.record import Container, Status
from lading.containers.resize import check_console_size
from lading.errors import Conflict, InvalidParameter, LadingError, NotFound
from lading.ids import new_id
from lading.runtime import Attach, Exec, LaunchError, detach_sequence
from lading.schema.container import ExecConfig, ExecStartBody


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
    record = ExecRecord(id=new_id(), container_id=container.id, config=config)
    ctx.store.save_exec(record)
    ctx.execs[record.id] = record
    ctx.runtime.expect()
    ctx.publish(container, f"exec_create: {' '.join(config.cmd)}", execID=record.id)
    return record


def _check_runs(container: Container) -> None:
    if container.state.status is Status.PAUSED:
        raise Conflict(f"container {container.name} is paused, unpause the container before exec")
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
    ctx.publish(container, f"exec_start: {' '.join(record.config.cmd or [])}", execID=record.id)
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
                process=exec_process_of(ctx, container, config),
                runtime=container.definition.host.runtime,
                tty=config.tty,
                open_stdin=config.attach_stdin,
                console_size=body.console_size or config.console_size,
            )
        )
    except Exception as error:
        record.exit_code = error.exit_code if isinstance(error, LaunchError) else 126
        ctx.store.save_exec(record)
        raise
    if record.exit_code is None:
        record.running, record.pid = True, started.pid
        ctx.store.save_exec(record)


async def _tell(connection: socket.socket, message: str, *, framed: bool) -> None:
    text = f"{message}\r\n".encode()
    head = struct.pack(">BxxxI", 1, len(text)) if framed else b""
    try:
        await asyncio.get_running_loop().sock_sendall(connection, head + text)
    except ConnectionError:
        pass
