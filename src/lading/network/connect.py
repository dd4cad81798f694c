"""Giving a starting container its sandbox; each step undone if a later one fails."""

import asyncio
from collections.abc import Iterable
from contextlib import AsyncExitStack
from ipaddress import IPv4Interface

from lading.errors import Conflict, InternalError
from lading.ids import new_id, short_id
from lading.network import ipam, ports
from lading.network.bridge import link_name
from lading.network.check import check, hardware_address
from lading.network.context import Context
from lading.network.endpoint_options import interface_sysctls
from lading.network.record import ConnectRequest, EndpointRecord, NetworkRecord, Sandbox
from lading.network.sandboxes import apply_sysctls, discard
from lading.network.shown import sandbox_of
from lading.schema.container import EndpointSettings

_NETWORK_SYSCTLS = "net."
_AT_ONCE = 500
"""So many ports are taken before others get their turn; it takes some 10 ms."""


async def connect(ctx: Context, request: ConnectRequest) -> Sandbox:
    """Raises NotFound, InvalidParameter, Conflict, or InternalError with docker's words."""
    network = check(ctx.networks, request)
    if request.container_id in ctx.endpoints:
        raise Conflict(f"container {request.container_id} is on a network already")
    endpoint = _endpoint(network, request)
    async with AsyncExitStack() as undo:
        ctx.endpoints[endpoint.container_id] = endpoint
        undo.callback(ctx.endpoints.pop, endpoint.container_id)
        if network.driver != "host":
            place = await ctx.sandboxes.take()
            undo.callback(ctx.kernel.later, discard, place)
            endpoint.sandbox_id, endpoint.netns = place.id, place.path
            if network.driver != "null":
                _take_address(ctx, network, endpoint, undo)
                undo.callback(lambda: ctx.reservations.give_back(endpoint.leases))
                wishes = ports.wishes(
                    request.port_bindings, request.exposed_ports, publish_all=request.publish_all
                )
                await take_ports(ctx, endpoint, wishes, endpoint.leases)
            if (driver := ctx.drivers.get(network.id)) is not None:
                undo.callback(ctx.kernel.later, driver.leave, endpoint)
                await ctx.kernel.do(driver.join, endpoint, place)
            sysctls = _network_sysctls(request)
            if driver is not None:
                # The interface's own settings are the more particular.
                sysctls |= interface_sysctls(endpoint.asked.driver_opts)
            if sysctls:
                await ctx.kernel.do(apply_sysctls, place.path, sysctls)
            place.inside.close()
        ctx.store.insert_endpoint(endpoint)
        undo.pop_all()
    ctx.reservations.listen(endpoint.leases)
    ctx.sandboxes.refill_later()
    ctx.publish("connect", endpoint)
    return sandbox_of(ctx, endpoint)


def _endpoint(network: NetworkRecord, request: ConnectRequest) -> EndpointRecord:
    identifier = new_id()
    return EndpointRecord(
        id=identifier,
        container_id=request.container_id,
        container_name=request.container_name or short_id(request.container_id),
        network_id=network.id,
        network_name=network.name,
        link=link_name(identifier) if network.address else "",
        asked=request.settings or EndpointSettings(),
        exposed=ports.exposed(request.port_bindings, request.exposed_ports),
    )


def _take_address(
    ctx: Context, network: NetworkRecord, endpoint: EndpointRecord, undo: AsyncExitStack
) -> None:
    interface = network.interface
    taken = ctx.addresses[network.id]
    address = ipam.next_free(interface.network, network.range, taken, ctx.last_address.get(network.id))
    taken.add(address)
    ctx.last_address[network.id] = address
    undo.callback(taken.discard, address)
    endpoint.address = str(IPv4Interface((address, interface.network.prefixlen)))
    endpoint.gateway = str(interface.ip)
    asked = endpoint.asked.mac_address
    endpoint.mac = hardware_address(asked) if asked else ipam.mac_of(address)


async def take_ports(
    ctx: Context, endpoint: EndpointRecord, wishes: Iterable[ports.Wish], taken: list[ports.Lease]
) -> None:
    """Adds to `taken` as it goes. Raises InternalError, in docker's words."""
    address = str(endpoint.ip)
    for number, wish in enumerate(wishes, start=1):
        if number % _AT_ONCE == 0:
            await asyncio.sleep(0)
        try:
            taken.append(ctx.reservations.take(wish, address))
        except InternalError as error:
            raise InternalError(
                f"driver failed programming external connectivity on endpoint {endpoint.container_name} "
                f"({endpoint.id}): {error.message}"
            ) from None


def _network_sysctls(request: ConnectRequest) -> dict[str, str]:
    return {
        name: value for name, value in (request.sysctls or {}).items() if name.startswith(_NETWORK_SYSCTLS)
    }
