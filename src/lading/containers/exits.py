"""What follows when a container's process has ended."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from lading.containers import monitor, restarts
from lading.containers.context import Context
from lading.containers.discard import discard
from lading.containers.record import Container, Status
from lading.containers.release import release
from lading.runtime import Exit
from lading.units import NANOSECOND


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
    ran_ns = max(news.finished_ns - state.started_ns, 0)
    again = restarts.after_exit(host.restart_policy, news.code, state.restart_count, state.stopped_by_user)
    state.status = Status.RESTARTING if again else Status.EXITED
    state.pid, state.exit_code, state.finished_ns = 0, news.code, news.finished_ns
    state.oom_killed, state.joined = news.oom, None
    state.restart_count += again
    monitor.cease(container)
    ctx.store.save_state(container)
    if news.oom:
        ctx.publish(container, "oom")
    ctx.publish(container, "die", exitCode=str(news.code), execDuration=str(ran_ns // NANOSECOND))
    container.announce("health", *(("next-exit",) if again else ("next-exit", "not-running")))
    ctx.forwarding.ended(container.id)
    await ctx.runtime.forget(container.id)
    await release(ctx, container)
    if again:
        container.restart_delay = restarts.next_delay(container.restart_delay, ran_ns / NANOSECOND)
        container.restarting = ctx.background.spawn(_later(container, start_again), "restart")
    elif host.auto_remove and not container.kept:
        await discard(ctx, container, volumes=True)


async def _later(container: Container, start_again: Callable[[Container], Coroutine[Any, Any, None]]) -> None:
    await asyncio.sleep(container.restart_delay)
    container.restarting = None
    await start_again(container)


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
