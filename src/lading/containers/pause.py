"""Halting a container's processes, and letting them go on."""

import asyncio
from contextlib import suppress

from lading.containers import monitor
from lading.containers.cgroup import cgroup_of
from lading.containers.context import Context
from lading.containers.record import Container, Status
from lading.errors import Conflict, InternalError
from lading.linux import freezer

_STEP = 0.002
_STEPS = 2500
"""Together the seconds that all processes get to come to a halt; one that hangs in the kernel does not."""
_ASKED_AGAIN = 50


async def pause(ctx: Context, container: Container, *, lasting: bool = True) -> None:
    """Raises Conflict where the container does not run, or is paused already.

    What is not `lasting` ends with this daemon: the next one lets the container go on.
    """

    async def work() -> None:
        state = container.state
        if state.status is Status.RESTARTING:
            raise Conflict(f"container {container.id} is restarting, wait until the container is running")
        if not state.running:
            raise Conflict(f"container {container.id} is not running")
        if state.status is Status.PAUSED:
            raise Conflict(f"container {container.id} is already paused")
        await _freeze(ctx, container)
        state.status = Status.PAUSED
        monitor.cease(container)
        if lasting:
            ctx.store.save_state(container)
        ctx.publish(container, "pause")

    await container.worker.do(work)


async def unpause(ctx: Context, container: Container) -> None:
    """Raises Conflict where the container does not run, or is not paused."""

    async def work() -> None:
        if not container.state.running:
            raise Conflict(f"container {container.id} is not running")
        if container.state.status is not Status.PAUSED:
            raise Conflict(f"container {container.id} is not paused")
        _thaw(ctx, container)

    await container.worker.do(work)


async def let_signal_through(ctx: Context, container: Container) -> None:
    """Lets a paused container go on, so that what it was sent to end it can do so."""

    async def work() -> None:
        if container.state.status is Status.PAUSED:
            _thaw(ctx, container)

    # A pause may be under way.
    if container.state.status is Status.PAUSED or not container.worker.idle:
        await container.worker.do(work)


async def _freeze(ctx: Context, container: Container) -> None:
    group = cgroup_of(ctx, container)
    try:
        freezer.ask(group, frozen=True)
        for step in range(1, _STEPS):
            if freezer.is_frozen(group):
                return
            await asyncio.sleep(_STEP)
            if step % _ASKED_AGAIN == 0:
                freezer.ask(group, frozen=True)
        freezer.ask(group, frozen=False)
    except FileNotFoundError:
        raise Conflict(f"container {container.id} is not running") from None
    except OSError as error:
        raise InternalError(f"cannot pause container {container.id}: {error.strerror}") from None
    raise InternalError(
        f"cannot pause container {container.id}: one of its processes does not come to a halt"
    )


def _thaw(ctx: Context, container: Container) -> None:
    try:
        freezer.ask(cgroup_of(ctx, container), frozen=False)
    except FileNotFoundError:
        # It has just ended, of which we are yet to hear.
        return
    except OSError as error:
        raise InternalError(f"cannot unpause container {container.id}: {error.strerror}") from None
    container.state.status = Status.RUNNING
    monitor.go_on(ctx, container)
    ctx.store.save_state(container)
    ctx.publish(container, "unpause")


def agree(ctx: Context, container: Container) -> None:
    """Makes it true whether a running container is paused: an earlier daemon may have died in between.

    One that stands still, and was not noted to, was to do so for a while only.
    """
    group = cgroup_of(ctx, container)
    frozen, noted = freezer.is_frozen(group), container.state.status is Status.PAUSED
    if frozen and not noted:
        with suppress(OSError):
            freezer.ask(group, frozen=False)
    elif noted and not frozen:
        container.state.status = Status.RUNNING
        ctx.store.save_state(container)
