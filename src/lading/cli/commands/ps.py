"""`lading ps`."""

from __future__ import annotations

from lading.cli.ages import ago, cut, local_time, rough_size, short
from lading.cli.command import Command
from lading.cli.errors import CommandFailed
from lading.cli.flags import Flag
from lading.cli.listing import FORMAT_HELP, Row, check_filter, check_template, filters_query, print_list
from lading.cli.ports_view import show_ports
from lading.cli.say import err
from lading.cli.template import quote

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from lading.cli.flags import Given
    from lading.cli.session import Session

_COMMAND_WIDTH = 20
_MOUNT_WIDTH = 15
_TABLE = "table {{.ID}}\t{{.Image}}\t{{.Command}}\t{{.RunningFor}}\t{{.Status}}\t{{.Ports}}\t{{.Names}}"


class ContainerRow(Row):
    """One container of the list (Engine API 1.51, "ContainerSummary")."""

    HEADERS = {
        "Command": "COMMAND",
        "CreatedAt": "CREATED AT",
        "ID": "CONTAINER ID",
        "Image": "IMAGE",
        "Label": "",
        "Labels": "LABELS",
        "LocalVolumes": "LOCAL VOLUMES",
        "Mounts": "MOUNTS",
        "Names": "NAMES",
        "Networks": "NETWORKS",
        "Platform": "PLATFORM",
        "Ports": "PORTS",
        "RunningFor": "CREATED",
        "Size": "SIZE",
        "State": "STATE",
        "Status": "STATUS",
    }

    def __init__(self, container: dict[str, Any], truncate: bool) -> None:
        self._container = container
        self._truncate = truncate

    def ID(self) -> str:
        identifier: str = self._container["Id"]
        return short(identifier) if self._truncate else identifier

    def Names(self) -> str:
        names = [name.removeprefix("/") for name in self._container.get("Names") or ()]
        if self._truncate:
            names = [name for name in names if "/" not in name]
        return ",".join(names)

    def Image(self) -> str:
        image: str = self._container.get("Image") or ""
        if not image:
            return "<no image>"
        if not self._truncate:
            return image
        if short(self._container.get("ImageID", "")) == short(image):
            return short(image)
        name, at, _ = image.partition("@")
        return name if at and ":" in name.rpartition("/")[2] else image

    def Command(self) -> str:
        command: str = self._container.get("Command") or ""
        return quote(cut(command, _COMMAND_WIDTH) if self._truncate else command)

    def CreatedAt(self) -> str:
        return local_time(self._container["Created"])

    def RunningFor(self) -> str:
        return ago(self._container["Created"])

    def Platform(self) -> dict[str, str] | None:
        manifest = self._container.get("ImageManifestDescriptor") or {}
        platform: dict[str, str] | None = manifest.get("platform")
        return platform

    def Ports(self) -> str:
        return show_ports(self._container.get("Ports") or ())

    def State(self) -> str:
        return str(self._container.get("State", ""))

    def Status(self) -> str:
        return str(self._container.get("Status", ""))

    def Size(self) -> str:
        own = rough_size(self._container.get("SizeRw") or 0)
        whole = self._container.get("SizeRootFs") or 0
        return f"{own} (virtual {rough_size(whole)})" if whole > 0 else own

    def Labels(self) -> str:
        labels: dict[str, str] = self._container.get("Labels") or {}
        return ",".join(f"{name}={labels[name]}" for name in sorted(labels))

    def Label(self, name: str) -> str:
        labels: dict[str, str] = self._container.get("Labels") or {}
        return labels.get(name, "")

    def Mounts(self) -> str:
        mounts = self._container.get("Mounts") or ()
        names = [mount.get("Name") or mount.get("Source", "") for mount in mounts]
        return ",".join(cut(name, _MOUNT_WIDTH) if self._truncate else name for name in names)

    def LocalVolumes(self) -> str:
        mounts = self._container.get("Mounts") or ()
        return str(sum(mount.get("Driver") == "local" for mount in mounts))

    def Networks(self) -> str:
        settings = self._container.get("NetworkSettings") or {}
        return ",".join(settings.get("Networks") or {})


def run(session: Session, given: Given) -> None:
    last = 1 if given["latest"] and given["last"] == -1 else given["last"]
    query = [("all", "1")] if given["all"] else []
    if last > 0:
        query.append(("limit", str(last)))
    template = session.format(given, "psFormat")
    if template and given["quiet"]:
        err("WARNING: Ignoring custom format, because both --format and --quiet are set.")
        template = ""
    check_template(template)
    wants_size = given["size"] or ".Size" in template or "json .}" in template
    if wants_size:
        query.append(("size", "1"))
    query += filters_query(given["filter"])
    containers = session.client.get("/containers/json", query)
    rows = [ContainerRow(container, not given["no-trunc"]) for container in containers]
    table = _TABLE + ("\t{{.Size}}" if given["size"] else "")
    try:
        print_list(rows, ContainerRow, template, table.removeprefix("table "), given["quiet"])
    except CommandFailed as failure:
        # This command tries the template before it asks for anything, and says so.
        message = failure.message.replace("template parsing error", "failed to execute template", 1)
        raise CommandFailed(message) from None


COMMAND = Command(
    "ps",
    "",
    "List containers",
    (
        Flag("all", "a", "", "Show all containers, not only running ones"),
        Flag("filter", "f", "filter", "Show only what fits: name=value", gathers=True, check=check_filter),
        Flag("format", "", "string", FORMAT_HELP),
        Flag("last", "n", "int", "Show the last n created containers, in any state", default=-1),
        Flag("latest", "l", "", "Show the container created last, in any state"),
        Flag("no-trunc", "", "", "Do not shorten anything"),
        Flag("quiet", "q", "", "Show IDs alone"),
        Flag("size", "s", "", "Show sizes"),
    ),
    run,
    most=0,
    aliases=("container ls", "container list", "container ps", "ps"),
)
