"""Images as mounts: the files of an image, read-only, somewhere in a container.

Each is mounted through a writable layer of its own, which is what holds the
image's layers for as long as the container exists.
"""

import hashlib
import os
from collections.abc import Collection, Iterable

import msgspec

from lading.aio.tasks import in_thread
from lading.containers.context import Context
from lading.containers.record import Container
from lading.errors import InternalError, InvalidParameter, NotFound
from lading.volumes import IMAGE, MountPoint


def resolve(ctx: Context, container_id: str, points: Iterable[MountPoint]) -> list[MountPoint]:
    """Which images are meant, and where they will lie. Raises InvalidParameter."""
    return [_resolve(ctx, container_id, point) if point.type == IMAGE else point for point in points]


def _resolve(ctx: Context, container_id: str, point: MountPoint) -> MountPoint:
    try:
        image = ctx.images.resolve(point.image or point.name)
    except NotFound as error:
        # Not found would have clients pull the container's own image.
        raise InvalidParameter(error.message) from None
    source = f"{_directory(ctx, container_id)}/{_place(point)}"
    return msgspec.structs.replace(point, image=image.id, source=source)


def prepare(ctx: Context, container_id: str, points: Iterable[MountPoint]) -> None:
    """Belongs into the transaction that makes the container exist. Raises InternalError."""
    for point in _images(points):
        image = ctx.images.get(point.image)
        if image is None:
            raise InternalError(f"image {point.name} was removed meanwhile")
        ctx.snapshots.prepare(_key(container_id, point), image.chain_id)


async def mount(ctx: Context, container: Container) -> None:
    """Makes the images' files be at the sources of their mount points. Raises OSError, NotFound."""
    for point in _images(container.definition.mounts):
        os.makedirs(point.source, mode=0o700, exist_ok=True)
        if not os.path.ismount(point.source):
            # Nobody writes there, so nothing can be lost.
            ctx.snapshots.mount(_key(container.id, point), point.source, volatile=True)


async def unmount(ctx: Context, container: Container) -> None:
    """The container has ended, or could not start; may be repeated. Raises OSError."""
    if _images(container.definition.mounts):
        await in_thread(_clear, ctx, _directory(ctx, container.id))


def forget(ctx: Context, container: Container) -> None:
    """The container is gone."""
    images = _images(container.definition.mounts)
    for point in images:
        ctx.snapshots.remove(_key(container.id, point))
    if any(ctx.images.get(point.image) is None for point in images):
        ctx.images.clear()


def keys(container: Container) -> list[str]:
    """The writable layers of a container's image mounts."""
    return [_key(container.id, point) for point in _images(container.definition.mounts)]


def used(container: Container) -> list[str]:
    """The IDs of the images that are mounted into a container."""
    return [point.image for point in _images(container.definition.mounts)]


def sweep(ctx: Context, running: Collection[str]) -> None:
    """Unmounts what is mounted for containers that do not run. Raises OSError."""
    root = os.path.dirname(_directory(ctx, "any"))
    for name in os.listdir(root) if os.path.isdir(root) else ():
        if name not in running:
            _clear(ctx, f"{root}/{name}")


def _clear(ctx: Context, directory: str) -> None:
    for name in os.listdir(directory) if os.path.isdir(directory) else ():
        ctx.snapshots.unmount(f"{directory}/{name}")
        os.rmdir(f"{directory}/{name}")
    if os.path.isdir(directory):
        os.rmdir(directory)


def _images(points: Iterable[MountPoint]) -> list[MountPoint]:
    return [point for point in points if point.type == IMAGE]


def _directory(ctx: Context, container_id: str) -> str:
    return f"{ctx.layout.exec_root}/images/{container_id}"


def _place(point: MountPoint) -> str:
    return hashlib.sha256(os.fsencode(point.destination)).hexdigest()[:16]


def _key(container_id: str, point: MountPoint) -> str:
    return f"{container_id}.{_place(point)}"
