"""The text of a container's /etc/hosts. Pure."""

from collections.abc import Iterable
from ipaddress import ip_address

from lading.errors import InvalidParameter
from lading.network.record import Sandbox

HOST_GATEWAY = "host-gateway"

_FIRST_LINES = (
    ("127.0.0.1", "localhost"),
    ("::1", "localhost ip6-localhost ip6-loopback"),
    ("fe00::", "ip6-localnet"),
    ("ff00::", "ip6-mcastprefix"),
    ("ff02::1", "ip6-allnodes"),
    ("ff02::2", "ip6-allrouters"),
)


def hosts_text(
    sandbox: Sandbox,
    hostname: str,
    domainname: str,
    extra_hosts: Iterable[str],
    linked: Iterable[tuple[str, str]] = (),
) -> str:
    """Localhost, the names asked for, then the container's own, as docker orders them.

    `linked` are addresses and names of other containers.

    A container on the host's own network shares the host's file, unless it
    asks for more names. Raises InvalidParameter for a malformed extra host.
    """
    extra = [_extra_host(entry, sandbox.host_gateway) for entry in extra_hosts]
    if sandbox.host_hosts is not None and not extra:
        return sandbox.host_hosts
    lines = [*_FIRST_LINES, *extra, *linked]
    names = f"{hostname}.{domainname} {hostname}" if domainname else hostname
    own = sandbox.addresses or [sandbox.address]
    lines += [(address, names) for address in own if address]
    return "".join(f"{address}\t{names}\n" for address, names in lines)


def check_extra_hosts(entries: Iterable[str]) -> None:
    """Raises InvalidParameter, in docker's words, for one that is malformed."""
    for entry in entries:
        _name_and_address(entry)


def _extra_host(entry: str, gateway: str) -> tuple[str, str]:
    name, address = _name_and_address(entry)
    if address != HOST_GATEWAY:
        return address, name
    if not gateway:
        raise InvalidParameter("unable to derive the IP value for host-gateway")
    return gateway, name


def _name_and_address(entry: str) -> tuple[str, str]:
    split = min((entry.find(mark) for mark in "=:" if mark in entry), default=-1)
    if split < 1:
        raise InvalidParameter(f'bad format for add-host: "{entry}"')
    name, address = entry[:split], entry[split + 1 :]
    if address == HOST_GATEWAY:
        return name, address
    try:
        return name, str(ip_address(address.strip("[]")))
    except ValueError:
        raise InvalidParameter(f'invalid IP address in add-host: "{address}"') from None
