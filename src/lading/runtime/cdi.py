"""The Container Device Interface's files on this machine."""

import json
import logging
import os
import shutil
import stat
from collections.abc import Sequence

import msgspec

from lading.errors import InvalidParameter
from lading.oci import cdi as documents
from lading.oci import plain_yaml
from lading.runtime.spec import cdi
from lading.schema.container import HostConfig

_log = logging.getLogger(__name__)

_NVIDIA_HOOK = "nvidia-container-runtime-hook"
SPEC_DIRECTORIES = ("/etc/cdi", "/var/run/cdi")


def cdi_edits(host: HostConfig, directories: Sequence[str]) -> list[documents.Edits]:
    """What the container's device requests change in its configuration.

    Read anew at each start, as devices come and go. Raises InvalidParameter
    for devices nobody can give.
    """
    if not host.device_requests:
        return []
    found = cdi.edits_for(host.device_requests, _read_all(directories), _nvidia_hook())
    return [
        msgspec.structs.replace(edits, device_nodes=[_complete(node) for node in edits.device_nodes])
        for edits in found
    ]


def _nvidia_hook() -> documents.Hook | None:
    """NVIDIA's program that adds GPUs to a container between its making and its start."""
    path = shutil.which(_NVIDIA_HOOK)
    if path is None:
        return None
    env = [f"{name}={value}" for name, value in os.environ.items()]
    return documents.Hook(hook_name="prestart", path=path, args=[_NVIDIA_HOOK, "prestart"], env=env)


def cdi_devices(directories: Sequence[str]) -> list[str]:
    """The names of all devices."""
    return cdi.qualified_names(_read_all(directories))


def _read_all(directories: Sequence[str]) -> list[list[documents.Specification]]:
    return [_read_directory(directory) for directory in directories]


def _read_directory(directory: str) -> list[documents.Specification]:
    try:
        names = sorted(os.listdir(directory))
    except OSError:
        return []
    found = []
    for name in names:
        path = f"{directory}/{name}"
        try:
            if name.endswith((".json", ".yaml", ".yml")):
                with open(path, encoding="utf-8") as file:
                    text = file.read()
                document = json.loads(text) if name.endswith(".json") else plain_yaml.parse(text)
                found.append(documents.read(document))
        except (OSError, ValueError, RecursionError, msgspec.ValidationError) as error:
            _log.warning("CDI specification %s cannot be read: %s", path, error)
    return found


def _complete(node: documents.DeviceNode) -> documents.DeviceNode:
    """The node with type and numbers of the host's. Raises InvalidParameter where that is no device."""
    path = node.host_path or node.path
    if node.type and (node.major or node.type == "p"):
        return node
    try:
        status = os.stat(path)
    except OSError as error:
        raise InvalidParameter(
            f"CDI device injection failed: failed to stat CDI host device {path!r}: "
            f"{(error.strerror or str(error)).lower()}"
        ) from None
    kind = {stat.S_IFCHR: "c", stat.S_IFBLK: "b", stat.S_IFIFO: "p"}.get(stat.S_IFMT(status.st_mode), "")
    if not kind or (node.type and node.type != kind.replace("u", "c")):
        raise InvalidParameter(f"CDI device injection failed: {path} is not a device of type {node.type!r}")
    return msgspec.structs.replace(
        node, type=kind, major=os.major(status.st_rdev), minor=os.minor(status.st_rdev)
    )
