"""How much volumes take."""

from typing import Any

from lading.aio.tasks import in_thread
from lading.volumes.context import Context
from lading.volumes.directories import size
from lading.volumes.record import DRIVER


async def disk_usage(ctx: Context) -> list[dict[str, Any]]:
    """Every volume as the API shows it, with bytes and the number of its containers (UsageData).

    As dockerd, without those whose files lie elsewhere.
    """
    found = []
    for volume in ctx.store.all():
        if volume.driver != DRIVER or volume.options:
            continue
        path = ctx.driver(volume).path(volume.name)
        taken = await in_thread(size, path)
        # Removed while others were measured.
        if ctx.store.get(volume.name) is not None:
            usage = {"Size": taken, "RefCount": len(ctx.store.users(volume.name))}
            found.append({**volume.view(path), "UsageData": usage})
    return found
