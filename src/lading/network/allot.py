"""What an endpoint gets of its network: address, hardware address, names, host ports."""

import asyncio
from collections.abc import Iterable
from contextlib import AsyncExitStack
from ipaddress import IPv4Address, IPv4Interface

from lading.errors import Conflict, Forbidden, InternalError
from lading.ids import new_id, short_id
from lading.network import ipam, ports
from lading.network.bridge_options import bridge_options
from lading.network.check import hardware_address
from lading.network.context import Context
from lading.network.links import link_name
from lading.network.naming import dns_names
from lading.network.record import ConnectRequest, EndpointRecord, NetworkRecord
from lading.network.ruleset import ROUTED
from lading.schema.container import EndpointSettings

_AT_ONCE = 500
"""So many ports are taken before others get their turn; it takes some 10 ms."""


def endpoint_for(network: NetworkRecord, asked: EndpointSettings, request: ConnectRequest) -> EndpointRecord:
    """The record of a container's place on a network, before it has anything of it."""
    identifier = new_id()
    name = request.container_name or short_id(request.container_id)
    aliases = asked.aliases or ()
    return EndpointRecord(
        id=identifier,
        container_id=request.container_id,
        container_name=name,
        network_id=network.id,
        network_name=network.name,
        link=link_name(identifier) if network.driver == "bridge" else "",
        asked=asked,
        exposed=ports.exposed(request.port_bindings, request.exposed_ports),
        names=[] if network.predefined else dns_names(request.container_id, name, request.hostname, aliases),
        dns=request.dns or [],
        dns_options=request.dns_options or [],
    )


def sandbox_alone(request: ConnectRequest) -> EndpointRecord:
    """Stands for a sandbox that is on no network, so that it is kept."""
    return EndpointRecord(
        id=new_id(),
        container_id=request.container_id,
        container_name=request.container_name or short_id(request.container_id),
        network_id="",
        network_name="",
        leads_out=False,
    )


def allot(ctx: Context, endpoint: EndpointRecord, undo: AsyncExitStack) -> bool:
    """Gives an endpoint its addresses; whether its network makes a link for it.

    Raises Conflict, Forbidden where a fixed address is taken, InternalError where
    none is left.
    """
    network = ctx.network(endpoint)
    if network is None or network.driver in ("null", "host"):
        return False
    if network.id not in ctx.drivers:
        raise Conflict(f"network {network.name} is being made or removed")
    asked = endpoint.asked.mac_address
    if not network.address:
        endpoint.mac = hardware_address(asked) if asked else ""
        return True
    interface = network.interface
    address = _address(ctx, network, endpoint.asked)
    taken = ctx.addresses[network.id]
    taken.add(address)
    undo.callback(taken.discard, address)
    endpoint.address = str(IPv4Interface((address, interface.network.prefixlen)))
    endpoint.gateway = "" if network.internal else str(interface.ip)
    endpoint.mac = hardware_address(asked) if asked else ipam.mac_of(address)
    return True


def _address(ctx: Context, network: NetworkRecord, asked: EndpointSettings) -> IPv4Address:
    taken = ctx.addresses[network.id]
    fixed = asked.ipam_config.ipv4_address if asked.ipam_config else ""
    if fixed:
        address = IPv4Address(fixed)
        if address in taken:
            raise Forbidden("Address already in use")
        return address
    address = ipam.next_free(
        network.interface.network, network.range, taken, ctx.last_address.get(network.id)
    )
    ctx.last_address[network.id] = address
    return address


def publishes(network: NetworkRecord | None) -> bool:
    """Whether host ports can lead to a network's containers."""
    return network is not None and network.driver == "bridge" and not network.internal


async def take_published(ctx: Context, endpoint: EndpointRecord, request: ConnectRequest) -> None:
    """Takes the ports a container publishes, on the network that leads out. Raises InternalError."""
    network = ctx.network(endpoint)
    if network is None or not publishes(network):
        return
    options = bridge_options(network.options)
    wishes = ports.wishes(
        request.port_bindings,
        request.exposed_ports,
        publish_all=request.publish_all,
        anywhere=options.host_binding,
    )
    if options.mode == ROUTED:
        opened = dict.fromkeys(ports.Lease(wish.proto, "", 0, wish.target) for wish in wishes)
        endpoint.leases.extend(opened)
        return
    await take_ports(ctx, endpoint, wishes, endpoint.leases)


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
