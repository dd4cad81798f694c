"""Removing what nothing uses, kind by kind."""

from __future__ import annotations

from lading.cli.listing import filters_query

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from lading.cli.config.file import ConfigFile
    from lading.client import Client

_KINDS = {
    "containers": ("/containers/prune", "ContainersDeleted", "Deleted Containers:"),
    "networks": ("/networks/prune", "NetworksDeleted", "Deleted Networks:"),
    "volumes": ("/volumes/prune", "VolumesDeleted", "Deleted Volumes:"),
    "images": ("/images/prune", "ImagesDeleted", "Deleted Images:"),
    "build cache": ("/build/prune", "CachesDeleted", "Deleted build cache objects:"),
}
KINDS = tuple(_KINDS)


def prune_filters(config: ConfigFile, given: Sequence[str]) -> list[str]:
    """The filters given, and those the user's settings ask for always.

    A label that is given counts more than the contrary in the settings.
    """
    found = list(given)
    for text in config.members.get("pruneFilters") or ():
        name, equals, value = str(text).partition("=")
        contrary = {"label": "label!", "label!": "label"}.get(name, "")
        if equals and not (contrary and f"{contrary}={value}" in given):
            found.append(f"{name}={value}")
    return found


class Pruned:
    """What was removed: lines about it, and bytes that are free now."""

    __slots__ = ("space", "text")

    def __init__(self, text: str, space: int) -> None:
        self.text = text
        self.space = space


def prune(client: Client, kind: str, filters: Sequence[str], everything: bool = False) -> Pruned:
    """Removes what is unused of one of the `KINDS`, and fits the filters.

    `everything` takes images that have a name, and all of the build cache.
    Raises ApiError, and what the connection raises.
    """
    path, member, heading = _KINDS[kind]
    if kind == "images":
        filters = [*filters, f"dangling={str(not everything).lower()}"]
    query = filters_query(filters)
    if kind == "build cache":
        query = [*(query or [("filters", "")]), *([("all", "1")] if everything else [])]
    report = client.call("POST", path, query).json()
    deleted = report.get(member) or ()
    if not deleted:
        return Pruned("", report.get("SpaceReclaimed", 0) if kind == "build cache" else 0)
    text = "".join(f"{_line(entry)}\n" for entry in deleted)
    return Pruned(f"{heading}\n{text}", report.get("SpaceReclaimed", 0))


def _line(entry: Any) -> str:
    if isinstance(entry, str):
        return entry
    if entry.get("Untagged"):
        return f"untagged: {entry['Untagged']}"
    return f"deleted: {entry.get('Deleted', '')}"
