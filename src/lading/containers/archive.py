"""Files in and out of containers: what `docker cp` asks for (Engine API 1.51, ContainerArchive).

Source of what paths mean: docker's documentation of `docker cp`.
"""

import errno
import os
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Any

from lading.aio.feed import read_in_thread
from lading.aio.outflow import Outflow
from lading.aio.tasks import in_own_thread
from lading.containers.context import Context
from lading.containers.path_stat import PathStat, stat_path
from lading.containers.record import Container
from lading.containers.root import visit
from lading.containers.tree import Bind, binds_of, tree
from lading.containers.uncompressed import plain
from lading.errors import InternalError, InvalidParameter, LadingError, NotFound
from lading.linux import confined
from lading.linux.collect import Collector
from lading.linux.copy_into import CopyInto, Owner
from lading.oci import tar
from lading.runtime import look_up_user
from lading.schema import archive
from lading.snapshots import remove_entry
from lading.volumes import MountPoint

_BLAMED = (errno.ENOTDIR, errno.ELOOP, errno.ENAMETOOLONG, errno.EINVAL, errno.EACCES)


@dataclass(frozen=True, slots=True)
class ExtractOptions:
    """How an archive is put into a container."""

    keep_kinds: bool = False
    """A directory is not replaced by something else, nor the other way round."""

    to_user: bool = False
    """Everything is given to the user the container runs as, where it names one."""


async def stat_in(ctx: Context, container: Container, called: str, path: str) -> PathStat:
    """What `path` leads to. Raises NotFound, InvalidParameter, Conflict, InternalError."""
    async with _whole(ctx, container) as (root, binds):
        try:
            return await in_own_thread(_stat, root, binds, path)
        except OSError as error:
            raise _problem(error, called, path) from None


@asynccontextmanager
async def _whole(ctx: Context, container: Container) -> AsyncIterator[tuple[str, list[Bind]]]:
    """The container's root, and what is mounted into it, volumes in their places."""
    async with visit(ctx, container) as root, ctx.volumes.present(container.definition.mounts):
        yield root, binds_of(ctx, container)


def _stat(root: str, binds: list[Bind], path: str) -> PathStat:
    with tree(root, binds) as inside:
        return stat_path(inside, path)


async def archive_of(
    ctx: Context, container: Container, called: str, path: str
) -> tuple[PathStat, AsyncIterator[bytes]]:
    """What `path` leads to, and a tar archive of it. Raises as `stat_in` does."""
    stream = _archive_of(ctx, container, called, archive.absolute(path), path)
    # Begun, so that whoever closes the stream gives back what it holds.
    head = await anext(stream)
    assert isinstance(head, PathStat)
    ctx.publish(container, "archive-path")
    return head, stream


async def _archive_of(
    ctx: Context, container: Container, called: str, path: str, asked: str
) -> AsyncGenerator[Any, None]:
    async with _whole(ctx, container) as (root, binds):

        def work(flow: Outflow[PathStat]) -> None:
            with tree(root, binds) as inside:
                found = stat_path(inside, path)
                with _beside(inside, path, found) as directory:
                    flow.announce(found)
                    shown = os.fsencode(archive.base(path))
                    collector = Collector(flow.push)
                    collector.add(directory, b"." if found.is_directory else shown, shown)
                    collector.finish()

        flow = Outflow(work, "archive")
        try:
            yield await flow.head()
            async for piece in flow.pieces():
                yield piece
        except OSError as error:
            raise _problem(error, called, asked) from None
        finally:
            await flow.close()


@contextmanager
def _beside(root: int, path: str, found: PathStat) -> Iterator[int]:
    """The directory a path leads to, or that of the file it leads to. Raises OSError."""
    where = path if found.is_directory else os.path.dirname(path)
    directory = confined.open_in_root(root, os.fsencode(where), os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield directory
    finally:
        os.close(directory)


async def extract_to(
    ctx: Context,
    container: Container,
    called: str,
    path: str,
    stream: AsyncIterator[bytes],
    options: ExtractOptions,
) -> None:
    """Unpacks an archive, plain or compressed, into the directory `path`.

    Raises NotFound, InvalidParameter, Conflict, InternalError. What was
    unpacked before a failure stays, but for a file that is not whole.
    """
    definition = container.definition
    user = definition.config.user if options.to_user else ""
    read_only = definition.host.readonly_rootfs
    async with _whole(ctx, container) as (root, binds):

        def work(pull: Callable[[], bytes]) -> None:
            with tree(root, binds, read_only=read_only) as inside:
                target = _target(inside, root, archive.clean(f"/{path}"))
                _check_writable(target, definition.mounts, read_only=read_only)
                copy = CopyInto(
                    inside,
                    _owner(inside, user),
                    shown=target,
                    target=os.fsencode(target),
                    keep_kinds=options.keep_kinds,
                    displace=remove_entry,
                )
                copy.run(plain(pull))

        try:
            await read_in_thread(stream, work, _nothing_to_drop)
        except OSError as error:
            raise _problem(error, called, path) from None
    ctx.publish(container, "extract-to-dir")


def _owner(inside: int, user: str) -> Owner:
    if user:
        found = look_up_user(f"/proc/self/fd/{inside}", user)
        return lambda entry: (found.uid, found.gid)
    # Always given: a directory may hand its own group to what is made in it.
    return _as_archived


def _as_archived(entry: tar.Entry) -> tuple[int, int]:
    return entry.uid, entry.gid


def _nothing_to_drop(_: None) -> None:
    """What was unpacked too late is in the container's hands."""


def _target(inside: int, root: str, path: str) -> str:
    """The directory a path leads to, without links. Raises InvalidParameter, OSError."""
    found = confined.open_in_root(inside, os.fsencode(path), os.O_PATH)
    try:
        shown = f"/proc/self/fd/{found}"
        if not os.path.isdir(shown):
            raise InvalidParameter("extraction point is not a directory")
        real = os.readlink(shown)
    finally:
        os.close(found)
    return real.removeprefix(os.path.realpath(root)) or "/"


def _check_writable(path: str, points: list[MountPoint], *, read_only: bool) -> None:
    """Raises InvalidParameter where the directory is in a read-only volume or root."""
    around = [point for point in points if archive.within(path, point.destination)]
    if around:
        if not max(around, key=lambda point: len(point.destination)).rw:
            raise InvalidParameter("mounted volume is marked read-only")
    elif read_only:
        raise InvalidParameter("container rootfs is marked read-only")


def _problem(error: OSError, called: str, path: str) -> LadingError:
    if error.errno == errno.ENOENT:
        return NotFound(f"Could not find the file {path} in container {called}")
    reason = (error.strerror or "").lower()
    kind = InvalidParameter if error.errno in _BLAMED else InternalError
    return kind(f"lstat {archive.absolute(path)}: {reason}")
