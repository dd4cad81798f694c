"""Making the kernel and the records agree when the daemon starts."""

import logging
from collections.abc import Collection

from lading.network.context import Context
from lading.network.record import EndpointRecord
from lading.network.release import release, sweep_soon

_log = logging.getLogger(__name__)


async def sweep(ctx: Context, live: Collection[str]) -> None:
    """Removes what is ours but belongs to none of the `live` containers; mends what they use."""
    for container_id in [each for each in ctx.joined if each not in live]:
        await release(ctx, container_id)
    ctx.store.delete_stray_leases()
    gone = ctx.sandboxes.sweep({endpoint.netns for endpoint in ctx.everyone()})
    if gone:
        _log.info("removed %d network namespaces left over", gone)
    sweep_soon(ctx)
    await ctx.kernel.do(_mend, ctx, list(ctx.everyone()))


def _mend(ctx: Context, endpoints: list[EndpointRecord]) -> None:
    for endpoint in endpoints:
        driver = ctx.drivers.get(endpoint.network_id)
        if driver is None:
            continue
        try:
            driver.mend(endpoint)
        except OSError as error:
            _log.error("container %s is cut off from its network: %s", endpoint.container_id, error)
