"""A container's whole root as one archive: `docker export`."""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing

from lading.aio.outflow import Outflow, flowing
from lading.containers.context import Context
from lading.containers.record import Container
from lading.containers.root import visit
from lading.containers.tree import tree
from lading.errors import InternalError, LadingError
from lading.linux.collect import Collector


async def export(ctx: Context, container: Container) -> AsyncIterator[bytes]:
    """Without what is mounted into it. Raises Conflict, InternalError."""
    stream = _export(ctx, container)
    # Begun, so that whoever closes the stream gives back what it holds.
    await anext(stream)
    ctx.publish(container, "export")
    return stream


async def _export(ctx: Context, container: Container) -> AsyncGenerator[bytes, None]:
    async with visit(ctx, container) as root:

        def work(flow: Outflow[None]) -> None:
            with tree(root) as inside:
                flow.announce(None)
                collector = Collector(flow.push)
                collector.add_content(inside)
                collector.finish()

        def problem(error: OSError) -> LadingError:
            return InternalError(f"Error exporting container {container.id}: {error.strerror}")

        async with aclosing(flowing(work, "export", problem)) as stream:
            async for piece in stream:
                yield piece
