"""Which driver carries a network."""

from lading.ids import short_id
from lading.network.bridge import Bridge, Shape
from lading.network.bridge_options import bridge_options, read_mtu
from lading.network.context import Context
from lading.network.contract import Driver
from lading.network.parent_link import ParentLink
from lading.network.parents import parent_options
from lading.network.record import NetworkRecord
from lading.network.ruleset import ISOLATED


def link_of(network: NetworkRecord) -> str:
    """The host's link that a network is made of."""
    if network.driver == "bridge":
        return bridge_options(network.options).name or f"br-{short_id(network.id)}"
    return parent_options(network.driver, network.options).parent or f"dm-{short_id(network.id)}"


def driver_of(ctx: Context, network: NetworkRecord) -> Driver:
    """The driver of a user-defined network."""
    if network.driver != "bridge":
        return ParentLink(
            ctx.kernel,
            network.driver,
            network.link,
            parent_options(network.driver, network.options),
            read_mtu(network.options),
            found=network.link_found,
        )
    options = bridge_options(network.options)
    shape = Shape(
        name=network.link,
        interface=network.interface,
        mtu=options.mtu or ctx.mtu,
        icc=options.icc,
        masquerade=options.masquerade,
        internal=network.internal,
        mode=options.mode,
        addressed=not options.inhibit and options.mode != ISOLATED,
        found=network.link_found,
    )
    return Bridge(ctx.kernel, shape)
