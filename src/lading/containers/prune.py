"""Removing all containers that do not run."""

import asyncio
import logging
from typing import Any

from lading.containers.context import Context
from lading.containers.record import Container, Status
from lading.containers.remove import remove
from lading.errors import Conflict, InvalidParameter, LadingError
from lading.filters import Filters
from lading.units import now_ns, parse_moment

_log = logging.getLogger(__name__)

PRUNE_FILTERS = ("label", "label!", "until")


async def prune(ctx: Context, filters: Filters) -> dict[str, Any]:
    """The answer to `POST /containers/prune`. Raises InvalidParameter; Conflict while one is under way."""
    if ctx.pruning:
        raise Conflict("a prune operation is already running")
    until = _until(filters)
    ctx.pruning = True
    try:
        return await _prune(ctx, filters, until)
    finally:
        ctx.pruning = False


async def _prune(ctx: Context, filters: Filters, until: int | None) -> dict[str, Any]:
    deleted, reclaimed = [], 0
    for container in ctx.registry:
        if not _goes(container, filters, until):
            continue
        try:
            usage = await ctx.snapshots.usage(container.id)
            await remove(ctx, container, force=False, volumes=False)
        except LadingError as error:
            # Started, or removed by somebody else, meanwhile.
            _log.warning("container %s was not pruned: %s", container.id, error.message)
            continue
        deleted.append(container.id)
        reclaimed += usage.size
        if container.clearing is not None:
            # A prune of images may follow: what the container stood on must be free then.
            await asyncio.wait((container.clearing,))
    ctx.events.publish("container", "prune", "", {"reclaimed": str(reclaimed)})
    return {"ContainersDeleted": deleted or None, "SpaceReclaimed": reclaimed}


def _goes(container: Container, filters: Filters, until: int | None) -> bool:
    labels = container.definition.config.labels
    return (
        not container.state.running
        and container.state.status is not Status.RESTARTING
        and (until is None or container.definition.created_ns <= until)
        and filters.labels(labels)
        and not ("label!" in filters and filters.labels(labels, "label!"))
    )


def _until(filters: Filters) -> int | None:
    moments = filters.get("until")
    if len(moments) > 1:
        raise InvalidParameter("more than one until filter specified")
    return parse_moment(moments[0], now_ns()) if moments else None
