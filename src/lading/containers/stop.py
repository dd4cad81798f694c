"""Stopping, killing and restarting."""

import asyncio
import signal
from contextlib import suppress

from lading.containers.context import Context
from lading.containers.merge import DEFAULT_STOP_SIGNAL
from lading.containers.pause import let_signal_through
from lading.containers.record import Container, Ended, Status
from lading.containers.signals import parse_signal
from lading.containers.start import start
from lading.errors import Conflict, InternalError, NotFound, NotModified

DEFAULT_TIMEOUT = 10
"""Seconds between the stop signal and SIGKILL (Engine API, ContainerStop)."""

_LAST_RESORT = 10.0


async def stop(ctx: Context, container: Container, stop_signal: str, timeout: int | None) -> None:
    """Sends the stop signal, then SIGKILL after `timeout` seconds (-1: never).

    Raises NotModified where the container does not run, InvalidParameter for
    an unknown signal.
    """
    config = container.definition.config
    number = parse_signal(stop_signal or config.stop_signal or DEFAULT_STOP_SIGNAL)
    if timeout is None:
        timeout = DEFAULT_TIMEOUT if config.stop_timeout is None else config.stop_timeout
    # A start may be under way.
    await container.worker.settle()
    if not container.state.running and not _is_going_to_run(container):
        raise NotModified("container already stopped")
    # A client that loses patience must not leave the container half-stopped.
    await ctx.background.finish(_stop(ctx, container, number, timeout), "stop")


async def _stop(ctx: Context, container: Container, number: int, timeout: int) -> None:
    await _mark_stopped_by_user(ctx, container)
    if not container.state.running:
        ctx.publish(container, "stop")
        return
    ended = container.when("not-running")
    await _signal_if_running(ctx, container, number)
    try:
        async with asyncio.timeout(None if timeout < 0 else timeout):
            await asyncio.shield(ended)
    except TimeoutError:
        await _signal_if_running(ctx, container, signal.SIGKILL)
        await _await_end(container, ended)
    await container.worker.settle()
    ctx.publish(container, "stop")


async def _await_end(container: Container, ended: "asyncio.Future[Ended]") -> None:
    try:
        async with asyncio.timeout(_LAST_RESORT):
            await asyncio.shield(ended)
    except TimeoutError:
        raise InternalError(
            f"container {container.id} did not end after SIGKILL; one of its processes hangs in the kernel"
        ) from None


async def kill(ctx: Context, container: Container, signal_name: str) -> None:
    """Sends a signal; raises Conflict where the container does not run."""
    number = parse_signal(signal_name or "SIGKILL")
    if not container.state.running and container.state.status is not Status.RESTARTING:
        raise _not_running(container)
    stopping = number in (signal.SIGKILL, parse_signal(container.definition.config.stop_signal or "SIGTERM"))
    if stopping:
        await _mark_stopped_by_user(ctx, container)
    if not container.state.running:
        # As dockerd: between two lives there is nobody to signal, but there will be no next one.
        return
    try:
        await ctx.runtime.signal(container.id, number)
    except (Conflict, NotFound):
        raise _not_running(container) from None
    ctx.publish(container, "kill", signal=str(number))
    if stopping:
        await let_signal_through(ctx, container)


def _is_going_to_run(container: Container) -> bool:
    return container.state.status is Status.RESTARTING or container.restarting is not None


def _not_running(container: Container) -> Conflict:
    return Conflict(f"cannot kill container: {container.name}: container {container.id} is not running")


async def restart(ctx: Context, container: Container, stop_signal: str, timeout: int | None) -> None:
    """Stops where it runs, then starts. A client that leaves in between does not stop it half-way."""
    await ctx.background.finish(_restart(ctx, container, stop_signal, timeout), "restart")


async def _restart(ctx: Context, container: Container, stop_signal: str, timeout: int | None) -> None:
    container.kept += 1
    try:
        with suppress(NotModified):
            await stop(ctx, container, stop_signal, timeout)
        with suppress(NotModified):
            await start(ctx, container)
    finally:
        container.kept -= 1
    ctx.publish(container, "restart")


async def end(ctx: Context, container: Container) -> None:
    """SIGKILL, and wait until what the container held is given back."""
    await _mark_stopped_by_user(ctx, container)
    if container.state.running:
        ended = container.when("not-running")
        await _signal_if_running(ctx, container, signal.SIGKILL)
        await _await_end(container, ended)
    await container.worker.settle()


async def _mark_stopped_by_user(ctx: Context, container: Container) -> None:
    async def mark() -> None:
        container.state.stopped_by_user = True
        if container.restarting is not None:
            container.restarting.cancel()
            container.restarting = None
        if container.state.status is Status.RESTARTING:
            container.state.status = Status.EXITED
            container.announce("health", "not-running")
        ctx.store.save_state(container)

    await container.worker.do(mark)


async def _signal_if_running(ctx: Context, container: Container, number: int) -> None:
    try:
        await ctx.runtime.signal(container.id, number)
    except (Conflict, NotFound):
        # It has just ended by itself, of which we are yet to hear.
        return
    ctx.publish(container, "kill", signal=str(number))
    await let_signal_through(ctx, container)
