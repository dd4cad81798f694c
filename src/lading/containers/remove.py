"""Removing containers."""

from lading.containers.context import Context
from lading.containers.discard import discard
from lading.containers.files import write_links
from lading.containers.linking import find_by_link
from lading.containers.record import Container, Status
from lading.containers.stop import end
from lading.errors import Conflict


async def remove(ctx: Context, container: Container, *, force: bool, volumes: bool) -> None:
    """Removes at a user's wish. Raises Conflict where it runs and `force` is not given."""

    async def work() -> bool:
        if container.id not in ctx.registry:
            return True
        if container.state.running or container.state.status is Status.RESTARTING:
            return False
        await discard(ctx, container, volumes=volumes)
        return True

    # What is under way, such as a start, comes first; and others may start it again.
    while not await container.worker.do(work):
        if not force:
            state = "paused" if container.state.status is Status.PAUSED else container.state.status
            raise Conflict(
                f'cannot remove container "/{container.name}": container is {state}: '
                "stop the container before removing or force remove"
            )
        await end(ctx, container)


async def unlink(ctx: Context, name: str) -> None:
    """Takes away the link "web/db"; both containers stay. Raises NotFound or InvalidParameter."""
    parent = find_by_link(ctx, name)[0]

    async def work() -> None:
        link = find_by_link(ctx, name)[1]
        parent.definition.links.remove(link)
        ctx.store.save_definition(parent)
        write_links(ctx, parent)

    await parent.worker.do(work)
