"""Reading a volume's files outside containers: present, and not to be removed meanwhile."""

import secrets
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager

from lading.errors import Conflict, Unsupported
from lading.volumes.context import Context
from lading.volumes.mount_point import VOLUME, MountPoint
from lading.volumes.mounting import attach, detach
from lading.volumes.record import DRIVER, Volume
from lading.volumes.removal import find


def check_idle(ctx: Context, deed: str, name: str, busy: Collection[str], *, force: bool) -> None:
    """Raises Conflict where one of the containers `busy` uses a volume, unless forced."""
    users = [user for user in ctx.store.users(name) if user in busy]
    if users and not force:
        raise Conflict(
            f"{deed} {name}: volume is in use - [{', '.join(users)}]: stop these containers, or use force"
        )


def is_ours(volume: Volume) -> bool:
    """Whether its files lie in a directory that belongs to it alone."""
    return volume.driver == DRIVER and not volume.options


def check_ours(deed: str, volume: Volume) -> None:
    """Raises Unsupported."""
    if not is_ours(volume):
        raise Unsupported(f"{deed} {volume.name}: its files are elsewhere; only the local driver's can be")


@asynccontextmanager
async def opened(ctx: Context, name: str) -> AsyncIterator[str]:
    """Where a volume's files are, for as long as the block takes. Raises NotFound, InternalError.

    It counts as used by somebody who, like a container that is gone, is forgotten at the next start.
    """
    volume = find(ctx, name)
    user = f"lading-{secrets.token_hex(8)}"
    point = MountPoint(type=VOLUME, name=name, destination="/", source=ctx.driver(volume).path(name))
    ctx.store.use(name, user)
    try:
        await attach(ctx, user, [point])
        try:
            yield point.source
        finally:
            await detach(ctx, user, [point])
    finally:
        ctx.store.unuse(name, user)
