"""What is mounted: binds, volumes, tmpfs, and mounts in their long spelling."""

from __future__ import annotations

from lading.cli.errors import UsageError
from lading.cli.flags import Flag
from lading.cli.run_options.process import to_map
from lading.cli.run_options.working_directory import absolute_path

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from lading.cli.flags import Given


def read_mount(text: str) -> dict[str, Any]:
    """Raises BadValue."""
    from lading.cli.run_options.mount_value import parse_mount

    return parse_mount(text)


FLAGS = (
    Flag("mount", "", "mount", "Mount something: type=bind,src=/a,dst=/b[,readonly]", gathers=True,
         check=read_mount),
    Flag("storage-opt", "", "list", "Option of the storage driver: key=value"),
    Flag("tmpfs", "", "list", "Mount a tmpfs: directory[:options]"),
    Flag("use-api-socket", "", "", "Give the container the engine's socket"),
    Flag("volume", "v", "list", "Mount a directory or a volume: source:target[:options]"),
    Flag("volume-driver", "", "string", "Driver of the container's volumes"),
    Flag("volumes-from", "", "list", "Mount what another container has mounted"),
)  # fmt: skip


def fill(given: Given, body: dict[str, Any], host: dict[str, Any]) -> None:
    """Raises UsageError."""
    for text in dict.fromkeys(given["volume"]):
        if _has_source(text):
            bind = text if not text.startswith(".") else _absolute(text)
            host["Binds"] = [*(host["Binds"] or ()), bind]
        else:
            body["Volumes"][text] = {}
    tmpfs = {target: options for target, _, options in (text.partition(":") for text in given["tmpfs"])}
    if tmpfs:
        host["Tmpfs"] = tmpfs
    if given["mount"]:
        host["Mounts"] = list(given["mount"])
    host["VolumeDriver"] = given["volume-driver"]
    host["VolumesFrom"] = given["volumes-from"] or None
    if any("=" not in option for option in given["storage-opt"]):
        raise UsageError("lading: invalid storage option")
    if given["storage-opt"]:
        host["StorageOpt"] = to_map(given["storage-opt"])


def _has_source(text: str) -> bool:
    """Whether a volume names something to mount, not only where. Raises UsageError."""
    if not text:
        raise UsageError("lading: invalid empty volume spec")
    sections = text.split(":")
    if "" in sections:
        raise UsageError(f"lading: invalid spec: {text}: empty section between colons")
    if len(sections) > 3 and len(sections[2]) > 1:
        raise UsageError(f"lading: invalid spec: {text}: too many colons")
    return len(sections) > 1


def _absolute(text: str) -> str:
    source, _, rest = text.partition(":")
    return f"{absolute_path(source)}:{rest}"
