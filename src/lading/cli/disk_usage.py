"""What takes room on the engine's disk, summed up and row by row, as docker's client shows it (pure)."""

from __future__ import annotations

from lading.cli.ages import ago, rough_size
from lading.cli.listing import Row
from lading.units import human_size, parse_rfc3339

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_NANOSECOND = 1_000_000_000
_ACTIVE_STATES = ("running", "paused", "restarting")
_SHORT_CACHE_ID = 12


class UsageRow(Row):
    """One kind of thing: how many there are, how many in use, and bytes."""

    HEADERS = {
        "Active": "ACTIVE",
        "Reclaimable": "RECLAIMABLE",
        "Size": "SIZE",
        "TotalCount": "TOTAL",
        "Type": "TYPE",
    }

    def __init__(
        self, kind: str, count: int, active: int, size: int, reclaimable: int, share: bool = True
    ) -> None:
        self._kind = kind
        self._count = count
        self._active = active
        self._size = size
        self._reclaimable = reclaimable
        self._share = share

    def Type(self) -> str:
        return self._kind

    def TotalCount(self) -> str:
        return str(self._count)

    def Active(self) -> str:
        return str(self._active)

    def Size(self) -> str:
        return human_size(self._size)

    def Reclaimable(self) -> str:
        text = human_size(self._reclaimable)
        if not self._share or self._size <= 0:
            return text
        return f"{text} ({int(self._reclaimable * 100 / self._size)}%)"


class VolumeRow(Row):
    """One volume (Engine API 1.51, "Volume")."""

    HEADERS = {
        "Availability": "AVAILABILITY",
        "Driver": "DRIVER",
        "Group": "GROUP",
        "Label": "",
        "Labels": "LABELS",
        "Links": "LINKS",
        "Mountpoint": "MOUNTPOINT",
        "Name": "VOLUME NAME",
        "Scope": "SCOPE",
        "Size": "SIZE",
        "Status": "STATUS",
    }

    def __init__(self, volume: dict[str, Any]) -> None:
        self._volume = volume
        self._usage: dict[str, int] | None = volume.get("UsageData")

    def Name(self) -> str:
        return str(self._volume["Name"])

    def Driver(self) -> str:
        return str(self._volume.get("Driver", ""))

    def Scope(self) -> str:
        return str(self._volume.get("Scope", ""))

    def Mountpoint(self) -> str:
        return str(self._volume.get("Mountpoint", ""))

    def Labels(self) -> str:
        labels: dict[str, str] = self._volume.get("Labels") or {}
        return ",".join(f"{name}={labels[name]}" for name in sorted(labels))

    def Label(self, name: str) -> str:
        labels: dict[str, str] = self._volume.get("Labels") or {}
        return labels.get(name, "")

    def Links(self) -> str:
        return "N/A" if self._usage is None else str(self._usage["RefCount"])

    def Size(self) -> str:
        return "N/A" if self._usage is None else human_size(self._usage["Size"])

    def Group(self) -> str:
        return "N/A"

    def Availability(self) -> str:
        return "N/A"

    def Status(self) -> str:
        return "N/A"


