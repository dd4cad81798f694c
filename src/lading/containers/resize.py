"""The size of a container's terminal."""

from lading.containers.context import Context
from lading.containers.record import Container
from lading.errors import Conflict


async def resize(ctx: Context, container: Container, height: int, width: int) -> None:
    """In characters. Raises Conflict where the container does not run."""
    if not container.state.running:
        raise Conflict(f"container {container.id} is not running")
    await ctx.runtime.resize(container.id, height, width)
    ctx.publish(container, "resize", height=str(height), width=str(width))
