"""Making the default networks when the daemon starts, and taking them away when nobody needs them."""

import logging
import os
from dataclasses import dataclass
from ipaddress import IPv4Interface, IPv4Network

from lading.errors import LadingError
from lading.ids import new_id
from lading.linux import netlink
from lading.network import subnets
from lading.network.bridge import Bridge, Shape
from lading.network.claim import Claim
from lading.network.context import Context
from lading.network.contract import Driver
from lading.network.create import reserved
from lading.network.drivers import driver_of
from lading.network.record import NetworkRecord
from lading.network.release import sweep_links
from lading.network.settings import NetworkSettings
from lading.units import now_ns

_log = logging.getLogger(__name__)

_NAME_OPTION = "com.docker.network.bridge.name"
_USUAL_MTU = 1500


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the host's own network leaves us: routes not ours, and the MTU of its way out."""

    taken: tuple[IPv4Network, ...]
    mtu: int


async def open_networks(ctx: Context) -> None:
    """Reads what is known, makes bridge and table or puts them right, claims ports, fills the spares.

    Raises InvalidParameter for settings that cannot be, Conflict where another
    daemon has the bridge, InternalError where there is no subnet to be had.
    """
    ctx.settings.check()
    for network in ctx.store.networks():
        ctx.networks[network.name] = network
    for endpoint in ctx.store.endpoints():
        ctx.joined.setdefault(endpoint.container_id, []).append(endpoint)
    before = ctx.networks.get("bridge")
    bridge_name = _bridge_name(ctx, before)
    ctx.claim = Claim(bridge_name)
    await ctx.kernel.open()
    around = await ctx.kernel.do(_look_around, ctx, bridge_name)
    default = _settle(ctx, before, bridge_name, around)
    if before is not None and before.options[_NAME_OPTION] != bridge_name:
        old = Bridge(ctx.kernel, _shape(ctx.settings, before, before.options[_NAME_OPTION], 0))
        await ctx.kernel.do(old.remove)
    for name, driver in (("host", "host"), ("none", "null")):
        if name not in ctx.networks:
            _save(ctx, NetworkRecord(id=new_id(), name=name, driver=driver, created_ns=now_ns()))
    ctx.mtu = ctx.settings.mtu or around.mtu
    bridge = Bridge(ctx.kernel, _shape(ctx.settings, default, bridge_name, ctx.mtu))
    await _open(ctx, default, bridge)
    for network in ctx.networks.values():
        if not network.predefined and not network.config_only:
            await _open_defined(ctx, network)
    await ctx.sandboxes.refill()


def _bridge_name(ctx: Context, before: NetworkRecord | None) -> str:
    """The bridge's name; a change waits until no container is on it."""
    wanted = ctx.settings.bridge
    if before is not None and before.options[_NAME_OPTION] != wanted and _in_use(ctx):
        _log.warning("the bridge's new name %s has to wait: containers use the old one", wanted)
        return before.options[_NAME_OPTION]
    return wanted


def _in_use(ctx: Context) -> bool:
    return any(endpoint.address and os.path.exists(endpoint.netns) for endpoint in ctx.everyone())


def _look_around(ctx: Context, bridge: str) -> Surroundings:
    """Runs in the kernel's thread."""
    route = ctx.kernel.route
    links = {link.index: link for link in netlink.links(route)}
    taken, mtu = [], 0
    for each in netlink.routes(route):
        link = links.get(each.link)
        if link is not None and link.name == bridge:
            continue
        taken.append(each.destination)
        if not each.destination.prefixlen and link is not None and link.mtu < _USUAL_MTU:
            mtu = link.mtu
    return Surroundings(tuple(taken), mtu)


def _settle(
    ctx: Context, before: NetworkRecord | None, bridge_name: str, around: Surroundings
) -> NetworkRecord:
    """The default bridge's record, with its subnet; a change waits until no container is on it."""
    asked = ctx.settings.address
    known = before.interface if before is not None else None
    if known is not None and _in_use(ctx):
        if asked not in (None, known):
            _log.warning("the bridge's new address %s has to wait: containers use the old subnet", asked)
        address: IPv4Interface = known
    else:
        address = subnets.choose(asked, known, around.taken)
    pool = ctx.settings.pool
    if pool is not None and not pool.subnet_of(address.network):
        _log.warning(
            "fixed-cidr %s is not within the bridge's subnet %s; it is ignored", pool, address.network
        )
        pool = None
    network = NetworkRecord(
        id=before.id if before is not None else new_id(),
        name="bridge",
        driver="bridge",
        created_ns=before.created_ns if before is not None else now_ns(),
        address=str(address),
        pool=str(pool) if pool is not None else "",
        options=_options(ctx.settings, bridge_name, ctx.settings.mtu or around.mtu or _USUAL_MTU),
    )
    _save(ctx, network)
    return network


def _options(settings: NetworkSettings, bridge_name: str, mtu: int) -> dict[str, str]:
    def boolean(value: bool) -> str:
        return "true" if value else "false"

    return {
        "com.docker.network.bridge.default_bridge": "true",
        "com.docker.network.bridge.enable_icc": boolean(settings.icc),
        "com.docker.network.bridge.enable_ip_masquerade": boolean(settings.ip_masq),
        "com.docker.network.bridge.host_binding_ipv4": "0.0.0.0",
        _NAME_OPTION: bridge_name,
        "com.docker.network.driver.mtu": str(mtu),
    }


def _save(ctx: Context, network: NetworkRecord) -> None:
    ctx.networks[network.name] = network
    ctx.store.save_network(network)


def _shape(settings: NetworkSettings, network: NetworkRecord, name: str, mtu: int) -> Shape:
    return Shape(name, network.interface, mtu, settings.icc, settings.ip_masq)


async def _open_defined(ctx: Context, network: NetworkRecord) -> None:
    """A network that cannot be had, for its parent is gone, say, is no reason not to start."""
    try:
        await _open(ctx, network, driver_of(ctx, network))
    except LadingError as error:
        _log.error("network %s cannot be used: %s", network.name, error.message)


async def _open(ctx: Context, network: NetworkRecord, driver: Driver) -> None:
    members = [endpoint for endpoint in ctx.everyone() if endpoint.network_id == network.id]
    ctx.addresses[network.id] = reserved(network) | {each.ip for each in members if each.address}
    # After the machine's own restart nothing of them is left to lead to.
    alive = [endpoint for endpoint in members if os.path.exists(endpoint.netns)]
    published = {lease: endpoint.ip for endpoint in alive for lease in endpoint.leases}
    await ctx.kernel.do(driver.open, published)
    ctx.drivers[network.id] = driver
    ctx.reservations.retake(lease for lease in published if lease.port)


async def close_networks(ctx: Context) -> None:
    """Lets go of everything. A network no container is on is taken away; the others stay as they are."""
    links_linger = ctx.sweeping
    await ctx.background.cancel()
    if links_linger:
        await ctx.kernel.do(sweep_links, ctx)
    ctx.reservations.close()
    await ctx.sandboxes.close()
    for network_id, driver in ctx.drivers.items():
        if not any(endpoint.network_id == network_id for endpoint in ctx.everyone()):
            await ctx.kernel.do(driver.remove)
    await ctx.kernel.close()
    if ctx.claim is not None:
        ctx.claim.release()
