"""Docker's words into an OCI runtime configuration. Pure.

Source: runtime-spec 1.2.
"""

from typing import Any

from lading.runtime.spec.cdi import inject
from lading.runtime.spec.devices import device_nodes
from lading.runtime.spec.mounts import mounts
from lading.runtime.spec.namespaces import namespaces
from lading.runtime.spec.paths import masked_paths, readonly_paths
from lading.runtime.spec.process import process
from lading.runtime.spec.request import SpecRequest
from lading.runtime.spec.resources import resources
from lading.runtime.spec.security import parse_security_options
from lading.runtime.spec.sysctls import sysctls


def build(request: SpecRequest) -> dict[str, Any]:
    """The content of config.json. Raises InvalidParameter for wishes that cannot be expressed."""
    spec: dict[str, Any] = {
        "ociVersion": "1.0.2",
        "process": process(request),
        "root": {"path": request.rootfs, "readonly": request.host.readonly_rootfs},
        "mounts": mounts(request),
        "linux": _linux(request),
        "annotations": {**(request.host.annotations or {}), **request.annotations},
    }
    if request.namespaces.uts != "host":
        spec["hostname"] = request.config.hostname
    inject(spec, request.edits)
    return spec


def _linux(request: SpecRequest) -> dict[str, Any]:
    host = request.host
    open_paths = parse_security_options(host.security_opt).system_paths_open
    linux: dict[str, Any] = {
        "cgroupsPath": request.cgroup_path,
        "namespaces": namespaces(request.namespaces),
        "resources": resources(request),
        "devices": device_nodes(request.devices),
        "rootfsPropagation": _propagation(request),
        "maskedPaths": masked_paths(host, open_paths=open_paths, of_machine=request.facts.masked),
        "readonlyPaths": readonly_paths(host, open_paths=open_paths),
        "sysctl": sysctls(request),
    }
    if request.seccomp is not None and not host.privileged:
        linux["seccomp"] = request.seccomp
    return linux


def _propagation(request: SpecRequest) -> str:
    """Shared as far as a mount asks for it.

    Otherwise the host's changes reach the container and none of the
    container's the host: a root that another start has copied for a moment
    would else stay in use after it was unmounted.
    """
    modes = {option for mount in request.mounts for option in mount.get("options", ())}
    return "shared" if modes & {"shared", "rshared"} else "rslave"
