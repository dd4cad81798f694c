"""Docker's words into an OCI runtime configuration. Pure.

Source: runtime-spec 1.2.
"""

from typing import Any

from lading.runtime.spec.mounts import INIT_TARGET, MASKED, READ_ONLY, mounts
from lading.runtime.spec.process import process
from lading.runtime.spec.request import DeviceNode, Namespaces, SpecRequest
from lading.runtime.spec.resources import resources
from lading.runtime.spec.security import parse_security_options

_KINDS = (("network", "network"), ("pid", "pid"), ("ipc", "ipc"), ("uts", "uts"))
_PRIVATE_NETWORK_SYSCTLS = {
    "net.ipv4.ip_unprivileged_port_start": "0",
    "net.ipv4.ping_group_range": "0 2147483647",
}


def build(request: SpecRequest) -> dict[str, Any]:
    """The content of config.json. Raises InvalidParameter for wishes that cannot be expressed."""
    config, host = request.config, request.host
    options = parse_security_options(host.security_opt)
    args = list(request.args)
    if host.init and request.init_path:
        args = [INIT_TARGET, "--", *args]
    spec: dict[str, Any] = {
        "ociVersion": "1.0.2",
        "process": process(
            config, host, request.facts, request.user, args, request.env, options, request.no_new_privileges
        ),
        "root": {"path": request.rootfs, "readonly": host.readonly_rootfs},
        "mounts": mounts(request),
        "linux": _linux(request, options.system_paths_open),
    }
    if request.namespaces.uts != "host":
        spec["hostname"] = config.hostname
    if config.domainname and request.namespaces.uts != "host":
        spec["linux"].setdefault("sysctl", {})["kernel.domainname"] = config.domainname
    annotations = {**(host.annotations or {}), **request.annotations}
    if annotations:
        spec["annotations"] = annotations
    return spec


def _linux(request: SpecRequest, open_paths: bool) -> dict[str, Any]:
    host = request.host
    linux: dict[str, Any] = {
        "cgroupsPath": request.cgroup_path,
        "namespaces": _namespaces(request.namespaces),
        "resources": resources(request),
        "devices": [_device(node) for node in request.devices],
        "rootfsPropagation": _propagation(request),
        "maskedPaths": [],
        "readonlyPaths": [],
    }
    if not (host.privileged or open_paths):
        linux["maskedPaths"] = list(MASKED if host.masked_paths is None else host.masked_paths)
        linux["readonlyPaths"] = list(READ_ONLY if host.readonly_paths is None else host.readonly_paths)
    sysctls = _sysctls(request)
    if sysctls:
        linux["sysctl"] = sysctls
    if request.seccomp is not None and not host.privileged:
        linux["seccomp"] = request.seccomp
    return linux


def _namespaces(wanted: Namespaces) -> list[dict[str, str]]:
    result = [{"type": "mount"}]
    if wanted.cgroup != "host":
        result.append({"type": "cgroup"})
    for attribute, kind in _KINDS:
        where = getattr(wanted, attribute)
        if where == "host":
            continue
        result.append({"type": kind, "path": where} if where else {"type": kind})
    return result


def _propagation(request: SpecRequest) -> str:
    modes = {option for mount in request.mounts for option in mount.get("options", ())}
    if modes & {"shared", "rshared"}:
        return "shared"
    if modes & {"slave", "rslave"}:
        return "rslave"
    return "rprivate"


def _sysctls(request: SpecRequest) -> dict[str, str]:
    own = _PRIVATE_NETWORK_SYSCTLS if request.host.network_mode in ("bridge", "none") else {}
    if request.host.userns_mode == "host" or not own:
        return dict(request.host.sysctls or {})
    return {**own, **(request.host.sysctls or {})}


def _device(node: DeviceNode) -> dict[str, Any]:
    return {
        "path": node.path,
        "type": node.kind,
        "major": node.major,
        "minor": node.minor,
        "fileMode": node.mode,
        "uid": node.uid,
        "gid": node.gid,
    }
