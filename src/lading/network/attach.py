"""Connecting a running container to one more network, and taking it off one."""

from collections.abc import Sequence
from contextlib import AsyncExitStack

from lading.errors import Conflict, Forbidden, InternalError, InvalidParameter
from lading.network.allot import allot, endpoint_for, publishes, sandbox_alone, take_published
from lading.network.bridge_options import bridge_options
from lading.network.check import HOST_CONFLICT, NONE_CONFLICT, check
from lading.network.context import Context
from lading.network.contract import Driver
from lading.network.endpoint_options import interface_sysctls
from lading.network.leading import free_interface, leading
from lading.network.links import inner_name, lead_out
from lading.network.record import ConnectRequest, EndpointRecord, Sandbox
from lading.network.ruleset import ROUTED
from lading.network.sandboxes import apply_sysctls, open_place
from lading.network.shown import sandbox_of


async def attach(ctx: Context, request: ConnectRequest) -> Sandbox:
    """Connects a container that runs to the one network of the request.

    Raises NotFound, InvalidParameter, Forbidden where it is there already,
    Conflict, InternalError.
    """
    [(network, asked)] = check(ctx.networks, request)
    present = _present(ctx, request.container_id)
    endpoint = endpoint_for(network, asked, request)
    if any(each.network_id == network.id for each in present):
        raise Forbidden(
            f"endpoint with name {endpoint.container_name} already exists in network {network.name}"
        )
    _check_mixture(ctx, [endpoint, *present])
    endpoint.sandbox_id, endpoint.netns = present[0].sandbox_id, present[0].netns
    endpoint.leads_out = False
    others = [each for each in present if each.network_name]
    alone = [each for each in present if not each.network_name]
    async with AsyncExitStack() as undo:
        ctx.joined[request.container_id] = [*others, endpoint]
        undo.callback(ctx.joined.__setitem__, request.container_id, present)
        allot(ctx, endpoint, undo)
        endpoint.interface = free_interface(endpoint.asked, [inner_name(each) for each in others])
        driver = ctx.drivers[endpoint.network_id]
        undo.callback(ctx.kernel.later, driver.detach, endpoint)
        leader = leading(ctx.joined[request.container_id])
        await ctx.kernel.do(_join, driver, endpoint, leader)
        changed = await _change_leader(ctx, request, leader)
        with ctx.store.database.transaction():
            for each in alone:
                ctx.store.delete_endpoint(each)
            ctx.store.update_leases(*changed, *(each for each in (endpoint,) if each not in changed))
        undo.pop_all()
    ctx.publish("connect", endpoint)
    if endpoint.names:
        ctx.renamed()
    return sandbox_of(ctx, ctx.joined[request.container_id])


def _present(ctx: Context, container_id: str) -> list[EndpointRecord]:
    present = ctx.joined.get(container_id)
    if not present or container_id in ctx.leaving:
        raise Conflict(f"container {container_id} is not running")
    return present


def _check_mixture(ctx: Context, endpoints: Sequence[EndpointRecord]) -> None:
    networks = [ctx.network(endpoint) for endpoint in endpoints]
    drivers = {network.driver for network in networks if network is not None}
    if "host" in drivers:
        raise InvalidParameter(HOST_CONFLICT)
    if "null" in drivers:
        raise InvalidParameter(NONE_CONFLICT)


def _join(driver: Driver, endpoint: EndpointRecord, leader: EndpointRecord | None) -> None:
    """Runs in the kernel's thread."""
    place = open_place(endpoint.sandbox_id, endpoint.netns)
    try:
        driver.join(endpoint, place)
        if leader is endpoint:
            lead_out(place.inside, leader)
    finally:
        place.inside.close()
    sysctls = interface_sysctls(endpoint.asked.driver_opts, inner_name(endpoint))
    if sysctls:
        apply_sysctls(endpoint.netns, sysctls)


