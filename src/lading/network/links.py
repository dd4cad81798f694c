"""What the links of all drivers have in common: their names, and what is set inside a sandbox.

Runs in the kernel's thread.
"""

import re
from ipaddress import IPv4Address, IPv4Interface

from lading.linux import netlink
from lading.network.check import link_local_addresses
from lading.network.endpoint_options import interface_name
from lading.network.record import EndpointRecord

OUR_LINK = re.compile(r"veth[0-9a-f]{7}\Z")


def link_name(endpoint_id: str) -> str:
    """The host's end of an endpoint's link. It follows from the ID, so that strays can be told."""
    return f"veth{endpoint_id[:7]}"


def inner_name(endpoint: EndpointRecord) -> str:
    """What the interface is called inside; records of older engines do not say it."""
    return endpoint.interface or interface_name(endpoint.asked.driver_opts)


def set_up(inside: netlink.Socket, index: int, endpoint: EndpointRecord) -> None:
    """Brings an interface up with its addresses and the default route, where that is by it."""
    messages = [netlink.set_link(index)]
    if endpoint.address:
        messages.append(netlink.add_address(index, IPv4Interface(endpoint.address)))
    if endpoint.leads_out and endpoint.gateway:
        messages.append(netlink.add_default_route(IPv4Address(endpoint.gateway), index))
    messages += [netlink.add_address(index, more) for more in link_local_addresses(endpoint.asked)]
    inside.send(*messages)


def lead_out(inside: netlink.Socket, endpoint: EndpointRecord | None) -> None:
    """Makes the default route lead by that endpoint, or nowhere."""
    for route in netlink.routes(inside):
        if not route.destination.prefixlen and route.gateway is not None:
            inside.send(netlink.delete_default_route(route.gateway, route.link))
    if endpoint is None:
        return
    link = netlink.link(inside, inner_name(endpoint))
    if link is not None:
        inside.send(netlink.add_default_route(IPv4Address(endpoint.gateway), link.index))
