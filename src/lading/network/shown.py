"""What others see of an endpoint, and of the host's name resolution."""

from collections.abc import Sequence
from contextlib import suppress

import msgspec

from lading.network import ports, resolv
from lading.network.context import Context
from lading.network.record import EndpointRecord, NetworkRecord, Sandbox
from lading.schema.container import EndpointSettings

_HOSTS_FILE = "/etc/hosts"


def sandbox_of(ctx: Context, endpoints: Sequence[EndpointRecord]) -> Sandbox:
    """The sandbox of a container with its networks."""
    shown = {each.network_name: settings_view(each) for each in endpoints if each.network_name}
    leader = next((each for each in endpoints if each.leads_out), endpoints[0])
    shares_host = not leader.netns
    settings = shown.get(leader.network_name, EndpointSettings())
    resolv_file, resolv_conf = host_resolv_conf(shares_host=shares_host)
    return Sandbox(
        sandbox_id=leader.sandbox_id,
        netns_path=leader.netns,
        network_name=leader.network_name,
        endpoint=settings,
        networks=shown,
        addresses=[str(each.ip) for each in endpoints if each.address],
        resolver=ctx.resolver if any(each.names for each in endpoints) else "",
        ports=ports.view(leader.exposed, leader.leases) if leader.address else {},
        gateway=leader.gateway,
        address=settings.ip_address,
        host_gateway=_host_gateway(ctx.networks),
        host_hosts=_read(_HOSTS_FILE) if shares_host else None,
        host_resolv_conf=resolv_conf,
        host_resolv_file=resolv_file,
    )


def settings_view(endpoint: EndpointRecord) -> EndpointSettings:
    """What was asked for, with what it got filled in."""
    address, _, prefix = endpoint.address.partition("/")
    return msgspec.structs.replace(
        endpoint.asked,
        mac_address=endpoint.mac,
        network_id=endpoint.network_id,
        endpoint_id=endpoint.id,
        gateway=endpoint.gateway,
        ip_address=address,
        ip_prefix_len=int(prefix or 0),
        dns_names=endpoint.names or None,
    )


def _host_gateway(networks: dict[str, NetworkRecord]) -> str:
    default = networks.get("bridge")
    return str(default.interface.ip) if default is not None else ""


def host_resolv_conf(*, shares_host: bool) -> tuple[str, str]:
    """The file that says whom the host asks, and its text: not whom systemd's stub does it for."""
    text = _read(resolv.HOST_FILE)
    if not shares_host and resolv.asks_systemd_stub(text) and (behind := _read(resolv.SYSTEMD_FILE)):
        return resolv.SYSTEMD_FILE, behind
    return resolv.HOST_FILE, text


def _read(path: str) -> str:
    with suppress(OSError), open(path, encoding="utf-8", errors="replace") as file:
        return file.read()
    return ""
