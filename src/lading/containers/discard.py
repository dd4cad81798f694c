"""The end of a container."""

import asyncio
import shutil

from lading.aio.tasks import in_thread
from lading.containers import image_mounts
from lading.containers.context import Context
from lading.containers.record import Container, Status


async def discard(ctx: Context, container: Container, *, volumes: bool) -> None:
    """Runs on the container's worker, with the process gone: the container ceases to exist."""
    await erase(ctx, container, volumes=volumes)
    ctx.publish(container, "destroy")
    container.announce("next-exit", "not-running", "removed")


async def erase(ctx: Context, container: Container, *, volumes: bool) -> None:
    """Removes every trace, of a half-made container too.

    Its row goes first. What is on disk without one is garbage, removed in the
    background, or at the next start should that be interrupted.
    """
    container.state.status = Status.REMOVING
    with ctx.store.database.transaction():
        ctx.volumes.release(container.id, remove_anonymous=volumes)
        ctx.store.delete(container)
    ctx.registry.discard(container)
    for exec_id in [key for key, record in ctx.execs.items() if record.container_id == container.id]:
        del ctx.execs[exec_id]
    container.clearing = ctx.background.spawn(_free(ctx, container), "free what a container stood on")
    ctx.background.spawn(_clear_away(ctx, container, container.clearing), "clear away a container")


async def _free(ctx: Context, container: Container) -> None:
    if container.deletion is not None:
        await asyncio.wait((container.deletion,))
    # Clients may have been waiting for a start that will never be.
    await ctx.runtime.forget(container.id)
    ctx.snapshots.remove(container.id)
    image_mounts.forget(ctx, container)
    if ctx.images.get(container.definition.image_id) is None:
        ctx.images.clear()


async def _clear_away(ctx: Context, container: Container, freed: asyncio.Task[None]) -> None:
    await asyncio.wait((freed,))
    await ctx.forwarding.finish(container.id)
    await in_thread(shutil.rmtree, ctx.layout.container(container.id), ignore_errors=True)
