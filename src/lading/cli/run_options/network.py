"""Networks, names and addresses."""

from __future__ import annotations

import _socket

from lading.cli.errors import BadValue, UsageError
from lading.cli.flags import Flag
from lading.cli.run_options.fields import comma_fields
from lading.cli.say import err
from lading.cli.values import whole_number

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from lading.cli.flags import Given


def canonical_address(text: str) -> str | None:
    """An IP address in its usual spelling, or None."""
    for family in (_socket.AF_INET, _socket.AF_INET6):
        try:
            return _socket.inet_ntop(family, _socket.inet_pton(family, text))
        except (OSError, ValueError):
            continue
    return None


def read_extra_host(text: str) -> str:
    """name:address or name=address, as name:address. Raises BadValue."""
    separator = "=" if "=" in text else ":"
    name, found, address = text.partition(separator)
    if not (found and name):
        raise BadValue(f'bad format for add-host: "{text}"')
    if address.startswith("[") and address.endswith("]"):
        address = address[1:-1]
    if address != "host-gateway" and canonical_address(address) is None:
        raise BadValue(f'invalid IP address in add-host: "{address}"')
    return f"{name}:{address}"


def read_dns_server(text: str) -> str:
    """Raises BadValue."""
    address = canonical_address(text.strip())
    if address is None:
        raise BadValue(f"IP address is not correctly formatted: {text}")
    return address


def read_search_domain(text: str) -> str:
    """A DNS search domain; "." stands for none. Raises BadValue."""
    domain = text.strip()
    if domain == ".":
        return domain
    labels = domain.removesuffix(".").split(".")
    if len(domain) > 255 or not all(map(_is_label, labels)) or not any(map(str.isalpha, domain)):
        raise BadValue(f"{text} is not a valid domain")
    return ".".join(labels)


def _is_label(label: str) -> bool:
    inner = label.replace("-", "")
    return inner.isalnum() and inner.isascii() and label.strip("-") == label


def read_link(text: str) -> str:
    """Raises BadValue."""
    if text.count(":") > 1 or not text:
        raise BadValue(f"bad format for links: {text}")
    return text


def read_network(text: str) -> dict[str, Any]:
    """A network's name, or name=…,alias=…,ip=… and so on. Raises BadValue."""
    if not any("=" in field for field in text.split(",")) or not _is_long_form(text):
        if "," in text and _is_long_form(text, anywhere=True):
            raise BadValue(f"invalid field {text.partition(',')[0]}")
        return {"name": text}
    wanted: dict[str, Any] = {}
    for field in comma_fields(text):
        name, equals, value = field.partition("=")
        if not equals:
            raise BadValue(f"invalid field {field}")
        _read_network_field(wanted, name.strip().lower(), value.strip(), name)
    if not wanted.get("name"):
        raise BadValue("network name/id is not specified")
    return wanted


_KNOWN_FIELDS = ("name", "alias", "ip", "ip6", "mac-address", "link-local-ip", "driver-opt", "gw-priority")


def _is_long_form(text: str, anywhere: bool = False) -> bool:
    fields = text.split(",")
    heads = [field.partition("=") for field in (fields if anywhere else fields[:1])]
    return any(equals and value and value == value.lstrip() and name for name, equals, value in heads)


def _read_network_field(wanted: dict[str, Any], name: str, value: str, written: str) -> None:
    if name in ("alias", "link-local-ip"):
        wanted.setdefault(name, []).append(value)
    elif name == "driver-opt":
        key, equals, option = value.lower().partition("=")
        if not equals:
            raise BadValue("invalid key value pair format in driver options")
        wanted.setdefault(name, {})[key.strip()] = option.strip()
    elif name == "gw-priority":
        priority = whole_number(value)
        if priority is None:
            raise BadValue(f"invalid gw-priority ({value}): invalid syntax")
        wanted[name] = priority
    elif name in _KNOWN_FIELDS:
        wanted[name] = value
    else:
        raise BadValue(f"invalid field key {written}")


FLAGS = (
    Flag("add-host", "", "list", "Name an address in /etc/hosts: host:ip", check=read_extra_host),
    Flag("dns", "", "list", "DNS server to ask", check=read_dns_server),
    Flag("dns-option", "", "list", "Option for the resolver", other="dns-opt"),
    Flag("dns-search", "", "list", "Domain to search names in", check=read_search_domain),
    Flag("ip", "", "string", "IPv4 address on the network (such as 172.30.100.104)"),
    Flag("ip6", "", "string", "IPv6 address on the network (such as 2001:db8::33)"),
    Flag("link", "", "list", "Make another container known by name", check=read_link),
    Flag("link-local-ip", "", "list", "Additional link-local address"),
    Flag("mac-address", "", "string", "MAC address (such as 92:d0:c6:0a:29:33)"),
    Flag("network", "", "network", "Network to join", gathers=True, check=read_network, other="net"),
    Flag("network-alias", "", "list", "Further name on the network", other="net-alias"),
)

