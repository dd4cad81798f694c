"""Whether a container may ask this of a network; asked when it is created and when it starts. Pure."""

import re
from collections.abc import Iterator, Mapping
from ipaddress import IPv4Address, IPv4Interface, ip_address

from lading.errors import Forbidden, InvalidParameter, NotFound
from lading.network import ports
from lading.network.endpoint_options import interface_name, interface_sysctls
from lading.network.leading import joining_order
from lading.network.record import ConnectRequest, NetworkRecord
from lading.schema.container import EndpointSettings

_MAC = re.compile(r"[0-9a-fA-F]{2}([:-][0-9a-fA-F]{2}){5}\Z")
_GROUP_BIT = 1
_LINK_LOCAL_PREFIX = 16


Wanted = list[tuple[NetworkRecord, EndpointSettings]]


def check(networks: Mapping[str, NetworkRecord], request: ConnectRequest) -> Wanted:
    """The networks asked for, in the order they are joined. Raises NotFound or InvalidParameter."""
    mode = "bridge" if request.mode in ("", "default") else request.mode
    asked = {mode: request.settings or EndpointSettings()} if request.networks is None else request.networks
    found = {reference: network_of(networks, reference) for reference in asked}
    ports.wishes(request.port_bindings, request.exposed_ports, publish_all=request.publish_all)
    ports.exposed(request.port_bindings, request.exposed_ports)
    for reference, settings in asked.items():
        check_settings(found[reference], settings)
    _check_mixture(list(found.values()))
    first = found[mode].name if mode in found else ""
    by_name = {found[reference].name: (found[reference], settings) for reference, settings in asked.items()}
    ranked = joining_order([(name, settings) for name, (_, settings) in by_name.items()], first)
    return [by_name[name] for name in ranked]


def network_of(networks: Mapping[str, NetworkRecord], reference: str) -> NetworkRecord:
    """By name or whole ID. Raises NotFound."""
    network = networks.get(reference) or next(
        (each for each in networks.values() if each.id == reference), None
    )
    if network is None:
        raise NotFound(f"network {reference} not found")
    if network.config_only:
        raise Forbidden(
            f"cannot create endpoint on configuration-only network {network.name}: "
            "it only lends its configuration to others"
        )
    return network


def _check_mixture(networks: list[NetworkRecord]) -> None:
    """A container on the host's network, or on none, is on no other one besides."""
    drivers = {network.driver for network in networks}
    if len(networks) > 1 and "host" in drivers:
        raise InvalidParameter(HOST_CONFLICT)
    if len(networks) > 1 and "null" in drivers:
        raise InvalidParameter(NONE_CONFLICT)


HOST_CONFLICT = "container cannot be disconnected from host network or connected to host network"
NONE_CONFLICT = (
    "container cannot be connected to multiple networks with one of the networks in private (none) mode"
)


def check_settings(network: NetworkRecord, asked: EndpointSettings) -> None:
    """Whether a container may ask this of that network. Raises InvalidParameter."""
    problems = []
    wanted = asked.ipam_config
    addressed = wanted is not None and (wanted.ipv4_address or wanted.ipv6_address)
    if network.predefined:
        if addressed:
            problems.append("user specified IP address is supported on user defined networks only")
        if asked.aliases:
            problems.append("network-scoped aliases are only supported for user-defined networks")
    elif wanted is not None and addressed:
        problems += _address_problems(network, wanted.ipv4_address, wanted.ipv6_address)
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


def _address_problems(network: NetworkRecord, ipv4: str, ipv6: str) -> Iterator[str]:
    if ipv6:
        yield "user specified IPv6 address is not supported: this engine's networks have no IPv6"
    if not ipv4:
        return
    try:
        address = IPv4Address(ipv4)
    except ValueError:
        yield f"invalid IPv4 address: {ipv4}"
        return
    if not network.subnet_asked:
        yield (
            "user specified IP address is supported only when connecting to networks with user "
            "configured subnets"
        )
    elif address not in network.interface.network:
        yield f"no configured subnet or ip-range contain the IP address {ipv4}"


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
