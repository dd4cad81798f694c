"""A container's root outside its process: mounted while somebody reads or writes its files.

One mount serves the process and every visitor, because two overlays on one
upper directory would not see each other's changes.
"""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from lading.aio.tasks import in_thread
from lading.containers.context import Context
from lading.containers.record import Container
from lading.errors import Conflict, InternalError

LINGER = 1.0
"""Seconds a root stays mounted after its last visitor."""


def root_path(ctx: Context, container: Container) -> str:
    """Where the container's root is mounted while anybody uses it."""
    return f"{ctx.layout.rootfs}/{container.id}"


async def mount_root(ctx: Context, container: Container) -> str:
    """Mounts the root for the container's process; see `release_root`. Raises OSError."""
    async with container.root.lock:
        container.root.process = True
        return _mount(ctx, container)


async def release_root(ctx: Context, container: Container) -> None:
    """The container's process is gone: unmounts its root, unless there are visitors. May be repeated."""
    async with container.root.lock:
        container.root.process = False
        if not container.root.visitors:
            await _unmount(ctx, container)


@asynccontextmanager
async def visit(ctx: Context, container: Container) -> AsyncIterator[str]:
    """Where the root is mounted, for as long as the block takes, whatever becomes of the process.

    Raises Conflict where the container is being removed, InternalError.
    """
    use = container.root
    async with use.lock:
        if container.id not in ctx.registry:
            raise Conflict(f"container {container.id} is being removed")
        try:
            path = _mount(ctx, container)
        except OSError as error:
            raise InternalError(f"cannot mount the root of container {container.id}: {error}") from None
        use.visitors += 1
    try:
        yield path
    finally:
        use.visitors -= 1
        ctx.background.spawn(_leave(ctx, container), "leave a container's root")


async def _leave(ctx: Context, container: Container) -> None:
    try:
        # Unmounting writes what is dirty, and the next visit, or a start, often comes at once.
        if container.id in ctx.registry and not _used(container):
            await asyncio.sleep(LINGER)
    finally:
        async with container.root.lock:
            if not _used(container):
                await _unmount(ctx, container)


def _used(container: Container) -> bool:
    return bool(container.root.visitors) or container.root.process or container.state.running


def _mount(ctx: Context, container: Container) -> str:
    path = root_path(ctx, container)
    os.makedirs(path, mode=0o700, exist_ok=True)
    if not os.path.ismount(path):
        # What goes away with its process need not survive a power cut.
        ctx.snapshots.mount(container.id, path, volatile=container.definition.host.auto_remove)
    return path


async def _unmount(ctx: Context, container: Container) -> None:
    path = root_path(ctx, container)
    await in_thread(ctx.snapshots.unmount, path)
    try:
        os.rmdir(path)
    except FileNotFoundError:
        pass
