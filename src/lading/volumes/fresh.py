"""New content for a volume: made aside, put in its place in one step."""

import os
from collections.abc import Callable, Collection

from lading.aio.tasks import held, in_thread
from lading.errors import Conflict, InternalError
from lading.linux.exchange import exchange
from lading.linux.trees import remove_entry
from lading.units import now_ns
from lading.volumes.access import check_ours
from lading.volumes.context import Context
from lading.volumes.directories import delete
from lading.volumes.record import Volume


def build(ctx: Context, fill: Callable[[str], None]) -> str:
    """A volume's directory that is none's yet, with what `fill` puts into it. Blocks. Raises as `fill`."""
    path = ctx.directories.begin()
    try:
        fill(f"{path}/_data")
    except BaseException:
        delete([path])
        raise
    return path


async def built(ctx: Context, fill: Callable[[str], None]) -> str:
    """As `build`, in a thread. Raises InternalError, and as `fill`."""
    try:
        return await held(lambda: build(ctx, fill), lambda path: delete([path]))
    except OSError as error:
        raise InternalError(f"cannot copy: {error.strerror}") from None


def install(ctx: Context, name: str, path: str, deed: str) -> Volume:
    """Makes what was built a volume. Raises Conflict where there is one of that name by now."""
    if ctx.store.get(name) is not None:
        ctx.directories.discard(path)
        raise Conflict(f"{deed} {name}: a volume of that name exists already")
    aside = ctx.directories.install(path, name)
    volume = Volume(name=name, created_ns=now_ns())
    ctx.store.add(volume)
    ctx.publish("create", name, driver=volume.driver)
    if aside is not None:
        ctx.directories.discard(aside)
    return volume


async def replace(ctx: Context, volume: Volume, path: str, busy: Collection[str], deed: str) -> None:
    """Gives a volume the content that was built, in one step unless a container is at work in it.

    Raises Unsupported, InternalError.
    """
    try:
        check_ours(deed, volume)
        data = ctx.directories.data(volume.name)
        if any(user in busy for user in ctx.store.users(volume.name)):
            await in_thread(_change, f"{path}/_data", data)
        else:
            exchange(f"{path}/_data", data)
    except OSError as error:
        raise InternalError(f"{deed} {volume.name}: {error.strerror}") from None
    finally:
        ctx.directories.discard(path)


def _change(fresh: str, data: str) -> None:
    """File by file: those who have the directory mounted go on seeing it."""
    directory = os.open(data, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        for name in os.listdir(directory):
            remove_entry(directory, os.fsencode(name))
        for name in os.listdir(fresh):
            os.rename(f"{fresh}/{name}", name, dst_dir_fd=directory)
        status = os.stat(fresh)
        os.fchown(directory, status.st_uid, status.st_gid)
        os.fchmod(directory, status.st_mode & 0o7777)
    finally:
        os.close(directory)
