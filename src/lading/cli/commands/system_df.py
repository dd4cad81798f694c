"""`lading system df`."""

from __future__ import annotations

from lading.cli.command import Command
from lading.cli.commands.images import ImageRow
from lading.cli.commands.ps import ContainerRow
from lading.cli.disk_usage import CacheRow, UsageRow, VolumeRow, by_last_use, cache_size, summary
from lading.cli.errors import CommandFailed
from lading.cli.flags import Flag
from lading.cli.listing import FORMAT_HELP, list_text, print_list
from lading.cli.say import write
from lading.cli.template import Template, TemplateError
from lading.units import human_size

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from lading.cli.flags import Given
    from lading.cli.listing import Row
    from lading.cli.session import Session

_TABLE = "{{.Type}}\t{{.TotalCount}}\t{{.Active}}\t{{.Size}}\t{{.Reclaimable}}"
_IMAGES = (
    "{{.Repository}}\t{{.Tag}}\t{{.ID}}\t{{.CreatedSince}}\t{{.Size}}\t{{.SharedSize}}\t{{.UniqueSize}}"
    "\t{{.Containers}}"
)
_CONTAINERS = (
    "{{.ID}}\t{{.Image}}\t{{.Command}}\t{{.LocalVolumes}}\t{{.Size}}\t{{.RunningFor}}"
    "\t{{.Status}}\t{{.Names}}"
)
_VOLUMES = "{{.Name}}\t{{.Links}}\t{{.Size}}"
_CACHE = (
    "{{.ID}}\t{{.CacheType}}\t{{.Size}}\t{{.CreatedSince}}\t{{.LastUsedSince}}\t{{.UsageCount}}\t{{.Shared}}"
)


def run(session: Session, given: Given) -> None:
    usage = session.client.get("/system/df")
    template = given["format"]
    if not given["verbose"]:
        print_list(summary(usage), UsageRow, template, _TABLE, quiet=False)
    elif template in ("", "table"):
        write(1, _tables(usage).encode("utf-8", "surrogateescape"))
    else:
        write(1, _by_template(usage, template).encode("utf-8", "surrogateescape"))


def _rows(usage: dict[str, Any], truncate: bool) -> dict[str, Sequence[Row]]:
    containers = ({**container, "SizeRootFs": 0} for container in usage.get("Containers") or ())
    return {
        "Images": [_image_row(image, truncate) for image in usage.get("Images") or ()],
        "Containers": [ContainerRow(container, truncate) for container in containers],
        "Volumes": [VolumeRow(volume) for volume in usage.get("Volumes") or ()],
        "BuildCache": [CacheRow(record, truncate) for record in by_last_use(usage.get("BuildCache") or [])],
    }


def _image_row(image: dict[str, Any], truncate: bool) -> ImageRow:
    name, colon, tag = ((image.get("RepoTags") or [""])[0]).rpartition(":")
    if not colon or name == "<none>":
        name, tag = "<none>", "<none>"
    return ImageRow(image, name, tag, "", truncate)


def _tables(usage: dict[str, Any]) -> str:
    rows = _rows(usage, truncate=True)
    cache = human_size(cache_size(usage.get("BuildCache") or []))
    return "\n".join(
        (
            "Images space usage:\n\n" + list_text(rows["Images"], ImageRow, "", _IMAGES),
            "Containers space usage:\n\n" + list_text(rows["Containers"], ContainerRow, "", _CONTAINERS),
            "Local Volumes space usage:\n\n" + list_text(rows["Volumes"], VolumeRow, "", _VOLUMES),
            f"Build cache usage: {cache}\n\n" + list_text(rows["BuildCache"], CacheRow, "", _CACHE),
        )
    )


def _by_template(usage: dict[str, Any], source: str) -> str:
    try:
        template = Template("{{json .}}" if source == "json" else source)
    except TemplateError as error:
        raise CommandFailed(f"template parsing error: {error.message}") from None
    try:
        return template.render(_rows(usage, truncate=False))
    except TemplateError as error:
        raise CommandFailed(error.message) from None


COMMAND = Command(
    "system df",
    "",
    "Show lading disk usage",
    (
        Flag("format", "", "string", FORMAT_HELP),
        Flag("verbose", "v", "", "Show detailed information on space usage"),
    ),
    run,
    most=0,
)
