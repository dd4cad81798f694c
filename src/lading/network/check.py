"""Whether a container may ask this of a network; asked when it is created and when it starts. Pure."""

import re
from collections.abc import Mapping
from ipaddress import IPv4Address, IPv4Interface, ip_address

from lading.errors import InvalidParameter, NotFound
from lading.network import ports
from lading.network.endpoint_options import interface_name, interface_sysctls
from lading.network.record import ConnectRequest, NetworkRecord
from lading.schema.container import EndpointSettings

_MAC = re.compile(r"[0-9a-fA-F]{2}([:-][0-9a-fA-F]{2}){5}\Z")
_GROUP_BIT = 1
_LINK_LOCAL_PREFIX = 16


def check(networks: Mapping[str, NetworkRecord], request: ConnectRequest) -> NetworkRecord:
    """The network asked for. Raises NotFound or InvalidParameter."""
    mode = "bridge" if request.mode in ("", "default") else request.mode
    network = networks.get(mode) or next((each for each in networks.values() if each.id == mode), None)
    if network is None:
        raise NotFound(f"network {mode} not found")
    ports.wishes(request.port_bindings, request.exposed_ports, publish_all=request.publish_all)
    ports.exposed(request.port_bindings, request.exposed_ports)
    asked = request.settings
    if asked is None:
        return network
    wanted = asked.ipam_config
    problems = []
    if wanted is not None and (wanted.ipv4_address or wanted.ipv6_address):
        problems.append("user specified IP address is supported on user defined networks only")
    if asked.aliases:
        problems.append("network-scoped aliases are only supported for user-defined networks")
    if problems:
        said = problems[0] if len(problems) == 1 else "\n".join(f"* {problem}" for problem in problems)
        raise InvalidParameter(
            f"invalid config for network {network.name}: invalid endpoint settings:\n{said}"
        )
    if asked.mac_address:
        hardware_address(asked.mac_address)
    link_local_addresses(asked)
    interface_sysctls(asked.driver_opts)
    interface_name(asked.driver_opts)
    return network


def link_local_addresses(asked: EndpointSettings) -> list[IPv4Interface]:
    """Further addresses of the link, each in the subnet that needs no router. Raises InvalidParameter."""
    found = []
    for text in (asked.ipam_config.link_local_ips if asked.ipam_config else None) or ():
        try:
            address = ip_address(text)
        except ValueError:
            raise InvalidParameter(f"invalid link-local IP address: {text}") from None
        if not isinstance(address, IPv4Address):
            raise InvalidParameter(f"invalid link-local IP address: {text}: this network has no IPv6")
        found.append(IPv4Interface((address, _LINK_LOCAL_PREFIX)))
    return found


def hardware_address(text: str) -> str:
    """A MAC address as the kernel writes it. Raises InvalidParameter."""
    if not _MAC.match(text):
        raise InvalidParameter(f"invalid MAC address: {text}")
    address = text.lower().replace("-", ":")
    if int(address[:2], 16) & _GROUP_BIT or address == "00:00:00:00:00:00":
        raise InvalidParameter(f"invalid MAC address: {text}: it names a group, not a single interface")
    return address