_UNNAMED_NETWORKS = ("default", "bridge", "host", "none")


def is_user_defined(network: str) -> bool:
    """Whether a network mode names a network a user has made."""
    return network not in _UNNAMED_NETWORKS and not network.startswith("container:")


def fill(given: Given, body: dict[str, Any], host: dict[str, Any]) -> None:
    """Raises UsageError."""
    _warn_of_local_servers(given["dns"])
    host["Dns"] = given["dns"]
    host["DnsOptions"] = given["dns-option"]
    host["DnsSearch"] = given["dns-search"]
    host["ExtraHosts"] = given["add-host"] or None
    host["Links"] = given["link"] or None
    networks: list[dict[str, Any]] = given["network"] or [{"name": "default"}]
    if not networks[0]["name"]:
        raise UsageError("lading: no name set for network")
    host["NetworkMode"] = networks[0]["name"]
    kinds = {is_user_defined(network["name"]) for network in networks}
    if len(kinds) > 1:
        raise UsageError(
            "lading: conflicting options: cannot attach both user-defined and non-user-defined network-modes"
        )
    endpoints: dict[str, Any] = body["NetworkingConfig"]["EndpointsConfig"]
    for position, network in enumerate(networks):
        settings = _endpoint(_with_container_flags(given, network) if position == 0 else network)
        if network["name"] in endpoints:
            raise UsageError(f'lading: network "{network["name"]}" is specified multiple times')
        # A single network without settings is left to the engine, unless none was asked for at all.
        if len(given["network"]) != 1 or settings != EMPTY_ENDPOINT:
            endpoints[network["name"]] = settings


_CONTAINER_FLAGS = (
    ("network-alias", "alias", "per-network alias"),
    ("ip", "ip", "per-network IPv4 address"),
    ("ip6", "ip6", "per-network IPv6 address"),
    ("mac-address", "mac-address", "per-network MAC address"),
    ("link-local-ip", "link-local-ip", "per-network link-local IP addresses"),
)


def _with_container_flags(given: Given, network: dict[str, Any]) -> dict[str, Any]:
    """The first network together with the flags that are about it. Raises UsageError."""
    wanted = dict(network)
    for flag, field, words in _CONTAINER_FLAGS:
        if not given[flag]:
            continue
        if wanted.get(field):
            raise UsageError(f"lading: conflicting options: cannot specify both --{flag} and {words}")
        wanted[field] = given[flag]
    if given["link"] and is_user_defined(wanted["name"]):
        wanted["links"] = given["link"]
    return wanted


def _endpoint(wanted: dict[str, Any]) -> dict[str, Any]:
    if wanted.get("alias") and not is_user_defined(wanted["name"]):
        raise UsageError("lading: network-scoped aliases are only supported for user-defined networks")
    mac_address = wanted.get("mac-address", "")
    if mac_address and not _is_mac_address(mac_address):
        raise UsageError(f"lading: {mac_address} is not a valid mac address")
    addresses = {
        field: wanted[key]
        for field, key in (("IPv4Address", "ip"), ("IPv6Address", "ip6"), ("LinkLocalIPs", "link-local-ip"))
        if wanted.get(key)
    }
    return {
        **EMPTY_ENDPOINT,
        "IPAMConfig": addresses or None,
        "Links": wanted.get("links"),
        "Aliases": wanted.get("alias"),
        "MacAddress": mac_address,
        "DriverOpts": wanted.get("driver-opt"),
        "GwPriority": wanted.get("gw-priority", 0),
    }


EMPTY_ENDPOINT: dict[str, Any] = {
    "IPAMConfig": None,
    "Links": None,
    "Aliases": None,
    "MacAddress": "",
    "DriverOpts": None,
    "GwPriority": 0,
    "NetworkID": "",
    "EndpointID": "",
    "Gateway": "",
    "IPAddress": "",
    "IPPrefixLen": 0,
    "IPv6Gateway": "",
    "GlobalIPv6Address": "",
    "GlobalIPv6PrefixLen": 0,
    "DNSNames": None,
}


def _is_mac_address(text: str) -> bool:
    for separator, width in ((":", 2), ("-", 2), (".", 4)):
        if separator in text:
            groups = text.split(separator)
            right_length = len(groups) * width in (12, 16, 40)
            return right_length and all(len(group) == width and _is_hex(group) for group in groups)
    return False


def _is_hex(text: str) -> bool:
    return all(digit in "0123456789abcdefABCDEF" for digit in text)


def _warn_of_local_servers(servers: list[str]) -> None:
    for server in servers:
        if server.startswith("127.") or server == "::1":
            err(f"WARNING: Localhost DNS ({server}) may fail in containers.")
            return
