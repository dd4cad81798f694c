"""Device requests: which CDI devices they mean, and what these change in config.json. Pure.

Source: CDI specification 0.8; docker's texts for devices nobody can give.
"""

import re
from collections.abc import Iterable, Sequence
from typing import Any

from lading.errors import InvalidParameter
from lading.oci.cdi import DeviceNode, Edits, Hook, Mount, Specification
from lading.schema.container import DeviceRequest

_NAME = re.compile(r"([A-Za-z][A-Za-z0-9._-]*/[A-Za-z][A-Za-z0-9._-]*)=([A-Za-z0-9][A-Za-z0-9._:-]*)\Z")
_NVIDIA = "nvidia.com/gpu"
_NVIDIA_RIGHTS = frozenset(("compat32", "compute", "display", "graphics", "ngx", "utility", "video"))
_NVIDIA_WORDS = _NVIDIA_RIGHTS | {"gpu", "nvidia"}
_ALL = -1
_HOOKS = (
    "prestart",
    "createRuntime",
    "createContainer",
    "startContainer",
    "poststart",
    "poststop",
)

Layers = Sequence[Sequence[Specification]]
"""Specifications by directory; what a later directory says counts more."""


def edits_for(
    requests: Iterable[DeviceRequest], layers: Layers, nvidia_hook: Hook | None = None
) -> list[Edits]:
    """What to change for the devices asked for.

    `nvidia_hook` is the program of NVIDIA's toolkit that gives GPUs without a
    specification, where it is installed. Raises InvalidParameter, in docker's words.
    """
    found: list[Edits] = []
    for request in requests:
        if nvidia_hook is not None and _is_for_nvidia(request) and not _devices(_NVIDIA, layers):
            found.append(_by_hook(request, nvidia_hook))
            continue
        for edits in _resolve(_names(request, layers), layers):
            if edits not in found:
                found.append(edits)
    return found


def _names(request: DeviceRequest, layers: Layers) -> list[str]:
    if request.driver == "cdi":
        if request.count:
            raise InvalidParameter("unexpected count in CDI device request")
        if request.options:
            raise InvalidParameter("unexpected options in CDI device request")
        return request.device_ids or []
    if _is_for_nvidia(request) and (gpus := _devices(_NVIDIA, layers)):
        return [f"{_NVIDIA}={name}" for name in _gpus(request, gpus)]
    rows = " ".join(f"[{' '.join(row)}]" for row in request.capabilities or [])
    raise InvalidParameter(f'could not select device driver "{request.driver}" with capabilities: [{rows}]')


def _is_for_nvidia(request: DeviceRequest) -> bool:
    """Whether all of one row of capabilities can be had of NVIDIA's driver."""
    rows = request.capabilities or ()
    return request.driver in ("", "nvidia") and any(row and _NVIDIA_WORDS.issuperset(row) for row in rows)


def _by_hook(request: DeviceRequest, hook: Hook) -> Edits:
    if request.count and request.device_ids:
        raise InvalidParameter("cannot set both Count and DeviceIDs on device request")
    if request.device_ids:
        chosen = ",".join(request.device_ids)
    else:
        chosen = "all" if request.count < 0 else ",".join(map(str, range(request.count)))
    env = [f"NVIDIA_VISIBLE_DEVICES={chosen}"]
    row = next(row for row in request.capabilities or () if row and _NVIDIA_WORDS.issuperset(row))
    if rights := [word for word in row if word in _NVIDIA_RIGHTS]:
        env.append(f"NVIDIA_DRIVER_CAPABILITIES={','.join(rights)}")
    return Edits(env=env, hooks=[hook])


def _gpus(request: DeviceRequest, present: Sequence[str]) -> list[str]:
    """The names that a number of GPUs, or their IDs, stand for."""
    if request.device_ids:
        return list(request.device_ids)
    if request.count == _ALL:
        return ["all"] if "all" in present else list(present)
    return [str(number) for number in range(request.count or 1)]


def _devices(kind: str, layers: Layers) -> list[str]:
    return [
        device.name
        for layer in layers
        for specification in layer
        if specification.kind == kind
        for device in specification.devices
    ]


def _resolve(names: Iterable[str], layers: Layers) -> list[Edits]:
    found: list[Edits] = []
    missing: list[str] = []
    for name in names:
        edits = _find(name, layers)
        if edits is None:
            missing.append(name)
        else:
            found.extend(edits)
    if missing:
        raise InvalidParameter(f"CDI device injection failed: unresolvable CDI devices {', '.join(missing)}")
    return found


def _find(name: str, layers: Layers) -> list[Edits] | None:
    """The edits of a device's specification and its own; None where it is unknown, or said twice."""
    parts = _NAME.match(name)
    if parts is None:
        return None
    for layer in reversed(layers):
        found = [
            [specification.container_edits, device.container_edits]
            for specification in layer
            if specification.kind == parts[1]
            for device in specification.devices
            if device.name == parts[2]
        ]
        if found:
            return found[0] if len(found) == 1 else None
    return None


def qualified_names(layers: Layers) -> list[str]:
    """Every device there is, as it is asked for."""
    return sorted(
        {
            f"{specification.kind}={device.name}"
            for layer in layers
            for specification in layer
            for device in specification.devices
        }
    )


def inject(spec: dict[str, Any], edits: Iterable[Edits]) -> None:
    """Changes config.json; device nodes have all their numbers. Raises InvalidParameter."""
    for edit in edits:
        process, linux = spec["process"], spec["linux"]
        for entry in edit.env:
            name = entry.partition("=")[0]
            process["env"] = [had for had in process["env"] if had.partition("=")[0] != name] + [entry]
        for node in edit.device_nodes:
            _add_node(linux, node)
        for mount in edit.mounts:
            _add_mount(spec["mounts"], mount)
        for hook in edit.hooks:
            _add_hook(spec.setdefault("hooks", {}), hook)
        groups = process["user"]["additionalGids"]
        groups += [group for group in edit.additional_gids if group and group not in groups]


def _add_node(linux: dict[str, Any], node: DeviceNode) -> None:
    numbers = {"type": node.type, "major": node.major, "minor": node.minor}
    present: dict[str, Any] = {**numbers, "path": node.path}
    for key, value in (("fileMode", node.file_mode), ("uid", node.uid), ("gid", node.gid)):
        if value is not None:
            present[key] = value
    linux["devices"] = [other for other in linux["devices"] if other["path"] != node.path] + [present]
    if node.type in ("b", "c"):
        linux["resources"]["devices"].append({"allow": True, **numbers, "access": node.permissions or "rwm"})


def _add_mount(mounts: list[dict[str, Any]], mount: Mount) -> None:
    mounts[:] = [other for other in mounts if other["destination"] != mount.container_path]
    mounts.append(
        {
            "destination": mount.container_path,
            "type": mount.type or "bind",
            "source": mount.host_path,
            "options": mount.options or ["rbind", "ro"],
        }
    )


def _add_hook(hooks: dict[str, Any], hook: Hook) -> None:
    if hook.hook_name not in _HOOKS:
        raise InvalidParameter(f"CDI device injection failed: unknown hook {hook.hook_name!r}")
    entry: dict[str, Any] = {"path": hook.path, "args": hook.args, "env": hook.env}
    if hook.timeout is not None:
        entry["timeout"] = hook.timeout
    hooks.setdefault(hook.hook_name, []).append(entry)
