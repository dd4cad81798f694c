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


class Filler:
    """Fills one volume once at a time, however many containers are being made with it."""

    def __init__(self, ctx: Context) -> None:
        self._ctx = ctx
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def fill(self, points: Sequence[MountPoint], content: AbstractContextManager[str]) -> None:
        """See `Volumes.fill`."""
        empty = [point for point in points if _wants_filling(point)]
        if empty:
            with content as root:
                for point in empty:
                    lock = self._locks.setdefault(point.name, asyncio.Lock())
                    async with lock:
                        await self._fill(point, root)

    async def _fill(self, point: MountPoint, root: str) -> None:
        if os.listdir(point.source):
            return
        fresh = self._ctx.directories.scratch("fill")
        try:
            os.mkdir(fresh, 0o755)
            if await in_thread(copy_up, root, point.destination, fresh):
                self._install(fresh, point)
        except OSError as error:
            raise InternalError(
                f"cannot fill volume {point.name} from {point.destination}: {error}"
            ) from None
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


def _wants_filling(point: MountPoint) -> bool:
    return point.type == VOLUME and point.copy and not point.subpath and not os.listdir(point.source)
