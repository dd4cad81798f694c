"""Making state and reality agree when the engine starts.

Nothing here relies on a clean end of the daemon before: what the keeper still
holds goes on running, what ended meanwhile is settled from the keeper's exit
records, what was lost with the machine is marked so, and whatever lies about
without a container is removed.
"""

import asyncio
import logging
import os
import shutil
import signal
from collections.abc import Awaitable, Callable, Collection, Coroutine
from contextlib import suppress
from functools import partial
from typing import Any

from lading.aio.tasks import in_thread
from lading.containers import health, image_mounts, monitor, out_of_memory, restarts
from lading.containers.boot import start_with_engine
from lading.containers.context import Context
from lading.containers.discard import discard
from lading.containers.exec_record import ExecRecord
from lading.containers.exits import LOST, exec_ended, note_loss, restart_later
from lading.containers.network_of import joined_of
from lading.containers.pause import agree
from lading.containers.record import Container, Status
from lading.containers.shm import sweep_shm
from lading.runtime import Exit, Process, left_record
from lading.units import now_ns

_log = logging.getLogger(__name__)


def load(ctx: Context) -> None:
    """Reads the containers and execs the database knows."""
    for container in ctx.store.all():
        ctx.registry.add(container)
    for record in ctx.store.execs():
        ctx.execs[record.id] = record


def find_left(ctx: Context, known: Collection[str]) -> list[Exit]:
    """The ends that a keeper recorded which is gone itself."""
    candidates = [
        (f"{ctx.layout.container(container.id)}/exit.json", container.id, container.state.pid)
        for container in ctx.registry
        if container.state.running and container.id not in known
    ]
    candidates += [
        (f"{ctx.layout.bundles}/{record.container_id}/{record.id}.exit", record.id, record.pid)
        for record in ctx.execs.values()
        if record.running and record.id not in known
    ]
    return [news for candidate in candidates if (news := left_record(*candidate)) is not None]


def lose(ctx: Context, running: dict[str, Process], recorded: dict[str, Exit]) -> None:
    """Notes the end of what neither runs nor left a record: the machine was restarted."""
    with ctx.store.database.transaction():
        for container in ctx.registry:
            if container.state.running and container.id not in running and container.id not in recorded:
                note_loss(ctx, container)
                ctx.store.save_state(container)
        for record in ctx.execs.values():
            if record.running and record.id not in running and record.id not in recorded:
                exec_ended(ctx, _lost(record))


def _lost(record: ExecRecord) -> Exit:
    return Exit(
        key=record.id, container_id=record.container_id, exec_id=record.id, code=LOST, finished_ns=now_ns()
    )


def adopt(ctx: Context, running: dict[str, Process]) -> None:
    """Takes over what the keeper holds, also a start whose daemon died before it was noted."""
    for key, process in running.items():
        container = ctx.registry.get(process.container_id)
        if container is None:
            _log.warning("process %d belongs to no container; ending it", process.pid)
            ctx.background.spawn(ctx.runtime.signal(key, signal.SIGKILL), "end a stray process")
        elif process.exec_id is not None:
            record = ctx.execs.get(process.exec_id)
            if record is None:
                # A health check of an earlier daemon: its result would reach nobody.
                ctx.background.spawn(ctx.runtime.kill_family(key), "end a health check")
            elif not record.running:
                record.started, record.running, record.pid = True, True, process.pid
                ctx.store.save_exec(record)
        elif not container.state.running:
            state = container.state
            state.status, state.pid, state.started_ns = Status.RUNNING, process.pid, process.started_ns
            state.exit_code, state.error, state.stopped_by_user = 0, "", False
            state.health = health.at_start(state.health) if state.health is not None else None
            sandbox = ctx.networks.joined(container.id)
            state.joined = joined_of(sandbox) if sandbox is not None else state.joined
            ctx.store.save_state(container)
        else:
            agree(ctx, container)
            _agree_on_ports(ctx, container)


