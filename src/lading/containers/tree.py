"""A container's files as its process has them on disk: its root with its volumes, binds and /etc files.

Made of mounts only one thread sees. Not the process's own view: what the
process mounts itself, /proc, /dev and file systems in memory are left out, as
docker leaves them out. The thread's root stays ours, so that nothing
of the container can be loaded in the place of our own files (CVE-2019-14271);
paths are resolved by the kernel inside the tree (CVE-2018-15664), and no device
can be opened in it.
"""

import errno
import os
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from lading.containers.context import Context
from lading.containers.record import Container
from lading.linux import confined, mounts, namespaces
from lading.volumes import MountPoint

_ETC_FILES = ("resolv.conf", "hostname", "hosts")


@dataclass(frozen=True, slots=True)
class Bind:
    """Something of the machine's that the container has at `destination`."""

    source: str
    destination: str
    read_only: bool = False
    recursive: bool = True
    subpath: str = ""


def binds_of(ctx: Context, container: Container) -> list[Bind]:
    """What is bound into a container's root, outer ones first."""
    definition = container.definition
    found = [_bind(point) for point in definition.mounts if point.source]
    taken = {bind.destination for bind in found}
    directory = ctx.layout.container(_files_of(ctx, container))
    for name in _ETC_FILES:
        path = f"{directory}/{name}"
        if f"/etc/{name}" not in taken and os.path.exists(path):
            found.append(Bind(path, f"/etc/{name}", definition.host.readonly_rootfs))
    return sorted(found, key=lambda bind: bind.destination.rstrip("/").count("/"))


def _bind(point: MountPoint) -> Bind:
    return Bind(point.source, point.destination, not point.rw, point.recursive, point.subpath)


def _files_of(ctx: Context, container: Container) -> str:
    mode = container.definition.host.network_mode
    if mode.startswith("container:"):
        with suppress(Exception):
            return ctx.registry.find(mode.partition(":")[2]).id
    return container.id


@contextmanager
def tree(root: str, binds: Sequence[Bind] = (), *, read_only: bool = False) -> Iterator[int]:
    """A descriptor of the tree whose root is mounted at `root`, for as long as the block takes.

    The calling thread gets mounts of its own and must end afterwards. `read_only`
    is for the root alone. Raises OSError.
    """
    namespaces.own_mounts()
    descriptor = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        for bind in binds:
            _mount(descriptor, bind)
        mounts.restrict(descriptor, mounts.MS_NODEV)
        if read_only:
            mounts.mount(
                "", root, flags=mounts.MS_REMOUNT | mounts.MS_BIND | mounts.MS_NODEV | mounts.MS_RDONLY
            )
        yield descriptor
    finally:
        os.close(descriptor)


def _mount(root: int, bind: Bind) -> None:
    try:
        source = os.open(bind.source, os.O_PATH | os.O_CLOEXEC)
    except FileNotFoundError:
        # Nothing is there to be seen; the container's next start makes it, or says what is wrong.
        return
    try:
        if bind.subpath:
            part = confined.open_in_root(source, os.fsencode(bind.subpath), os.O_PATH)
            os.close(source)
            source = part
        target = _target(root, bind.destination, stat.S_ISDIR(os.fstat(source).st_mode))
        try:
            mounts.bind(f"/proc/self/fd/{source}", f"/proc/self/fd/{target}", recursive=bind.recursive)
        finally:
            os.close(target)
    finally:
        os.close(source)
    if bind.read_only:
        mounted = confined.open_in_root(root, os.fsencode(bind.destination), os.O_PATH)
        try:
            mounts.restrict(mounted, mounts.MS_RDONLY)
        finally:
            os.close(mounted)


def _target(root: int, destination: str, directory: bool) -> int:
    """Where to mount; made where it is missing, as a start would make it."""
    path = os.fsencode(destination)
    try:
        return confined.open_in_root(root, path, os.O_PATH)
    except FileNotFoundError:
        pass
    parts = [part for part in path.split(b"/") if part]
    above = os.dup(root)
    try:
        for number, part in enumerate(parts, 1):
            reached = b"/".join(parts[:number])
            last = number == len(parts)
            try:
                found = confined.open_in_root(root, reached, os.O_PATH)
            except FileNotFoundError:
                _make(above, part, directory=directory or not last)
                found = confined.open_in_root(root, reached, os.O_PATH)
            os.close(above)
            above = found
        return os.dup(above)
    finally:
        os.close(above)


def _make(above: int, name: bytes, *, directory: bool) -> None:
    try:
        if directory:
            os.mkdir(name, 0o755, dir_fd=above)
        else:
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
            os.close(os.open(name, flags, 0o644, dir_fd=above))
    except OSError as error:
        if error.errno != errno.EEXIST:
            raise
