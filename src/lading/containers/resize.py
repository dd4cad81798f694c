"""The size of a container's terminal."""

from collections.abc import Sequence

from lading.containers.context import Context
from lading.containers.record import Container
from lading.errors import Conflict, InvalidParameter

_LARGEST = 65535
"""What the kernel can note of a terminal (struct winsize)."""


def check_console_size(size: Sequence[int] | None) -> None:
    """Of `ConsoleSize`, height and width in characters. Raises InvalidParameter."""
    if size and (len(size) != 2 or not all(0 <= number <= _LARGEST for number in size)):
        raise InvalidParameter(
            f"invalid ConsoleSize: height and width are needed, whole numbers of 0 to {_LARGEST}"
        )


async def resize(ctx: Context, container: Container, height: int, width: int) -> None:
    """In characters. Raises Conflict where the container does not run.

    As dockerd: without a terminal there is nothing to do, which is no error.
    """
    if not container.state.running:
        raise Conflict(f"container {container.id} is not running")
    if container.definition.config.tty:
        await ctx.runtime.resize(container.id, height, width)
    ctx.publish(container, "resize", height=str(height), width=str(width))
