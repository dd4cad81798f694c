"""What a container's files differ in from its image's: `docker diff`."""

from typing import Any

from lading.containers.context import Context
from lading.containers.record import Container

MARK = ".dockerenv"
"""The file by which programs tell that they run in a container."""

# What every container has for its mounts to stand on; docker keeps it in a layer of its own.
GROUND = frozenset(
    {
        f"/{MARK}",
        "/dev",
        "/dev/console",
        "/dev/pts",
        "/dev/shm",
        "/etc",
        "/etc/hostname",
        "/etc/hosts",
        "/etc/mtab",
        "/etc/resolv.conf",
        "/proc",
        "/sys",
    }
)


async def changes_of(ctx: Context, container: Container) -> list[dict[str, Any]]:
    """In the order of the tree, directories before what is in them. Raises InternalError."""
    found = await ctx.snapshots.changes(container.id, GROUND)
    return [{"Path": change.path, "Kind": int(change.kind)} for change in found]
