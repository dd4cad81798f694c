"""Everything known of one container."""

from typing import Any

from lading.containers.context import Context
from lading.containers.linking import shown_links
from lading.containers.record import Container
from lading.containers.view import inspect_view
from lading.logs import log_path


async def inspect(ctx: Context, container: Container, *, size: bool) -> dict[str, Any]:
    """The answer to `GET /containers/{id}/json`; with `size`, also the bytes it takes."""
    directory = ctx.layout.container(container.id)
    graph = {"Name": ctx.snapshots.name, "Data": ctx.snapshots.driver_data(container.id)}
    execs = [
        record.id
        for record in ctx.execs.values()
        if record.container_id == container.id and record.exit_code is None
    ]
    driver = container.definition.host.log_config.type
    path = log_path(driver, directory, container.id) if driver == "json-file" else ""
    view = inspect_view(container, directory, path, execs, graph)
    view["HostConfig"]["Links"] = shown_links(ctx, container)
    if size:
        view["SizeRw"], view["SizeRootFs"] = await sizes(ctx, container)
    return view


async def sizes(ctx: Context, container: Container) -> tuple[int, int]:
    """Bytes of the writable layer, and of that with the image below."""
    usage = await ctx.snapshots.usage(container.id)
    image = ctx.images.get(container.definition.image_id)
    return usage.size, usage.size + (image.size if image else 0)
