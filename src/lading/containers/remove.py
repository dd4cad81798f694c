"""Removing containers."""

import shutil

from lading.aio.tasks import in_thread
from lading.containers.context import Context
from lading.containers.record import Container, Status
from lading.containers.stop import end
from lading.errors import Conflict
from lading.ids import short_id


async def remove(ctx: Context, container: Container, *, force: bool, volumes: bool) -> None:
    """Removes at a user's wish. Raises Conflict where it runs and `force` is not given."""
    if container.state.running or container.state.status is Status.RESTARTING:
        if not force:
            state = "paused" if container.state.status is Status.PAUSED else container.state.status
            raise Conflict(
                f'cannot remove container "/{container.name}": container is {state}: '
                "stop the container before removing or force remove"
            )
        await end(ctx, container)

    async def work() -> None:
        if container.id not in ctx.registry:
            return
        if container.state.running:
            raise Conflict(
                f'cannot remove container "/{container.name}": it was started again meanwhile '
                f"({short_id(container.id)})"
            )
        await discard(ctx, container, volumes=volumes)

    await container.worker.do(work)


async def discard(ctx: Context, container: Container, *, volumes: bool) -> None:
    """Runs on the container's worker, with the process gone: the container ceases to exist.

    Its row goes first; what is on disk without one is garbage that the next
    start would remove, should this be interrupted.
    """
    container.state.status = Status.REMOVING
    with ctx.store.database.transaction():
        ctx.volumes.release(container.id, remove_anonymous=volumes)
        ctx.store.delete(container)
    ctx.registry.discard(container)
    for exec_id in [key for key, record in ctx.execs.items() if record.container_id == container.id]:
        del ctx.execs[exec_id]
    await ctx.snapshots.remove(container.id)
    await in_thread(shutil.rmtree, ctx.layout.container(container.id), ignore_errors=True)
    ctx.publish(container, "destroy")
    container.announce("next-exit", "not-running", "removed")
