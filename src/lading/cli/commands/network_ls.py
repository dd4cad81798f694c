"""`lading network ls`."""

from __future__ import annotations

import re

from lading.cli.command import Command
from lading.cli.flags import Flag
from lading.cli.listing import FORMAT_HELP, Row, check_filter, filters_query, print_list

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from lading.cli.flags import Given
    from lading.cli.session import Session

_TABLE = "{{.ID}}\t{{.Name}}\t{{.Driver}}\t{{.Scope}}"
_RAW = "network_id: {{.ID}}\nname: {{.Name}}\ndriver: {{.Driver}}\nscope: {{.Scope}}\n"
_SHORT = 12


class NetworkRow(Row):
    """One network (Engine API 1.51, "Network")."""

    HEADERS = {
        "CreatedAt": "CREATED AT",
        "Driver": "DRIVER",
        "ID": "NETWORK ID",
        "IPv4": "IPV4",
        "IPv6": "IPV6",
        "Internal": "INTERNAL",
        "Label": "",
        "Labels": "LABELS",
        "Name": "NAME",
        "Scope": "SCOPE",
    }

    def __init__(self, network: dict[str, Any], truncate: bool) -> None:
        self._network = network
        self._truncate = truncate

    def ID(self) -> str:
        identifier = str(self._network["Id"])
        return identifier[:_SHORT] if self._truncate else identifier

    def Name(self) -> str:
        return str(self._network["Name"])

    def Driver(self) -> str:
        return str(self._network.get("Driver", ""))

    def Scope(self) -> str:
        return str(self._network.get("Scope", ""))

    def IPv4(self) -> str:
        return _truth(self._network.get("EnableIPv4"))

    def IPv6(self) -> str:
        return _truth(self._network.get("EnableIPv6"))

    def Internal(self) -> str:
        return _truth(self._network.get("Internal"))

    def CreatedAt(self) -> str:
        """As Go writes a time that it read."""
        date, _, rest = str(self._network.get("Created", "")).removesuffix("Z").partition("T")
        return f"{date} {rest.rstrip('0').rstrip('.') if '.' in rest else rest} +0000 UTC"

    def Labels(self) -> str:
        labels: dict[str, str] = self._network.get("Labels") or {}
        return ",".join(f"{name}={labels[name]}" for name in sorted(labels))

    def Label(self, name: str) -> str:
        labels: dict[str, str] = self._network.get("Labels") or {}
        return labels.get(name, "")


def _truth(value: Any) -> str:
    return "true" if value else "false"


def run(session: Session, given: Given) -> None:
    networks = session.client.get("/networks", filters_query(given["filter"]))
    template = session.format(given, "networksFormat")
    if template == "raw":
        template = "network_id: {{.ID}}" if given["quiet"] else _RAW
    rows = [NetworkRow(each, not given["no-trunc"]) for each in sorted(networks, key=_natural)]
    print_list(rows, NetworkRow, template, _TABLE, given["quiet"])


def _natural(network: dict[str, Any]) -> list[tuple[bool, int, str]]:
    """A key that puts 2 before 10."""
    parts = re.findall(r"\d+|\D+", network["Name"])
    return [(not part.isdecimal(), int(part) if part.isdecimal() else 0, part) for part in parts]


COMMAND = Command(
    "network ls",
    "",
    "List networks",
    (
        Flag(
            "filter",
            "f",
            "filter",
            'Provide filter values (e.g. "driver=bridge")',
            gathers=True,
            check=check_filter,
        ),
        Flag("format", "", "string", FORMAT_HELP),
        Flag("no-trunc", "", "", "Do not truncate the output"),
        Flag("quiet", "q", "", "Only display network IDs"),
    ),
    run,
    most=0,
    aliases=("network ls", "network list"),
)