def _agree_on_ports(ctx: Context, container: Container) -> None:
    """Ports and networks may have changed just before its daemon ended; the network knows."""
    sandbox = ctx.networks.joined(container.id)
    joined = container.state.joined
    if sandbox is not None and joined is not None and joined != joined_of(sandbox):
        container.state.joined = joined_of(sandbox)
        ctx.store.save_state(container)


async def sweep(ctx: Context) -> None:
    """Removes what belongs to no container, and what stopped ones must not hold."""
    live = {container.id for container in ctx.registry if container.state.running}
    for name in os.listdir(ctx.layout.rootfs):
        if name not in live:
            path = f"{ctx.layout.rootfs}/{name}"
            ctx.snapshots.unmount(path)
            with suppress(OSError):
                os.rmdir(path)
    await ctx.runtime.sweep(live)
    await ctx.networks.sweep(live)
    sweep_shm(ctx, live)
    image_mounts.sweep(ctx, live)
    image_layers = {key for container in ctx.registry for key in image_mounts.keys(container)}
    ctx.snapshots.sweep({container.id for container in ctx.registry} | image_layers)
    # Images that went before their containers left layers to these.
    ctx.images.clear()
    ctx.volumes.sweep({container.id for container in ctx.registry}, live)
    for name in os.listdir(ctx.layout.containers):
        if name not in ctx.registry:
            await in_thread(shutil.rmtree, f"{ctx.layout.containers}/{name}", ignore_errors=True)


async def _discard_leftovers(ctx: Context) -> None:
    """Removes what is to go with its process and has none: an earlier daemon was ended before it did.

    As dockerd, also what was created so and never started.
    """
    for container in list(ctx.registry):
        if container.definition.host.auto_remove and not container.state.running:
            await container.worker.do(partial(discard, ctx, container, volumes=True))


def to_start(ctx: Context, was_running: set[str]) -> list[Container]:
    """The containers their restart policy starts with the engine."""
    return [
        container
        for container in ctx.registry
        if not container.state.running
        and container.restarting is None
        and (container.state.finished_ns or container.state.started_ns or container.id in was_running)
        and restarts.at_engine_start(
            container.definition.host.restart_policy,
            was_running=container.id in was_running,
            exit_code=container.state.exit_code,
            restarts=container.state.restart_count,
            stopped_by_user=container.state.stopped_by_user,
        )
    ]


async def reconcile(
    ctx: Context,
    settle: Callable[[Exit], Awaitable[None]],
    start_again: Callable[[Container], Coroutine[Any, Any, None]],
) -> None:
    """Brings every loaded container up to date, sweeps, and starts what is to run."""
    was_running = {
        container.id
        for container in ctx.registry
        if container.state.running or container.state.status is Status.RESTARTING
    }
    running, recorded = ctx.runtime.running(), ctx.runtime.recorded()
    adopt(ctx, running)
    restarting = [container for container in ctx.registry if container.state.status is Status.RESTARTING]
    recorded.update((news.key, news) for news in find_left(ctx, {*running, *recorded}))
    lose(ctx, running, recorded)
    for outcome in await asyncio.gather(*map(settle, recorded.values()), return_exceptions=True):
        if isinstance(outcome, BaseException):
            # One container's trouble is not to keep the engine from starting.
            _log.error("an exit could not be settled", exc_info=outcome)
    await sweep(ctx)
    await _discard_leftovers(ctx)
    ctx.swept.set()
    for container in ctx.registry:
        if container.state.running:
            out_of_memory.watch(ctx, container)
        monitor.take_up(ctx, container)
    for container in restarting:
        if container.state.status is Status.RESTARTING and container.restarting is None:
            restart_later(ctx, container, start_again)
    due = to_start(ctx, was_running)
    for container in due:
        state = container.state
        state.restart_count, state.restart_delay, state.stopped_by_user = 0, 0.0, False
    start_with_engine(ctx, due, start_again)
