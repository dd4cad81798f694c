"""What follows when a container's process has ended."""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any

from lading.containers import monitor, out_of_memory, restarts
from lading.containers.context import Context
from lading.containers.discard import discard
from lading.containers.record import Container, Status
from lading.containers.release import release
from lading.errors import LadingError
from lading.runtime import Exit
from lading.units import NANOSECOND, now_ns

_log = logging.getLogger(__name__)

_AGAIN = 1.0
"""Seconds between two attempts to note an end on a full disk."""

LOST = 255
"""Exit code of a process whose end nobody could observe, as docker gives it."""


async def container_ended(
    ctx: Context,
    container: Container,
    news: Exit,
    start_again: Callable[[Container], Coroutine[Any, Any, None]],
) -> None:
    """Runs on the container's worker: records, announces, gives back, restarts or removes."""
    state, host = container.state, container.definition.host
    if not state.running:
        await ctx.runtime.forget(container.id)
        return
    out_of_memory.note(ctx, container, certain=news.oom)
    out_of_memory.end_watch(ctx, container)
    ran_ns = max(news.finished_ns - state.started_ns, 0)
    again = restarts.after_exit(host.restart_policy, news.code, state.restart_count, state.stopped_by_user)
    state.status = Status.RESTARTING if again else Status.EXITED
    state.pid, state.exit_code, state.finished_ns = 0, news.code, news.finished_ns
    state.joined = None
    if again:
        state.restart_count += 1
        state.restart_delay = restarts.next_delay(state.restart_delay, ran_ns / NANOSECOND)
    monitor.cease(container)
    saved = _save(ctx, container)
    ctx.publish(container, "die", exitCode=str(news.code), execDuration=str(ran_ns // NANOSECOND))
    container.announce(*(("next-exit",) if again else ("next-exit", "not-running")))
    ctx.forwarding.ended(container.id)
    if saved:
        await ctx.runtime.forget(container.id)
    else:
        ctx.background.spawn(_save_later(ctx, container), "note an end")
    await release(ctx, container)
    if again:
        restart_later(ctx, container, start_again)
    elif host.auto_remove and not container.kept:
        await discard(ctx, container, volumes=True)


def _save(ctx: Context, container: Container) -> bool:
    """Whether the end is noted. A full disk must not keep those waiting who wait for it."""
    try:
        ctx.store.save_state(container)
    except LadingError as error:
        _log.error("the end of container %s cannot be noted yet: %s", container.id, error.message)
        return False
    return True


async def _save_later(ctx: Context, container: Container) -> None:
    """Until it is noted the keeper remembers it, for the next daemon."""
    while container.id in ctx.registry and not container.state.running:
        await asyncio.sleep(_AGAIN)
        if _save(ctx, container):
            await container.worker.do(partial(_forget, ctx, container))
            return


async def _forget(ctx: Context, container: Container) -> None:
    if not container.state.running:
        await ctx.runtime.forget(container.id)


def restart_later(
    ctx: Context, container: Container, start_again: Callable[[Container], Coroutine[Any, Any, None]]
) -> None:
    """Starts a restarting container when its pause is over; an earlier daemon may have begun that."""
    state = container.state
    left = state.restart_delay - max(now_ns() - state.finished_ns, 0) / NANOSECOND
    container.restarting = ctx.background.spawn(_later(container, max(left, 0), start_again), "restart")


async def _later(
    container: Container, seconds: float, start_again: Callable[[Container], Coroutine[Any, Any, None]]
) -> None:
    await asyncio.sleep(seconds)
    container.restarting = None
    await start_again(container)


def note_loss(ctx: Context, container: Container) -> None:
    """Its process has gone without a trace, as when the machine was restarted. The caller saves its state."""
    state = container.state
    state.status, state.pid, state.joined = Status.EXITED, 0, None
    state.exit_code, state.finished_ns = LOST, now_ns()
    monitor.cease(container)
    ctx.publish(container, "die", exitCode=str(LOST), execDuration="0")
    container.announce("next-exit", "not-running")
    if container.definition.host.auto_remove:
        removal = container.worker.do(lambda: discard(ctx, container, volumes=True))
        ctx.background.spawn(removal, "remove a container")


def exec_ended(ctx: Context, news: Exit) -> None:
    """Records how an exec ended; once is enough. Its end may be told before its start has returned."""
    record = ctx.execs.get(news.key)
    if record is None or record.exit_code is not None:
        return
    record.started, record.running, record.exit_code, record.pid = True, False, news.code, 0
    record.finished_ns = news.finished_ns
    ctx.store.save_exec(record)
    container = ctx.registry.get(record.container_id)
    if container is not None:
        ctx.publish(container, "exec_die", execID=record.id, exitCode=str(news.code))
