"""Giving back what a start took. Every step may be repeated."""

import asyncio
import logging
import os
from collections.abc import Awaitable, Iterator
from contextlib import contextmanager

from lading.containers import image_mounts
from lading.containers.context import Context
from lading.containers.record import Container
from lading.containers.root import release_root, root_path
from lading.containers.shm import unmount_shm
from lading.errors import LadingError

_log = logging.getLogger(__name__)

_AGAIN = 1.0
"""Seconds between two attempts to leave a network."""


async def release(ctx: Context, container: Container) -> None:
    """Leaves the network; what nobody else can see goes in the background.

    The next start waits for that, and the container's removal.
    """
    left = await _leave_network(ctx, container)
    await _complete(container, _release_volumes(ctx, container))
    container.deletion = ctx.background.spawn(_take_down(ctx, container, left), "take down a container")


async def _leave_network(ctx: Context, container: Container) -> bool:
    try:
        await ctx.networks.release(container.id)
    except LadingError as error:
        _log.error("container %s is still on its network: %s", container.id, error.message)
        return False
    return True


async def _take_down(ctx: Context, container: Container, left: bool) -> None:
    deletion = ctx.runtime.delete(container.id, container.definition.host.runtime)
    await _complete(container, deletion, release_root(ctx, container))
    while not left:
        # On a full disk, say; until then nobody else can have its address and ports.
        await asyncio.sleep(_AGAIN)
        left = await _leave_network(ctx, container)


async def _release_volumes(ctx: Context, container: Container) -> None:
    await ctx.volumes.unmount(container.id, container.definition.mounts)
    await image_mounts.unmount(ctx, container)
    unmount_shm(ctx, container.id)


async def _complete(container: Container, *steps: Awaitable[None]) -> None:
    """Takes every step, whichever fails."""
    for outcome in await asyncio.gather(*steps, return_exceptions=True):
        if isinstance(outcome, BaseException):
            _log.error("container %s: could not give back everything", container.id, exc_info=outcome)


@contextmanager
def mounted_root(ctx: Context, container: Container) -> Iterator[str]:
    """The file system of a container that never ran, for as long as the block takes."""
    path = root_path(ctx, container)
    os.makedirs(path, mode=0o700, exist_ok=True)
    # What was not written yet cannot hold up the unmount, which happens on the loop.
    ctx.snapshots.mount(container.id, path, volatile=True)
    try:
        yield path
    finally:
        ctx.snapshots.unmount(path)
        os.rmdir(path)
