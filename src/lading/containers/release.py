"""Giving back what a start took. Every step may be repeated."""

import asyncio
import logging

from lading.containers.context import Context
from lading.containers.record import Container

_log = logging.getLogger(__name__)


async def release(ctx: Context, container: Container) -> None:
    """Deletes the OCI container, unmounts its root and leaves its network."""
    steps = (
        ctx.runtime.delete(container.id, container.definition.host.runtime),
        ctx.networks.release(container.id),
    )
    for outcome in await asyncio.gather(*steps, return_exceptions=True):
        if isinstance(outcome, BaseException):
            _log.error("container %s: could not give back everything", container.id, exc_info=outcome)
    ctx.snapshots.unmount(root_path(ctx, container))


def root_path(ctx: Context, container: Container) -> str:
    """Where the container's root is mounted while it runs."""
    return f"{ctx.layout.rootfs}/{container.id}"
