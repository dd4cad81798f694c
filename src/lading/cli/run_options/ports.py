"""Ports: exposed to other containers, published on the host."""

from __future__ import annotations

from lading.cli.errors import UsageError
from lading.cli.flags import Flag
from lading.cli.run_options.network import canonical_address

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from lading.cli.flags import Given

FLAGS = (
    Flag("expose", "", "list", "Make a port, or a range of ports, known: 80, 80-90/udp"),
    Flag("publish", "p", "list", "Publish a container's port on the host: [[ip:]host-port:]port[/protocol]"),
    Flag("publish-all", "P", "", "Publish all exposed ports on free ports of the host"),
)

_PROTOCOLS = ("tcp", "udp", "sctp")


def fill(given: Given, body: dict[str, Any], host: dict[str, Any]) -> None:
    """Raises UsageError."""
    bindings: dict[str, list[dict[str, str]]] = {}
    for text in given["publish"]:
        for port, binding in parse_publish(short_form(text)):
            bindings.setdefault(port, []).append(binding)
    exposed = list(bindings)
    for text in given["expose"]:
        exposed.extend(_parse_expose(text))
    host["PortBindings"] = bindings
    host["PublishAllPorts"] = given["publish-all"]
    if exposed:
        body["ExposedPorts"] = {port: {} for port in exposed}


def _parse_expose(text: str) -> list[str]:
    if ":" in text:
        raise UsageError(f"lading: invalid port format for --expose: {text}")
    ports, _, protocol = text.partition("/")
    protocol = protocol.partition("/")[0] or "tcp"
    if not ports:
        reason = "empty string specified for ports"
    else:
        ends = ports.split("-", 1)
        reason = next((trouble for trouble in map(_port_trouble, ends) if trouble), "")
        if not reason and int(ends[0]) > int(ends[-1]):
            reason = f"invalid range specified for port: {ports}"
    if reason:
        raise UsageError(f"lading: invalid range format for --expose: {text}, error: {reason}")
    return [f"{port}/{protocol}" for port in range(int(ends[0]), int(ends[-1]) + 1)]


def _port_trouble(text: str) -> str:
    if not (text.isascii() and text.isdecimal()):
        return f'strconv.ParseUint: parsing "{text}": invalid syntax'
    if int(text) > 65535:
        return f'strconv.ParseUint: parsing "{text}": value out of range'
    return ""


def short_form(text: str) -> str:
    """`published=8080,target=80,protocol=udp` as `8080:80/udp`. Raises UsageError."""
    if "=" not in text:
        return text
    fields = {}
    for field in text.split(","):
        name, equals, value = field.partition("=")
        if not equals:
            raise UsageError(f"lading: invalid publish opts format (should be name=value but got '{field}')")
        fields[name.strip()] = value.strip()
    published, target = fields.get("published", ""), fields.get("target", "")
    return f"{published}:{target}/{fields.get('protocol', 'tcp')}"


def parse_publish(text: str) -> list[tuple[str, dict[str, str]]]:
    """Pairs of a container's port ("80/tcp") and where on the host it goes. Raises UsageError."""
    address_and_host, _, container = text.rpartition(":")
    address, _, host = address_and_host.rpartition(":")
    container, _, protocol = container.partition("/")
    protocol = (protocol.partition("/")[0] or "tcp").lower()
    address = _bare_address(address)
    if not container:
        raise UsageError(f"lading: no port specified: {text}<empty>")
    first, last = _port_range(container, "containerPort")
    if protocol not in _PROTOCOLS:
        raise UsageError(f"lading: invalid proto: {protocol}")
    host_range = _port_range(host, "hostPort") if host else None
    if host_range and host_range[1] - host_range[0] != last - first and first != last:
        raise UsageError(
            f"lading: invalid ranges specified for container and host Ports: {container} and {host}"
        )
    pairs = []
    for offset in range(last - first + 1):
        chosen = ""
        if host_range:
            # One container port and a range on the host: the engine picks a free one of the range.
            chosen = host if first == last else str(host_range[0] + offset)
            if host_range[0] == host_range[1]:
                chosen = str(host_range[0])
        pairs.append((f"{first + offset}/{protocol}", {"HostIp": address, "HostPort": chosen}))
    return pairs


def _bare_address(text: str) -> str:
    if not text:
        return ""
    address = text
    if text.startswith("["):
        if not text.endswith("]"):
            raise UsageError(f"lading: invalid IP address {text}: address {text}:: missing ']' in address")
        address = text[1:-1]
    if canonical_address(address) is None:
        raise UsageError(f"lading: invalid IP address: {text}")
    return address


def _port_range(text: str, name: str) -> tuple[int, int]:
    first, dash, last = text.partition("-")
    ends = (first, last if dash else first)
    if any(map(_port_trouble, ends)) or int(ends[0]) > int(ends[1]):
        raise UsageError(f"lading: invalid {name}: {text}")
    return int(ends[0]), int(ends[1])
