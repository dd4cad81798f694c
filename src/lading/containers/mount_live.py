"""Mounting into a container that exists, and unmounting; beyond Docker's API."""

import errno
from contextlib import nullcontext
from typing import Any

from lading.aio.tasks import in_thread
from lading.containers import mount_changes
from lading.containers.context import Context
from lading.containers.record import Container
from lading.containers.root import visit
from lading.errors import InternalError, InvalidParameter
from lading.linux import live_mounts
from lading.schema.container import ContainerConfig, HostConfig, LiveChanges
from lading.volumes import IMAGE, MountPoint

# What a place inside that cannot be mounted on is answered with.
_OF_THE_PLACE = frozenset(
    (
        *(errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.EEXIST, errno.EINVAL),
        *(errno.ENAMETOOLONG, errno.ELOOP, errno.EROFS),
    )
)


async def change_mounts(ctx: Context, container: Container, changes: LiveChanges) -> None:
    """Runs on the container's worker. What goes goes first.

    Raises InvalidParameter, NotFound, Conflict, InternalError.
    """
    definition = container.definition
    gone = mount_changes.leaving(definition.mounts, changes.mount_remove or ())
    left = [point for point in definition.mounts if point not in gone]
    wishes = changes.mount_add or []
    # One by one, so that each stays with its wish.
    planned = [ctx.volumes.plan(ContainerConfig(), HostConfig(mounts=[wish]), {})[0] for wish in wishes]
    if any(point.type == IMAGE for point in planned):
        raise InvalidParameter("an image cannot be mounted into a container that exists already")
    mount_changes.check_new(left, definition.host.tmpfs or (), planned)
    for point in gone:
        await _take_out(ctx, container, point)
        _forget(ctx, container, point)
    for wish, point in zip(wishes, planned, strict=True):
        await _put_in(ctx, container, point)
        definition.host.mounts = [*(definition.host.mounts or ()), wish]
        ctx.store.save_definition(container)


async def _take_out(ctx: Context, container: Container, point: MountPoint) -> None:
    if not container.state.running:
        return
    try:
        await in_thread(live_mounts.unmount_inside, container.state.pid, point.destination)
    except OSError as error:
        raise InternalError(f"cannot unmount {point.destination}: {error.strerror}") from None


def _forget(ctx: Context, container: Container, point: MountPoint) -> None:
    definition = container.definition
    with ctx.store.database.transaction():
        definition.mounts = [other for other in definition.mounts if other is not point]
        for field, value in mount_changes.without(definition.host, [point]).items():
            setattr(definition.host, field, value)
        if point.name and not any(other.name == point.name for other in definition.mounts):
            ctx.volumes.let_go(container.id, point)
        ctx.store.save_definition(container)


async def _put_in(ctx: Context, container: Container, planned: MountPoint) -> None:
    definition = container.definition
    point = ctx.volumes.ensure(container.id, [planned])[0]
    try:
        async with visit(ctx, container) as root:
            await ctx.volumes.fill(container.id, [point], nullcontext(root))
        if container.state.running:
            for mount in await ctx.volumes.mount(container.id, [point], {}):
                await in_thread(_mount_inside, container.state.pid, mount)
    except BaseException as error:
        if point.name and not any(other.name == point.name for other in definition.mounts):
            ctx.volumes.let_go(container.id, point)
        if isinstance(error, OSError):
            kind = InvalidParameter if error.errno in _OF_THE_PLACE else InternalError
            raise kind(f"cannot mount at {point.destination}: {error.strerror}") from None
        raise
    definition.mounts = sorted([*definition.mounts, point], key=lambda each: each.destination)


def _mount_inside(pid: int, mount: dict[str, Any]) -> None:
    if mount["type"] == "tmpfs":
        live_mounts.tmpfs_into(pid, mount["destination"], mount["options"])
    else:
        live_mounts.bind_into(pid, mount["source"], mount["destination"], mount["options"])
