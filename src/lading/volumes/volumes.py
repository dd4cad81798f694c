"""The front door of this room; every method only passes on to a deed's own file."""

import os
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from functools import partial
from typing import Any

from lading.aio.shared import Shared
from lading.aio.tasks import Background, in_thread
from lading.events import Bus
from lading.filters import Filters
from lading.paths import Layout
from lading.schema.container import ContainerConfig, HostConfig
from lading.schema.volume import VolumeCreateBody
from lading.state import Database
from lading.volumes import archive, duplicate, make, mounting, removal, rename
from lading.volumes.context import Context, delete_in, lay_by_in
from lading.volumes.contract import Driver, Drivers
from lading.volumes.directories import Directories
from lading.volumes.fill import Filler
from lading.volumes.listing import select
from lading.volumes.local import LocalDriver
from lading.volumes.local_mounts import LocalMounts
from lading.volumes.mount_point import MountPoint
from lading.volumes.parse import plan
from lading.volumes.record import Volume
from lading.volumes.snapshots import Snapshots
from lading.volumes.store import VolumeStore
from lading.volumes.subpaths import Subpaths
from lading.volumes.usage import disk_usage


class Volumes:
    """What containers mount, and the volumes themselves."""

    def __init__(
        self, layout: Layout, database: Database, events: Bus, more_drivers: Sequence[Driver] = ()
    ) -> None:
        background = Background()
        directories = Directories(layout.volumes, delete_in(background))
        mounted = LocalMounts(f"{layout.exec_root}/volumes")
        lay_by = lay_by_in(background, directories)
        local = LocalDriver(directories, mounted, delete_in(background), lay_by)
        self._ctx = Context(
            VolumeStore(database),
            directories,
            Subpaths(f"{layout.exec_root}/subpaths"),
            events,
            _kernel_at_least(5, 12),
            Drivers(local, *more_drivers),
            background,
        )
        self._filler = Filler(self._ctx)
        self._disk_usage = Shared(partial(disk_usage, self._ctx))

    async def close(self) -> None:
        """Waits until what was removed is gone from the disk."""
        await self._ctx.background.drain()
        await in_thread(self._ctx.directories.give_up)

    def plan(
        self, config: ContainerConfig, host: HostConfig, volumes_from: Mapping[str, Sequence[MountPoint]]
    ) -> list[MountPoint]:
        """What a container is to mount; changes nothing.

        `volumes_from` holds the mounts of the other containers, by what
        `host.volumes_from` calls them. Raises InvalidParameter.
        """
        points = plan(
            binds=host.binds or [],
            mounts=host.mounts or [],
            tmpfs_mounts=host.tmpfs or {},
            declared=list(config.volumes or {}),
            volumes_from=host.volumes_from or [],
            others=volumes_from,
            volume_driver=host.volume_driver,
        )
        for point in points:
            mounting.check_source(point)
        return points

    def ensure(self, container_id: str, points: Sequence[MountPoint]) -> list[MountPoint]:
        """Makes the volumes that are missing and marks all as used; the mounts with names and sources.

        Belongs into the transaction that makes the container exist. Raises
        InvalidParameter, NotFound (driver), InternalError.
        """
        return make.ensure(self._ctx, container_id, points)

    async def fill(
        self, container_id: str, points: Sequence[MountPoint], content: AbstractContextManager[str]
    ) -> None:
        """Copies what the image has there into volumes that are empty.

        `content` gives a directory with the container's file system; it is
        entered only where there is something to fill. Raises InvalidParameter
        where a file is in the place of a volume, InternalError.
        """
        await self._filler.fill(container_id, points, content)

    async def mount(
        self, container_id: str, points: Sequence[MountPoint], tmpfs: Mapping[str, str]
    ) -> "list[dict[str, Any]]":
        """The OCI mounts for a start, outer ones first; makes missing sources of `-v`.

        `tmpfs` is what `--tmpfs` asks for. To be given back with `unmount`.
        Raises InvalidParameter, InternalError.
        """
        return await mounting.mount(self._ctx, container_id, points, tmpfs)

    async def unmount(self, container_id: str, points: Sequence[MountPoint]) -> None:
        """The container has ended, or could not start; may be repeated. Raises OSError."""
        await mounting.unmount(self._ctx, container_id, points)

    def present(self, points: Sequence[MountPoint]) -> AbstractAsyncContextManager[None]:
        """Has the volumes of `points` in their places for as long as a block takes. Raises InternalError."""
        return mounting.present(self._ctx, points)

    def let_go(self, container_id: str, point: MountPoint) -> None:
        """A container uses a volume no more; it stays."""
        ctx = self._ctx
        ctx.store.unuse(point.name, container_id)
        ctx.background.spawn(mounting.detach(ctx, container_id, [point]), "unmount a volume")

    def release(self, container_id: str, *, remove_anonymous: bool) -> None:
        """The container is gone; belongs into the transaction that says so."""
        removal.release(self._ctx, container_id, remove_anonymous=remove_anonymous)

    def sweep(self, live: Collection[str], running: Collection[str]) -> None:
        """At start: drops what belongs to containers, or volumes, that do not exist.

        What is mounted is taken from all that are not `running`. Raises OSError.
        """
        ctx = self._ctx
        ctx.store.forget_users_except(live)
        ctx.subpaths.sweep(live)
        rename.settle(ctx)
        volumes = ctx.store.all()
        for driver in ctx.drivers.all():
            driver.sweep({volume.name for volume in volumes if volume.driver == driver.name}, running)

    def list(self, filters: Filters) -> "list[dict[str, Any]]":
        """The `Volumes` of `GET /volumes`. Raises InvalidParameter."""
        chosen = select(self._ctx.store.all(), self._ctx.store.used(), filters)
        return [self._view(volume) for volume in chosen]

    def exists(self, name: str) -> bool:
        """Whether there is a volume of that name."""
        return self._ctx.store.get(name) is not None

    def inspect(self, name: str) -> dict[str, Any]:
        """`GET /volumes/{name}`. Raises NotFound."""
        return self._view(removal.find(self._ctx, name))

    def create(self, body: VolumeCreateBody) -> dict[str, Any]:
        """`POST /volumes/create`: an existing volume of that name will do.

        Raises InvalidParameter, NotFound (driver), Conflict (another driver's), InternalError.
        """
        return self._view(make.create(self._ctx, body))

    def remove(self, name: str, *, force: bool = False) -> None:
        """`DELETE /volumes/{name}`. Raises NotFound unless forced, Conflict where it is in use."""
        removal.remove(self._ctx, name, force=force)

    async def prune(self, filters: Filters) -> dict[str, Any]:
        """`POST /volumes/prune`. Raises InvalidParameter."""
        return await removal.prune(self._ctx, filters)

    async def copy(
        self, name: str, target: str, busy: Collection[str], *, force: bool = False
    ) -> dict[str, Any]:
        """A new volume with the files of another, which none of the containers `busy` uses unless forced.

        Raises NotFound, Conflict, InvalidParameter, InternalError.
        """
        return self._view(await duplicate.copy(self._ctx, name, target, busy, force=force))

    async def export(
        self, name: str, compression: str, busy: Collection[str], *, force: bool = False
    ) -> AsyncIterator[bytes]:
        """A tar archive of a volume's files. Raises as `copy`."""
        return await archive.export(self._ctx, name, compression, busy, force=force)

    async def take_in(
        self, name: str, stream: AsyncIterator[bytes], busy: Collection[str], *, force: bool = False
    ) -> dict[str, Any]:
        """A volume with the files of an archive. Raises as `copy`, and Unsupported."""
        return self._view(await archive.take_in(self._ctx, name, stream, busy, force=force))

    def rename(self, name: str, new: str, record: Callable[[], None], *, force: bool = False) -> None:
        """`record` notes the new name with the containers that use it, in one transaction with ours.

        Raises NotFound, Conflict, InvalidParameter, Unsupported, OSError.
        """
        rename.rename(self._ctx, name, new, record, force=force)

    def snapshots(self) -> "Snapshots":
        """Those of all volumes."""
        return Snapshots(self._ctx)

    async def disk_usage(self) -> Sequence[dict[str, Any]]:
        """All volumes with the bytes they take; those who ask at once share one measurement."""
        return await self._disk_usage.result()

    def _view(self, volume: Volume) -> dict[str, Any]:
        if (driver := self._ctx.drivers.find(volume.driver)) is None:
            return volume.view("")
        return volume.view(driver.path(volume.name), driver.scope)


def _kernel_at_least(major: int, minor: int) -> bool:
    numbers = os.uname().release.split("-")[0].split(".")
    return (int(numbers[0]), int(numbers[1])) >= (major, minor)
