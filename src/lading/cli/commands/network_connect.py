"""`lading network connect`."""

from __future__ import annotations

from lading.cli.command import Command
from lading.cli.errors import CommandFailed
from lading.cli.flags import Flag
from lading.cli.run_options.fields import comma_fields, joined
from lading.cli.run_options.network import EMPTY_ENDPOINT, read_link

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from lading.cli.flags import Given
    from lading.cli.session import Session


def run(session: Session, given: Given) -> None:
    network, container = given.operands
    addresses = {
        member: value
        for value, member in (
            (given["ip"], "IPv4Address"),
            (given["ip6"], "IPv6Address"),
            (joined(given["link-local-ip"]), "LinkLocalIPs"),
        )
        if value
    }
    settings: dict[str, Any] = {
        **EMPTY_ENDPOINT,
        "IPAMConfig": addresses,
        "Links": given["link"] or None,
        "Aliases": joined(given["alias"]),
        "DriverOpts": _options(joined(given["driver-opt"])),
        "GwPriority": given["gw-priority"],
    }
    body = {"Container": container, "EndpointConfig": settings}
    session.client.call("POST", f"/networks/{network}/connect", body=body)


def _options(texts: list[str]) -> dict[str, str]:
    found = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals:
            raise CommandFailed("invalid key/value pair format in driver options")
        found[name.strip()] = value.strip()
    return found


COMMAND = Command(
    "network connect",
    "NETWORK CONTAINER",
    "Connect a container to a network",
    (
        Flag(
            "alias",
            "",
            "strings",
            "Add network-scoped alias for the container",
            gathers=True,
            check=comma_fields,
        ),
        Flag("driver-opt", "", "strings", "driver options for the network", gathers=True, check=comma_fields),
        Flag(
            "gw-priority",
            "",
            "int",
            "Highest gw-priority provides the default gateway. Accepts positive and negative values.",
            default=0,
        ),
        Flag("ip", "", "string", 'IPv4 address (e.g., "172.30.100.104")'),
        Flag("ip6", "", "string", 'IPv6 address (e.g., "2001:db8::33")'),
        Flag("link", "", "list", "Add link to another container", check=read_link),
        Flag(
            "link-local-ip",
            "",
            "strings",
            "Add a link-local address for the container",
            gathers=True,
            check=comma_fields,
        ),
    ),
    run,
    least=2,
    most=2,
)
