"""Renaming containers."""

from lading.containers import names
from lading.containers.context import Context
from lading.containers.record import Container
from lading.errors import InvalidParameter, NotFound


async def rename(ctx: Context, container: Container, name: str) -> None:
    """Raises InvalidParameter for a bad name, Conflict for one that is taken."""
    if not name:
        raise InvalidParameter("Neither old nor new names may be empty")
    name = names.check(name)

    async def work() -> None:
        if container.id not in ctx.registry:
            raise NotFound(f"No such container: {container.id}")
        old = container.name
        if name == old:
            raise InvalidParameter("Renaming a container with the same name as its current name")
        ctx.registry.check_free(name)
        ctx.store.rename(container, name)
        ctx.registry.rename(container, name)
        ctx.networks.rename(container.id, name)
        ctx.publish(container, "rename", oldName=f"/{old}")

    await container.worker.do(work)
