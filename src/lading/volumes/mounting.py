"""From mount points to mounts, at each start of a container, and back."""

import os
import secrets
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

from lading.aio.tasks import in_thread
from lading.errors import InternalError, InvalidParameter, LadingError
from lading.volumes.context import Context
from lading.volumes.mount_point import BIND, VOLUME, MountPoint
from lading.volumes.oci_mounts import oci_mount, tmpfs_mounts


def check_source(point: MountPoint) -> None:
    """Refuses a bind of what is not there, unless it is to be made. Raises InvalidParameter."""
    if point.type == BIND and not point.create_source and not os.path.exists(point.source):
        raise InvalidParameter(
            f'invalid mount config for type "bind": bind source path does not exist: {point.source}'
        )


async def attach(ctx: Context, user: str, points: Sequence[MountPoint]) -> None:
    """Has the drivers bring the volumes of `points` to their places. Raises InternalError."""
    attached = False
    try:
        for point in points:
            volume = ctx.store.get(point.name) if point.type == VOLUME else None
            if volume is None or ctx.driver(volume).is_ready(volume.options):
                continue
            attached = True
            try:
                await in_thread(ctx.driver(volume).mount, volume.name, volume.options, user)
            except LadingError as error:
                said = f"error while mounting volume '{point.source}': {error.message}"
                raise InternalError(said) from None
    except BaseException:
        if attached:
            await detach(ctx, user, points)
        raise


async def detach(ctx: Context, user: str, points: Iterable[MountPoint]) -> None:
    """Gives back what `attach` took; may be repeated."""
    for name in sorted({point.name for point in points if point.type == VOLUME}):
        volume = ctx.store.get(name)
        driver = ctx.drivers.find(volume.driver) if volume is not None else None
        if volume is not None and driver is not None and not driver.is_ready(volume.options):
            await in_thread(driver.unmount, name, user)


@asynccontextmanager
async def present(ctx: Context, points: Sequence[MountPoint]) -> AsyncIterator[None]:
    """For somebody who is no container, and forgotten at the next start like one that is gone."""
    user = f"lading-{secrets.token_hex(8)}"
    await attach(ctx, user, points)
    try:
        yield
    finally:
        await detach(ctx, user, points)


async def mount(
    ctx: Context, container_id: str, points: Sequence[MountPoint], tmpfs: Mapping[str, str]
) -> list[dict[str, Any]]:
    """The OCI mounts, outer ones first. Raises InvalidParameter, InternalError."""
    await attach(ctx, container_id, points)
    try:
        return _mount(ctx, container_id, points, tmpfs)
    except BaseException:
        await detach(ctx, container_id, points)
        raise


def _mount(
    ctx: Context, container_id: str, points: Sequence[MountPoint], tmpfs: Mapping[str, str]
) -> list[dict[str, Any]]:
    found = tmpfs_mounts(tmpfs)
    for number, point in enumerate(points):
        source = _source(ctx, container_id, number, point)
        can_force = ctx.recursive_read_only
        found.append(oci_mount(point, source, can_force=can_force, directory=os.path.isdir(source)))
        if point.type == VOLUME:
            attributes = {
                "container": container_id,
                "destination": point.destination,
                "driver": point.driver,
                "propagation": point.propagation,
                "read/write": "true" if point.rw else "false",
            }
            ctx.publish("mount", point.name, **attributes)
    return sorted(found, key=lambda mount: str(mount["destination"]).rstrip("/").count("/"))


async def unmount(ctx: Context, container_id: str, points: Sequence[MountPoint]) -> None:
    """Gives back what `mount` took; may be repeated. Raises OSError."""
    ctx.subpaths.release(container_id)
    await detach(ctx, container_id, points)
    for point in points:
        if point.type == VOLUME:
            ctx.publish("unmount", point.name, container=container_id, driver=point.driver)


def _source(ctx: Context, container_id: str, number: int, point: MountPoint) -> str:
    check_source(point)
    if point.type == BIND and not os.path.exists(point.source):
        _make_source(point.source)
    elif point.type == VOLUME and not os.path.isdir(point.source):
        raise InternalError(f"error while mounting volume '{point.source}': no such file or directory")
    if point.type == BIND and not point.recursive:
        return ctx.subpaths.alone(container_id, number, point.source)
    if point.subpath:
        return ctx.subpaths.bind(container_id, number, point.source, point.subpath)
    return point.source


def _make_source(path: str) -> None:
    """A directory of root's that everyone may read, as docker makes it."""
    try:
        os.makedirs(path, mode=0o755, exist_ok=True)
    except OSError as error:
        raise InternalError(f"error while creating mount source path '{path}': {error.strerror}") from None