async def _change_leader(
    ctx: Context, request: ConnectRequest, leader: EndpointRecord | None
) -> list[EndpointRecord]:
    """Lets the ports follow the default route; the endpoints that changed by that."""
    endpoints = ctx.joined[request.container_id]
    before = next((each for each in endpoints if each.leads_out and each.gateway), None)
    if leader is before:
        return []
    if before is not None:
        before.leads_out = False
    if leader is not None:
        leader.leads_out = True
        if before is None or not await _move_ports(ctx, before, leader):
            await take_published(ctx, leader, request)
            driver = ctx.drivers[leader.network_id]
            if leader.leases:
                await ctx.kernel.do(driver.publish, leader, leader.leases)
                ctx.reservations.listen(leader.leases)
    return [each for each in (before, leader) if each is not None]


def _lead_out(leader: EndpointRecord) -> None:
    """Runs in the kernel's thread."""
    place = open_place(leader.sandbox_id, leader.netns)
    try:
        lead_out(place.inside, leader)
    finally:
        place.inside.close()


async def _move_ports(ctx: Context, before: EndpointRecord, leader: EndpointRecord) -> bool:
    """Leads the host ports of one endpoint to another; whether it has them now."""
    leases, before.leases = before.leases, []
    if not leases:
        return False
    await ctx.kernel.do(ctx.drivers[before.network_id].withdraw, before, leases)
    if _translates(ctx, before) and _translates(ctx, leader):
        leader.leases = leases
        await ctx.kernel.do(ctx.drivers[leader.network_id].publish, leader, leases)
        return True
    ctx.reservations.give_back(leases)
    return False


def _translates(ctx: Context, endpoint: EndpointRecord) -> bool:
    network = ctx.network(endpoint)
    return network is not None and publishes(network) and bridge_options(network.options).mode != ROUTED


async def detach(ctx: Context, request: ConnectRequest, name: str) -> Sandbox:
    """Takes a running container off the network `name`.

    The request says what ports it publishes, for the network that leads out then.
    Raises InvalidParameter, Conflict, InternalError.
    """
    present = _present(ctx, request.container_id)
    endpoint = next((each for each in present if each.network_name == name), None)
    if endpoint is None:
        raise InternalError(f"container {request.container_id} is not connected to network {name}")
    network = ctx.network(endpoint)
    if network is not None and network.driver == "host":
        raise InvalidParameter(HOST_CONFLICT)
    alone = sandbox_alone(request)
    alone.sandbox_id, alone.netns = endpoint.sandbox_id, endpoint.netns
    rest = [each for each in present if each is not endpoint] or [alone]
    ctx.joined[request.container_id] = rest
    driver = ctx.drivers.get(endpoint.network_id)
    if driver is not None:
        await ctx.kernel.do(driver.detach, endpoint)
    changed: list[EndpointRecord] = []
    leader = leading(rest)
    if endpoint.leads_out and driver is not None:
        if leader is None and endpoint.leases:
            await ctx.kernel.do(driver.withdraw, endpoint, endpoint.leases)
            ctx.reservations.give_back(endpoint.leases)
        elif leader is not None:
            await _move_ports(ctx, endpoint, leader)
        changed = await _succeed(ctx, request, leader)
    with ctx.store.database.transaction():
        ctx.store.delete_endpoint(endpoint)
        if rest == [alone]:
            ctx.store.insert_endpoint(alone)
        elif changed:
            ctx.store.update_leases(*changed)
    if endpoint.address:
        ctx.addresses[endpoint.network_id].discard(endpoint.ip)
    ctx.publish("disconnect", endpoint)
    if endpoint.names:
        ctx.renamed()
    return sandbox_of(ctx, rest)


async def _succeed(
    ctx: Context, request: ConnectRequest, leader: EndpointRecord | None
) -> list[EndpointRecord]:
    """The next network leads out, with the ports it may have from the one before."""
    if leader is None:
        return []
    leader.leads_out = True
    await ctx.kernel.do(_lead_out, leader)
    if not leader.leases:
        await take_published(ctx, leader, request)
        if leader.leases:
            await ctx.kernel.do(ctx.drivers[leader.network_id].publish, leader, leader.leases)
            ctx.reservations.listen(leader.leases)
    return [leader]
