"""A container's ports in one line (pure)."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any


def host_and_port(address: str, port: object) -> str:
    """address:port, with brackets around an IPv6 address."""
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"


def show_ports(ports: Iterable[dict[str, Any]]) -> str:
    """ "0.0.0.0:8080->80/tcp, 443/tcp": neighbours that map to themselves are drawn together."""
    grouped: list[str] = []
    mapped: list[str] = []
    open_ranges: dict[tuple[str, str], list[int]] = {}
    for port in sorted(ports, key=_order):
        inside, address, protocol = port["PrivatePort"], port.get("IP", ""), port["Type"]
        outside = port.get("PublicPort", 0)
        if address and outside != inside:
            mapped.append(f"{host_and_port(address, outside)}->{inside}/{protocol}")
            continue
        found = open_ranges.get((address, protocol))
        if found is None:
            open_ranges[address, protocol] = [inside, inside]
        elif inside == found[1] + 1:
            found[1] = inside
        elif inside != found[1]:
            grouped.append(_range(address, protocol, *found))
            found[:] = [inside, inside]
    grouped.extend(_range(*key, *found) for key, found in open_ranges.items())
    return ", ".join(grouped + mapped)


def _order(port: dict[str, Any]) -> tuple[Any, ...]:
    return port["PrivatePort"], port.get("IP", ""), port.get("PublicPort", 0), port["Type"]


def _range(address: str, protocol: str, first: int, last: int) -> str:
    span = str(first) if first == last else f"{first}-{last}"
    return f"{host_and_port(address, span)}->{span}/{protocol}" if address else f"{span}/{protocol}"
