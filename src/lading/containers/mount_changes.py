"""What a container mounts after some mounts came and others went. Pure."""

from collections.abc import Iterable, Sequence

from lading.errors import Conflict, InvalidParameter, NotFound
from lading.schema.container import HostConfig, Mount
from lading.volumes import MountPoint


def check_new(present: Sequence[MountPoint], tmpfs: Iterable[str], more: Iterable[MountPoint]) -> None:
    """Raises Conflict where something is in the place of one that is to come.

    Or InvalidParameter for a place below /proc, which the OCI runtime would refuse at the next start.
    """
    taken = {point.destination for point in present} | {_clean(path) for path in tmpfs}
    for point in more:
        if f"{point.destination}/".startswith("/proc/"):
            raise InvalidParameter(f"{point.destination} cannot be mounted because it is inside /proc")
        if point.destination in taken:
            raise Conflict(f"Duplicate mount point: {point.destination}")
        taken.add(point.destination)


def leaving(present: Sequence[MountPoint], unwanted: Iterable[str]) -> list[MountPoint]:
    """Those that are to go, the last mounted first. Raises NotFound for a place where none is."""
    by_place = {point.destination: point for point in present}
    found: dict[str, MountPoint] = {}
    for path in unwanted:
        if (point := by_place.get(_clean(path))) is None:
            raise NotFound(f"no mount at {path}")
        found[point.destination] = point
    return sorted(found.values(), key=lambda point: point.destination, reverse=True)


def without(host: HostConfig, gone: Iterable[MountPoint]) -> dict[str, list[str] | list[Mount] | None]:
    """The fields of a HostConfig that asked for what is gone, without it."""
    places = {point.destination for point in gone}
    binds = [bind for bind in host.binds or () if _destination(bind) not in places]
    mounts = [mount for mount in host.mounts or () if _clean(mount.target) not in places]
    return {
        "binds": binds or (None if host.binds is None else []),
        "mounts": mounts or None,
    }


def _destination(bind: str) -> str:
    parts = bind.split(":")
    return _clean(parts[0] if len(parts) == 1 else parts[1])


def _clean(path: str) -> str:
    return "/" + "/".join(part for part in path.split("/") if part not in ("", "."))
