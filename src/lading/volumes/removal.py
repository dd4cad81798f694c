"""Removing volumes: by name, with their container, or all that nobody uses."""

import asyncio
from collections.abc import Sequence
from typing import Any

from lading.aio.tasks import in_thread
from lading.errors import Conflict, NotFound
from lading.filters import Filters
from lading.volumes.context import Context
from lading.volumes.directories import size
from lading.volumes.listing import prunable
from lading.volumes.record import Volume


def find(ctx: Context, name: str) -> Volume:
    """Raises NotFound."""
    volume = ctx.store.get(name)
    if volume is None:
        raise NotFound(f"get {name}: no such volume")
    return volume


def remove(ctx: Context, name: str, *, force: bool) -> None:
    """Raises NotFound (volume or driver) unless forced, Conflict where it is in use."""
    if force and ctx.store.get(name) is None:
        return
    volume = find(ctx, name)
    if users := ctx.store.users(name):
        raise Conflict(f"remove {name}: volume is in use - [{', '.join(users)}]")
    if not force:
        ctx.driver(volume)
    ctx.store.delete(name)
    _gone(ctx, [volume])


def release(ctx: Context, container_id: str, *, remove_anonymous: bool) -> None:
    """A container is gone, and with it the anonymous volumes that were its alone."""
    ctx.subpaths.release(container_id)
    dropped = ctx.store.release(container_id, drop_anonymous=remove_anonymous)
    if dropped:
        # After the caller's transaction, which ends before the loop goes on.
        asyncio.get_running_loop().call_soon(_gone, ctx, dropped)


def _gone(ctx: Context, volumes: Sequence[Volume]) -> None:
    """The rows are deleted, unless the transaction was rolled back; now the files."""
    for volume in volumes:
        if ctx.store.get(volume.name) is None:
            if (driver := ctx.drivers.find(volume.driver)) is not None:
                driver.remove(volume.name)
            ctx.publish("destroy", volume.name, driver=volume.driver)


async def prune(ctx: Context, filters: Filters) -> dict[str, Any]:
    """Raises InvalidParameter."""
    deleted: list[str] = []
    reclaimed = 0
    for volume in prunable(ctx.store.all(), ctx.store.used(), filters):
        occupied = await in_thread(size, ctx.driver(volume).path(volume.name))
        # While its files were counted a container may have taken it.
        if ctx.store.get(volume.name) is None or ctx.store.users(volume.name):
            continue
        remove(ctx, volume.name, force=False)
        deleted.append(volume.name)
        reclaimed += occupied
    ctx.publish("prune", "", reclaimed=str(reclaimed))
    return {"VolumesDeleted": deleted, "SpaceReclaimed": reclaimed}
