"""Taking a container off its network. May be repeated."""

import asyncio
import logging

from lading.errors import LadingError
from lading.linux import namespaces
from lading.network.context import Context

_log = logging.getLogger(__name__)

LINGER = 1.0
"""Seconds the kernel gets to remove links whose namespace has ended; after that we do."""


async def release(ctx: Context, container_id: str) -> None:
    """Gives back links, addresses, ports and namespace; what fails is logged and swept at the next start."""
    endpoints = ctx.joined.get(container_id)
    if endpoints is None or container_id in ctx.leaving:
        return
    ctx.leaving.add(container_id)
    try:
        for endpoint in endpoints:
            # Nobody may get a port before it leads nowhere; for the rest nobody has to wait.
            driver = ctx.drivers.get(endpoint.network_id)
            if driver is not None and endpoint.leases:
                await ctx.kernel.do(driver.leave, endpoint)
    except LadingError as error:
        _log.error("container %s: could not withdraw its ports: %s", container_id, error.message)
    finally:
        ctx.leaving.discard(container_id)
        _forget(ctx, container_id)
        if endpoints[0].netns:
            ctx.kernel.later(namespaces.delete_netns, endpoints[0].netns)
    for endpoint in endpoints:
        ctx.publish("disconnect", endpoint)
    if any(endpoint.names for endpoint in endpoints):
        ctx.renamed()
    if any(endpoint.link for endpoint in endpoints):
        sweep_soon(ctx)


def _forget(ctx: Context, container_id: str) -> None:
    with ctx.store.database.transaction():
        for endpoint in ctx.joined[container_id]:
            ctx.store.delete_endpoint(endpoint)
    for endpoint in ctx.joined.pop(container_id):
        ctx.reservations.give_back(endpoint.leases)
        if endpoint.address:
            ctx.addresses.get(endpoint.network_id, set()).discard(endpoint.ip)


def sweep_soon(ctx: Context) -> None:
    """Removes links of no endpoint that the kernel has not removed by itself.

    A namespace somebody else keeps alive keeps our link alive; nobody is to find it there.
    """
    if ctx.sweeping:
        return
    ctx.sweeping = True
    ctx.background.spawn(_sweep(ctx), "remove links left over")


async def _sweep(ctx: Context) -> None:
    try:
        await asyncio.sleep(LINGER)
    finally:
        ctx.sweeping = False
    await ctx.kernel.do(sweep_links, ctx)


def sweep_links(ctx: Context) -> None:
    """Deletes links of no endpoint. Runs in the kernel's thread."""
    known = {endpoint.link for endpoint in ctx.everyone()}
    for driver in list(ctx.drivers.values()):
        driver.sweep(known)
