"""Running one health check inside a container."""

import asyncio
import socket
from contextlib import suppress

from lading.containers import health
from lading.containers.bundle import exec_process_of
from lading.containers.context import Context
from lading.containers.exec_record import in_events
from lading.containers.health import Check, Result
from lading.containers.record import Container
from lading.errors import Conflict, LadingError, NotFound
from lading.ids import new_id
from lading.runtime import Attach, Exec, LaunchInterrupted
from lading.schema.container import ExecConfig
from lading.units import NANOSECOND, now_ns

_START_PATIENCE = 30.0
"""Seconds a check may take to be started, which do not count as its own time."""

_LAST_WORDS = 1.0
_LAST_RESORT = 10.0


async def probe(ctx: Context, container: Container, check: Check) -> Result | None:
    """Runs `check` once, to its end; None where it came to none, by no fault of the container's.

    A caller that is cancelled ends it.
    """
    start_ns = now_ns()
    try:
        code, output = await _run(ctx, container, check)
    except LaunchInterrupted:
        return None
    except LadingError as error:
        code, output = -1, error.message
    except TimeoutError:
        code, output = -1, f"timed out starting health check for container {container.id}"
    except OSError as error:
        code, output = -1, str(error)
    return Result(start_ns=start_ns, end_ns=now_ns(), exit_code=code, output=output)


async def _run(ctx: Context, container: Container, check: Check) -> tuple[int, str]:
    key, words = new_id(), in_events(check.words)
    ctx.publish(container, f"exec_create: {words}", execID=key)
    ours, theirs = socket.socketpair()
    output = _Output(ours)
    with ctx.probing.expect(key) as ended:
        try:
            async with ctx.probing.starts, asyncio.timeout(_START_PATIENCE):
                with theirs:
                    await ctx.runtime.attach(key, theirs, Attach())
                ctx.publish(container, f"exec_start: {words}", execID=key)
                await _start(ctx, container, check, key)
            try:
                async with asyncio.timeout(check.timeout / NANOSECOND):
                    code = await asyncio.shield(ended)
            except TimeoutError:
                await _cut_short(ctx, key, ended)
                return -1, health.took_too_long(check, health.printed(output.data))
            finally:
                if ended.done():
                    ctx.publish(container, "exec_die", execID=key, exitCode=str(ended.result()))
            with suppress(TimeoutError):
                async with asyncio.timeout(_LAST_WORDS):
                    await output.complete.wait()
            return code, health.printed(output.data)
        except BaseException:
            # Nobody will wait for it any more. The keeper may hold its output's other end.
            ctx.background.spawn(_abandon(ctx, key), "end a health check")
            raise
        finally:
            theirs.close()
            output.close()


async def _start(ctx: Context, container: Container, check: Check, key: str) -> None:
    config = ExecConfig(cmd=list(check.words), attach_stdout=True, attach_stderr=True)
    order = Exec(
        key=key,
        container_id=container.id,
        process=exec_process_of(ctx, container, config),
        runtime=container.definition.host.runtime,
    )
    await ctx.runtime.execute(order)


async def _cut_short(ctx: Context, key: str, ended: "asyncio.Future[int]") -> None:
    await ctx.runtime.kill_family(key)
    with suppress(TimeoutError):
        async with asyncio.timeout(_LAST_RESORT):
            await asyncio.shield(ended)


async def _abandon(ctx: Context, key: str) -> None:
    await ctx.runtime.kill_family(key)
    with suppress(Conflict, NotFound):
        await ctx.runtime.forget(key)


class _Output:
    """Reads all that comes and keeps the beginning, one byte more than is shown."""

    def __init__(self, connection: socket.socket) -> None:
        self.data = b""
        self.complete = asyncio.Event()
        self._connection = connection
        connection.setblocking(False)
        asyncio.get_running_loop().add_reader(connection, self._readable)

    def _readable(self) -> None:
        try:
            piece = self._connection.recv(65536)
        except BlockingIOError:
            return
        except OSError:
            piece = b""
        if piece:
            self.data += piece[: health.LONGEST_OUTPUT + 1 - len(self.data)]
        else:
            self.close()
            self.complete.set()

    def close(self) -> None:
        if self._connection.fileno() >= 0:
            asyncio.get_running_loop().remove_reader(self._connection)
            self._connection.close()
