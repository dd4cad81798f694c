"""Giving empty volumes what the image has at their place."""

import asyncio
import os
from collections.abc import Sequence
from contextlib import AbstractContextManager
from weakref import WeakValueDictionary

from lading.aio.tasks import in_thread
from lading.errors import InternalError
from lading.volumes.context import Context
from lading.volumes.copy_up import copy_up
from lading.volumes.directories import delete
from lading.volumes.mount_point import VOLUME, MountPoint
from lading.volumes.mounting import attach, detach
from lading.volumes.record import DRIVER


class Filler:
    """Fills one volume once at a time, however many containers are being made with it."""

    def __init__(self, ctx: Context) -> None:
        self._ctx = ctx
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def fill(
        self, container_id: str, points: Sequence[MountPoint], content: AbstractContextManager[str]
    ) -> None:
        """See `Volumes.fill`."""
        wanting = [point for point in points if point.type == VOLUME and point.copy and not point.subpath]
        if not wanting:
            return
        # Not the container's own key: it may run, and go on using them afterwards.
        user = f"{container_id}.fill"
        await attach(self._ctx, user, wanting)
        try:
            empty = [point for point in wanting if not os.listdir(point.source)]
            if empty:
                with content as root:
                    for point in empty:
                        lock = self._locks.setdefault(point.name, asyncio.Lock())
                        async with lock:
                            await self._fill(point, root)
        finally:
            await detach(self._ctx, user, wanting)

    async def _fill(self, point: MountPoint, root: str) -> None:
        if os.listdir(point.source):
            return
        try:
            if self._is_ours(point.name):
                await self._fill_at_once(point, root)
            else:
                await in_thread(copy_up, root, point.destination, point.source)
        except OSError as error:
            raise InternalError(
                f"cannot fill volume {point.name} from {point.destination}: {error}"
            ) from None

    def _is_ours(self, name: str) -> bool:
        """Whether its files lie in a directory of ours, where they can be put with one step."""
        volume = self._ctx.store.get(name)
        return volume is not None and volume.driver == DRIVER and not volume.options

    async def _fill_at_once(self, point: MountPoint, root: str) -> None:
        fresh = self._ctx.directories.scratch("fill")
        try:
            os.mkdir(fresh, 0o755)
            if await in_thread(copy_up, root, point.destination, fresh):
                self._install(fresh, point)
        finally:
            if os.path.isdir(fresh):
                await in_thread(delete, [fresh])

    def _install(self, fresh: str, point: MountPoint) -> None:
        """Puts the copy into the volume, in one step where nobody else can have it mounted."""
        if len(self._ctx.store.users(point.name)) <= 1:
            os.rename(fresh, point.source)
            return
        for name in os.listdir(fresh):
            if not os.path.lexists(f"{point.source}/{name}"):
                os.rename(f"{fresh}/{name}", f"{point.source}/{name}")
        status = os.stat(fresh)
        os.chown(point.source, status.st_uid, status.st_gid)
        os.chmod(point.source, status.st_mode & 0o7777)
