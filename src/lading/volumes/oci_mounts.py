"""Mount points as the OCI runtime wants them. Pure.

Source: OCI runtime specification 1.2, "Mounts"; mount(8) for the options.
"""

from collections.abc import Mapping
from typing import Any

from lading.errors import InvalidParameter
from lading.volumes import tmpfs
from lading.volumes.mount_point import TMPFS, MountPoint


def oci_mount(point: MountPoint, source: str, *, can_force: bool, directory: bool = True) -> dict[str, Any]:
    """One mount. `source` is what is really to be mounted; `can_force` tells whether
    the kernel can make everything below it read-only (mount_setattr(2), Linux 5.12),
    `directory` whether anything can be below it: crun 1.8 refuses "rro" for a file.

    Raises InvalidParameter.
    """
    if point.type == TMPFS:
        return tmpfs_mount(point.destination, list(point.options))
    options = ["rbind" if point.recursive else "bind"]
    if not point.rw:
        if point.read_only == "force-recursive" and not can_force:
            raise InvalidParameter("recursively read-only mounts need Linux 5.12 or newer")
        far = can_force and directory and point.recursive and point.read_only != "non-recursive"
        options.append("rro" if far else "ro")
    if point.propagation:
        options.append(point.propagation)
    return {"destination": point.destination, "type": "bind", "source": source, "options": options}


def tmpfs_mount(destination: str, options: list[str]) -> dict[str, Any]:
    """A file system in memory. Raises InvalidParameter."""
    merged = tmpfs.merge(options)
    return {"destination": destination, "type": "tmpfs", "source": "tmpfs", "options": merged}


def tmpfs_mounts(asked: Mapping[str, str]) -> list[dict[str, Any]]:
    """Those of `--tmpfs`: options between commas by destination. Raises InvalidParameter."""
    return [tmpfs_mount(destination, options.split(",")) for destination, options in asked.items()]
