"""`lading volume ls`."""

from __future__ import annotations

import re

from lading.cli.command import Command
from lading.cli.disk_usage import VolumeRow
from lading.cli.flags import Flag
from lading.cli.listing import FORMAT_HELP, check_filter, filters_query, print_list

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from lading.cli.flags import Given
    from lading.cli.session import Session

_TABLE = "{{.Driver}}\t{{.Name}}"
_CLUSTER_TABLE = "table {{.Name}}\t{{.Group}}\t{{.Driver}}\t{{.Availability}}\t{{.Status}}"
_RAW = "name: {{.Name}}\ndriver: {{.Driver}}\n"


def run(session: Session, given: Given) -> None:
    volumes = session.client.get("/volumes", filters_query(given["filter"]))["Volumes"] or []
    template = given["format"]
    if given["cluster"]:
        volumes = [volume for volume in volumes if volume.get("ClusterVolume")]
        template = "" if given["quiet"] else _CLUSTER_TABLE
    template = template or session.format(given, "volumesFormat")
    if template in ("", "table"):
        template = "{{.Name}}" if given["quiet"] else ""
    elif template == "raw":
        template = "name: {{.Name}}" if given["quiet"] else _RAW
    rows = [VolumeRow(volume) for volume in sorted(volumes, key=_natural)]
    print_list(rows, VolumeRow, template, _TABLE, False)


def _natural(volume: dict[str, Any]) -> list[tuple[bool, int, str]]:
    """A key that puts 2 before 10."""
    parts = re.findall(r"\d+|\D+", volume["Name"])
    return [(not part.isdecimal(), int(part) if part.isdecimal() else 0, part) for part in parts]


COMMAND = Command(
    "volume ls",
    "",
    "List volumes",
    (
        Flag(
            "cluster",
            "",
            "",
            "Display only cluster volumes, and use cluster volume list formatting",
            since="1.42",
        ),
        Flag(
            "filter",
            "f",
            "filter",
            'Provide filter values (e.g. "dangling=true")',
            gathers=True,
            check=check_filter,
        ),
        Flag("format", "", "string", FORMAT_HELP),
        Flag("quiet", "q", "", "Only display volume names"),
    ),
    run,
    most=0,
    aliases=("volume ls", "volume list"),
)
