"""`lading network create`."""

from __future__ import annotations

from lading.cli.command import Command
from lading.cli.flags import Flag
from lading.cli.network_pools import pools
from lading.cli.run_options.fields import comma_fields, joined
from lading.cli.run_options.process import to_map
from lading.cli.say import out

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from lading.cli.flags import Given
    from lading.cli.session import Session


def run(session: Session, given: Given) -> None:
    ipam = {
        "Driver": given["ipam-driver"],
        "Options": to_map(given["ipam-opt"]),
        "Config": pools(
            joined(given["subnet"]),
            joined(given["ip-range"]),
            joined(given["gateway"]),
            to_map(given["aux-address"]),
        ),
    }
    body: dict[str, Any] = {
        "Name": given.operands[0],
        "Driver": given["driver"],
        "Scope": given["scope"],
        "IPAM": ipam,
        "Internal": given["internal"],
        "Attachable": given["attachable"],
        "Ingress": given["ingress"],
        "ConfigOnly": given["config-only"],
        "ConfigFrom": {"Network": given["config-from"]} if given["config-from"] else None,
        "Options": to_map(given["opt"]),
        "Labels": to_map(given["label"]),
    }
    for flag, member in (("ipv4", "EnableIPv4"), ("ipv6", "EnableIPv6")):
        if flag in given:
            body[member] = given[flag]
    if not session.client.at_least("1.44"):
        body["CheckDuplicate"] = True
    out(session.client.call("POST", "/networks/create", body=body).json()["Id"])


COMMAND = Command(
    "network create",
    "NETWORK",
    "Create a network",
    (
        Flag("attachable", "", "", "Enable manual container attachment", since="1.25"),
        Flag(
            "aux-address",
            "",
            "map",
            "Auxiliary IPv4 or IPv6 addresses used by Network driver (default map[])",
            gathers=True,
        ),
        Flag(
            "config-from",
            "",
            "string",
            "The network from which to copy the configuration",
            since="1.30",
        ),
        Flag("config-only", "", "", "Create a configuration only network", since="1.30"),
        Flag("driver", "d", "string", 'Driver to manage the Network (default "bridge")', default="bridge"),
        Flag(
            "gateway",
            "",
            "strings",
            "IPv4 or IPv6 Gateway for the master subnet",
            gathers=True,
            check=comma_fields,
        ),
        Flag("ingress", "", "", "Create swarm routing-mesh network", since="1.29"),
        Flag("internal", "", "", "Restrict external access to the network"),
        Flag(
            "ip-range",
            "",
            "strings",
            "Allocate container ip from a sub-range",
            gathers=True,
            check=comma_fields,
        ),
        Flag(
            "ipam-driver",
            "",
            "string",
            'IP Address Management Driver (default "default")',
            default="default",
        ),
        Flag("ipam-opt", "", "map", "Set IPAM driver specific options (default map[])", gathers=True),
        Flag("ipv4", "", "", "Enable or disable IPv4 address assignment (default true)", default=True),
        Flag("ipv6", "", "", "Enable or disable IPv6 address assignment"),
        Flag("label", "", "list", "Set metadata on a network"),
        Flag("opt", "o", "map", "Set driver specific options (default map[])", gathers=True),
        Flag("scope", "", "string", "Control the network's scope", since="1.30"),
        Flag(
            "subnet",
            "",
            "strings",
            "Subnet in CIDR format that represents a network segment",
            gathers=True,
            check=comma_fields,
        ),
    ),
    run,
    least=1,
    most=1,
)