class CacheRow(Row):
    """One record of the build cache (Engine API 1.51, "BuildCache")."""

    HEADERS = {
        "CacheType": "CACHE TYPE",
        "CreatedAt": "CREATED AT",
        "CreatedSince": "CREATED",
        "Description": "DESCRIPTION",
        "ID": "CACHE ID",
        "InUse": "IN USE",
        "LastUsedAt": "LAST USED AT",
        "LastUsedSince": "LAST USED",
        "Parent": "PARENT",
        "Shared": "SHARED",
        "Size": "SIZE",
        "UsageCount": "USAGE",
    }

    def __init__(self, record: dict[str, Any], truncate: bool) -> None:
        self._record = record
        self._truncate = truncate

    def ID(self) -> str:
        identifier: str = self._record["ID"]
        if self._truncate:
            identifier = identifier[:_SHORT_CACHE_ID]
        return f"{identifier}*" if self._record.get("InUse") else identifier

    def Parent(self) -> str:
        parent: str = self._record.get("Parent") or ""
        return parent[:_SHORT_CACHE_ID] if self._truncate else parent

    def CacheType(self) -> str:
        return str(self._record.get("Type", ""))

    def Description(self) -> str:
        return str(self._record.get("Description", ""))

    def InUse(self) -> str:
        return str(bool(self._record.get("InUse"))).lower()

    def Shared(self) -> str:
        return str(bool(self._record.get("Shared"))).lower()

    def Size(self) -> str:
        return rough_size(self._record.get("Size", 0))

    def CreatedAt(self) -> str:
        return _moment(self._record.get("CreatedAt"))

    def CreatedSince(self) -> str:
        return _since(self._record.get("CreatedAt"))

    def LastUsedAt(self) -> str:
        return _moment(self._record.get("LastUsedAt"))

    def LastUsedSince(self) -> str:
        return _since(self._record.get("LastUsedAt"))

    def UsageCount(self) -> str:
        return str(self._record.get("UsageCount", 0))


def _moment(text: str | None) -> str:
    """A time of the API as Go shows it: "2026-11-25 07:31:53.25 +0000 UTC"."""
    if not text:
        return ""
    shown = text.replace("T", " ")
    if shown.endswith("Z"):
        return f"{shown[:-1]} +0000 UTC"
    zone = shown[-6:].replace(":", "")
    return f"{shown[:-6]} {zone} {zone}"


def by_last_use(records: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The build cache, what was used last at the end."""

    def key(record: dict[str, Any]) -> tuple[int, str]:
        last = record.get("LastUsedAt")
        return parse_rfc3339(last) if last else 0, record["ID"]

    return sorted(records, key=key)


def _since(moment: str | None) -> str:
    return ago(parse_rfc3339(moment) / _NANOSECOND) if moment else ""


def summary(usage: dict[str, Any]) -> list[UsageRow]:
    """A row for each kind (Engine API 1.51, "SystemDataUsageResponse")."""
    return [
        _images(usage.get("Images") or [], usage.get("LayersSize") or 0),
        _containers(usage.get("Containers") or []),
        _volumes(usage.get("Volumes") or []),
        _cache(usage.get("BuildCache") or []),
    ]


def cache_size(records: list[dict[str, Any]]) -> int:
    """Bytes of the build cache that nothing else holds too."""
    return sum(record.get("Size", 0) for record in records if not record.get("Shared"))


def _images(images: list[dict[str, Any]], layers: int) -> UsageRow:
    used = [image for image in images if image.get("Containers", 0) != 0]
    held = sum(
        image["Size"] - image["SharedSize"]
        for image in used
        if image["Size"] != -1 and image.get("SharedSize", -1) != -1
    )
    active = sum(image["Containers"] > 0 for image in used)
    return UsageRow("Images", len(images), active, layers, layers - held)


def _containers(containers: list[dict[str, Any]]) -> UsageRow:
    active = [container for container in containers if container.get("State") in _ACTIVE_STATES]
    size = sum(container.get("SizeRw") or 0 for container in containers)
    held = sum(container.get("SizeRw") or 0 for container in active)
    return UsageRow("Containers", len(containers), len(active), size, size - held)


def _volumes(volumes: list[dict[str, Any]]) -> UsageRow:
    usages = [volume.get("UsageData") or {} for volume in volumes]
    active = sum(usage.get("RefCount", 0) > 0 for usage in usages)
    known = [usage for usage in usages if usage.get("Size", -1) != -1]
    free = sum(usage["Size"] for usage in known if usage.get("RefCount") == 0)
    return UsageRow("Local Volumes", len(volumes), active, sum(usage["Size"] for usage in known), free)


def _cache(records: list[dict[str, Any]]) -> UsageRow:
    in_use = [record for record in records if record.get("InUse")]
    size = cache_size(records)
    return UsageRow("Build Cache", len(records), len(in_use), size, size - cache_size(in_use), share=False)
