"""Giving a starting container its sandbox; each step undone if a later one fails."""

from collections.abc import Sequence
from contextlib import AsyncExitStack

from lading.errors import Conflict
from lading.network.allot import allot, endpoint_for, sandbox_alone, take_published
from lading.network.check import check
from lading.network.context import Context
from lading.network.contract import Driver
from lading.network.endpoint_options import interface_sysctls
from lading.network.leading import free_interface, leading
from lading.network.links import inner_name
from lading.network.record import ConnectRequest, EndpointRecord, Sandbox
from lading.network.sandboxes import Place, apply_sysctls, discard
from lading.network.shown import sandbox_of

_NETWORK_SYSCTLS = "net."


async def connect(ctx: Context, request: ConnectRequest) -> Sandbox:
    """Raises NotFound, InvalidParameter, Conflict, Forbidden, or InternalError with docker's words."""
    wanted = check(ctx.networks, request)
    if request.container_id in ctx.joined:
        raise Conflict(f"container {request.container_id} is on a network already")
    endpoints = [endpoint_for(network, asked, request) for network, asked in wanted]
    endpoints = endpoints or [sandbox_alone(request)]
    async with AsyncExitStack() as undo:
        if any(endpoint.names for endpoint in endpoints):
            undo.callback(ctx.renamed)
        ctx.joined[request.container_id] = endpoints
        undo.callback(ctx.joined.pop, request.container_id)
        if not any(network.driver == "host" for network, _ in wanted):
            place = await ctx.sandboxes.take()
            undo.callback(ctx.kernel.later, discard, place)
            await _furnish(ctx, request, endpoints, place, undo)
            place.inside.close()
        for endpoint in endpoints:
            ctx.store.insert_endpoint(endpoint)
        undo.pop_all()
    ctx.sandboxes.refill_later()
    for endpoint in endpoints:
        ctx.reservations.listen(endpoint.leases)
        ctx.publish("connect", endpoint)
    if any(endpoint.names for endpoint in endpoints):
        ctx.renamed()
    return sandbox_of(ctx, endpoints)


async def _furnish(
    ctx: Context,
    request: ConnectRequest,
    endpoints: Sequence[EndpointRecord],
    place: Place,
    undo: AsyncExitStack,
) -> None:
    """Addresses, ports and links of a sandbox that has none yet."""
    names: list[str] = []
    for endpoint in endpoints:
        endpoint.sandbox_id, endpoint.netns = place.id, place.path
        if allot(ctx, endpoint, undo):
            endpoint.interface = free_interface(endpoint.asked, names)
            names.append(endpoint.interface)
    leader = leading(endpoints)
    for endpoint in endpoints:
        endpoint.leads_out = endpoint is leader
    if leader is not None:
        undo.callback(lambda: ctx.reservations.give_back(leader.leases))
        await take_published(ctx, leader, request)
    joins: list[tuple[Driver, EndpointRecord]] = []
    sysctls = _network_sysctls(request)
    for endpoint in endpoints:
        driver = ctx.drivers.get(endpoint.network_id)
        if driver is not None:
            joins.append((driver, endpoint))
            undo.callback(ctx.kernel.later, driver.leave, endpoint)
            # The interface's own settings are the more particular.
            sysctls |= interface_sysctls(endpoint.asked.driver_opts, inner_name(endpoint))
    if joins:
        await ctx.kernel.do(_join, joins, place)
    if sysctls:
        await ctx.kernel.do(apply_sysctls, place.path, sysctls)


def _join(joins: Sequence[tuple[Driver, EndpointRecord]], place: Place) -> None:
    """Runs in the kernel's thread."""
    for driver, endpoint in joins:
        driver.join(endpoint, place)


def _network_sysctls(request: ConnectRequest) -> dict[str, str]:
    return {
        name: value for name, value in (request.sysctls or {}).items() if name.startswith(_NETWORK_SYSCTLS)
    }
