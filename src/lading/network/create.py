"""Making a network."""

from contextlib import AsyncExitStack
from ipaddress import IPv4Address, IPv4Network

from lading.errors import Forbidden
from lading.ids import new_id
from lading.linux import netlink
from lading.network import subnets
from lading.network.context import Context
from lading.network.definition import define
from lading.network.drivers import driver_of, link_of
from lading.network.record import NetworkRecord
from lading.schema.network import NetworkCreateBody
from lading.units import now_ns


async def create(ctx: Context, body: NetworkCreateBody) -> str:
    """The new network's ID.

    Its record is there before its parts are: what an engine that is killed
    leaves half made, the next one completes. Raises InvalidParameter, Forbidden,
    NotFound, Conflict, Unsupported, InternalError, in docker's words.
    """
    identifier = new_id()
    define(body, ctx.networks, identifier, 0)
    routes = await ctx.kernel.do(foreign_routes, ctx)
    # Meanwhile another one may have taken the name, or the subnet.
    network = define(body, ctx.networks, identifier, now_ns())
    if network.config_only:
        ctx.networks[network.name] = network
        ctx.store.save_network(network)
        return network.id
    _settle_subnet(ctx, network, routes)
    network.link = link_of(network)
    _check_link(ctx, network)
    async with AsyncExitStack() as undo:
        ctx.networks[network.name] = network
        undo.callback(ctx.networks.pop, network.name)
        link = await ctx.kernel.do(netlink.link, ctx.kernel.route, network.link)
        network.link_found = link is not None
        ctx.store.save_network(network)
        undo.callback(ctx.store.delete_network, network)
        driver = driver_of(ctx, network)
        undo.callback(ctx.kernel.later, driver.remove)
        await ctx.kernel.do(driver.open, {})
        undo.pop_all()
    ctx.addresses[network.id] = reserved(network)
    ctx.drivers[network.id] = driver
    ctx.tell("network", "create", network.id, {"name": network.name, "type": network.driver})
    return network.id


def reserved(network: NetworkRecord) -> set[IPv4Address]:
    """Addresses no container gets."""
    if not network.address:
        return set()
    return {network.interface.ip, *map(IPv4Address, network.auxiliary.values())}


def _settle_subnet(ctx: Context, network: NetworkRecord, routes: list[IPv4Network]) -> None:
    taken = [each.interface.network for each in ctx.networks.values() if each.address]
    if network.address:
        subnets.check_free(network.interface.network, taken)
        return
    pool = subnets.first_free(ctx.settings.pools, [*taken, *routes])
    network.address = f"{pool.network_address + 1}/{pool.prefixlen}"


def foreign_routes(ctx: Context) -> list[IPv4Network]:
    """Where the host's routes lead to, but for the one to everywhere. Runs in the kernel's thread."""
    return [route.destination for route in netlink.routes(ctx.kernel.route) if route.destination.prefixlen]


def _check_link(ctx: Context, network: NetworkRecord) -> None:
    if network.driver != "bridge":
        return
    for other in ctx.networks.values():
        if other.link == network.link or (other.name == "bridge" and ctx.settings.bridge == network.link):
            raise Forbidden(
                f"cannot create network {network.id} ({network.link}): conflicts with network {other.id} "
                f"({network.link}): networks have same bridge name"
            )
