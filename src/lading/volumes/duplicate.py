"""Copies of volumes: as volumes of their own, or as snapshots that a volume can be taken back to.

A copy shares its blocks with the original where the file system can do that
(copy_file_range(2) on Btrfs and XFS). A snapshot lies with its volume, in
`<volume>/snapshots/<name>`, exists as soon as its directory does, and goes
with the volume.
"""

import os
import re
from collections.abc import Collection

from lading.aio.tasks import in_thread
from lading.errors import Conflict, InvalidParameter, NotFound
from lading.volumes.access import check_idle, check_ours, opened
from lading.volumes.context import Context
from lading.volumes.copy_up import copy_up
from lading.volumes.fresh import built, install, replace
from lading.volumes.names import check_name
from lading.volumes.record import Volume
from lading.volumes.removal import find

_NAME = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_.-]{0,127}\Z")


async def copy(ctx: Context, name: str, target: str, busy: Collection[str], *, force: bool) -> Volume:
    """A new volume `target` with the files of another. Raises NotFound, Conflict, InvalidParameter."""
    check_name(target)
    if ctx.store.get(target) is not None:
        raise Conflict(f"copy {name}: a volume named {target} exists already")
    find(ctx, name)
    check_idle(ctx, "copy", name, busy, force=force)
    async with opened(ctx, name) as source:
        path = await built(ctx, lambda into: _copy(source, into))
    return install(ctx, target, path, "copy")


async def take_snapshot(
    ctx: Context, name: str, snapshot: str, busy: Collection[str], *, force: bool
) -> None:
    """Raises NotFound, Conflict, InvalidParameter, Unsupported."""
    volume = find(ctx, name)
    check_ours("snapshot", volume)
    place = _place(ctx, name, snapshot)
    if os.path.isdir(place):
        raise Conflict(f"snapshot {name}: a snapshot named {snapshot} exists already")
    check_idle(ctx, "snapshot", name, busy, force=force)
    async with opened(ctx, name) as source:
        path = await built(ctx, lambda into: _copy(source, into))
        os.makedirs(os.path.dirname(place), mode=0o700, exist_ok=True)
        try:
            os.rename(f"{path}/_data", place)
        except OSError:
            # Somebody was faster.
            raise Conflict(f"snapshot {name}: a snapshot named {snapshot} exists already") from None
        finally:
            ctx.directories.discard(path)


async def restore(ctx: Context, name: str, snapshot: str, busy: Collection[str], *, force: bool) -> None:
    """A volume gets the files back that it had. Raises NotFound, Conflict."""
    volume = find(ctx, name)
    place = _present(ctx, name, snapshot)
    check_idle(ctx, "restore", name, busy, force=force)
    async with opened(ctx, name):
        path = await built(ctx, lambda into: _copy(place, into))
        await replace(ctx, volume, path, busy, "restore")


def snapshots(ctx: Context, name: str) -> list[str]:
    """The names of a volume's snapshots. Raises NotFound."""
    find(ctx, name)
    directory = ctx.directories.snapshots(name)
    return sorted(os.listdir(directory)) if os.path.isdir(directory) else []


async def remove_snapshot(ctx: Context, name: str, snapshot: str) -> None:
    """Raises NotFound."""
    find(ctx, name)
    place, aside = _present(ctx, name, snapshot), ctx.directories.scratch("old")
    await in_thread(os.rename, place, aside)
    ctx.directories.discard(aside)


def _present(ctx: Context, name: str, snapshot: str) -> str:
    place = _place(ctx, name, snapshot)
    if not os.path.isdir(place):
        raise NotFound(f"volume {name} has no snapshot {snapshot}")
    return place


def _place(ctx: Context, name: str, snapshot: str) -> str:
    if _NAME.match(snapshot) is None:
        raise InvalidParameter(f'"{snapshot}" cannot be the name of a snapshot: [a-zA-Z0-9][a-zA-Z0-9_.-]*')
    return f"{ctx.directories.snapshots(name)}/{snapshot}"


def _copy(source: str, into: str) -> None:
    copy_up(source, "/", into)
