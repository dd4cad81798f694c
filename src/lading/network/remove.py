"""Removing networks: one, or all that nobody uses."""

from collections.abc import Iterable

from lading.errors import Forbidden, InvalidParameter, LadingError
from lading.filters import Filters
from lading.ids import short_id
from lading.network import view
from lading.network.context import Context
from lading.network.record import EndpointRecord, NetworkRecord
from lading.units import now_ns, parse_moment


async def remove(ctx: Context, reference: str) -> None:
    """Raises NotFound, Forbidden where it is predefined or in use, InternalError."""
    network = view.find(tuple(ctx.networks.values()), reference)
    if network.predefined:
        raise Forbidden(f"{network.name} is a pre-defined network and cannot be removed")
    if network.config_only and _borrowers(ctx, network):
        raise Forbidden(f'error while removing network: configuration network "{network.name}" is in use')
    members = [each for each in ctx.everyone() if each.network_id == network.id]
    if members:
        raise Forbidden(
            f"error while removing network: network {network.name} has active endpoints ({_words(members)})"
        )
    await _remove(ctx, network)


def _words(members: Iterable[EndpointRecord]) -> str:
    return ", ".join(f'name:"{each.container_name}" id:"{short_id(each.id)}"' for each in members)


def _borrowers(ctx: Context, network: NetworkRecord) -> bool:
    return any(each.config_from == network.name for each in ctx.networks.values())


async def _remove(ctx: Context, network: NetworkRecord) -> None:
    # From here on nobody can join it.
    driver = ctx.drivers.pop(network.id, None)
    try:
        if driver is not None:
            await ctx.kernel.do(driver.remove)
        ctx.store.delete_network(network)
    except LadingError:
        if driver is not None:
            ctx.drivers[network.id] = driver
        raise
    del ctx.networks[network.name]
    ctx.addresses.pop(network.id, None)
    ctx.last_address.pop(network.id, None)
    if not network.config_only:
        ctx.tell("network", "destroy", network.id, {"name": network.name, "type": network.driver})


async def prune(ctx: Context, filters: Filters) -> list[str]:
    """Removes user-defined networks no container is on; their names. Raises InvalidParameter."""
    before_ns = _until(filters)
    used = {endpoint.network_id for endpoint in ctx.everyone()}
    gone = []
    for network in list(ctx.networks.values()):
        if network.predefined or network.id in used or network.name not in ctx.networks:
            continue
        if before_ns is not None and network.created_ns > before_ns:
            continue
        if not filters.labels(network.labels) or _spared(filters, network):
            continue
        if network.config_only and _borrowers(ctx, network):
            continue
        await remove(ctx, network.id)
        gone.append(network.name)
    ctx.tell("network", "prune", "", {"reclaimed": "0"})
    return gone


def _spared(filters: Filters, network: NetworkRecord) -> bool:
    return "label!" in filters and filters.labels(network.labels, "label!")


def _until(filters: Filters) -> int | None:
    moments = filters.get("until")
    if len(moments) > 1:
        raise InvalidParameter("more than one until filter specified")
    return parse_moment(moments[0], now_ns()) if moments else None
