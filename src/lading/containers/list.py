"""Listing and counting containers."""

from typing import Any

from lading.containers.context import Context
from lading.containers.inspect import sizes
from lading.containers.linking import link_names
from lading.containers.listing import select
from lading.containers.record import Container, Status
from lading.containers.view import summary_view
from lading.errors import LadingError, NotFound
from lading.filters import Filters
from lading.units import now_ns


async def list_containers(
    ctx: Context, filters: Filters, *, show_all: bool, limit: int, size: bool
) -> list[dict[str, Any]]:
    """Summaries, newest first. Raises InvalidParameter for bad filters."""

    def based_on(name: str) -> set[str]:
        root = ctx.images.resolve(name).id
        used = {container.definition.image_id for container in ctx.registry}
        return {image_id for image_id in used if root in _lineage(ctx, image_id)}

    linked = link_names(ctx)
    chosen = select(
        ctx.registry,
        filters,
        show_all=show_all,
        limit=limit,
        find=ctx.registry.find,
        ancestors=based_on,
        linked=linked,
    )
    now = now_ns()
    views = [summary_view(container, now) for container in chosen]
    for container, view in zip(chosen, views, strict=True):
        view["Names"] += linked.get(container.id, ())
    if size:
        pairs = zip(chosen, views, strict=True)
        return [view for container, view in pairs if await _add_sizes(ctx, container, view)]
    return views


async def _add_sizes(ctx: Context, container: Container, view: dict[str, Any]) -> bool:
    """Tells whether the container was there to be measured: not still being made, nor gone by now."""
    try:
        own, view["SizeRootFs"] = await sizes(ctx, container)
    except NotFound:
        return False
    except LadingError:
        if ctx.registry.get(container.id) is container:
            raise
        return False
    if own:
        # Left out where there is nothing, as docker does here.
        view["SizeRw"] = own
    return True


def _lineage(ctx: Context, image_id: str) -> set[str]:
    found: set[str] = set()
    while image_id and image_id not in found:
        found.add(image_id)
        image = ctx.images.get(image_id)
        image_id = image.parent if image else ""
    return found


def counts(ctx: Context) -> dict[str, int]:
    """How many containers run, are paused, and do neither."""
    result = {"running": 0, "paused": 0, "stopped": 0}
    for container in ctx.registry:
        status = container.state.status
        if status is Status.PAUSED:
            result["paused"] += 1
        elif status in (Status.RUNNING, Status.RESTARTING):
            result["running"] += 1
        else:
            result["stopped"] += 1
    return result
