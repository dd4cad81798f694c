"""Isolation: capabilities, security options, namespaces, sysctls."""

from __future__ import annotations

from lading.cli.errors import BadValue, UsageError
from lading.cli.flags import Flag
from lading.cli.run_options.process import to_map

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from lading.cli.flags import Given

_SYSCTLS = frozenset(
    (
        *("kernel.msgmax", "kernel.msgmnb", "kernel.msgmni", "kernel.sem", "kernel.shmall"),
        *("kernel.shmmax", "kernel.shmmni", "kernel.shm_rmid_forced"),
    )
)
_SYSCTL_TREES = ("net.", "fs.mqueue.")


def read_sysctl(text: str) -> str:
    """Raises BadValue unless it is a setting of the container alone."""
    name, equals, _ = text.partition("=")
    if equals and (name in _SYSCTLS or name.startswith(_SYSCTL_TREES)):
        return text
    raise BadValue(f"sysctl '{text}' is not allowed")


FLAGS = (
    Flag("cap-add", "", "list", "Give a capability of the kernel"),
    Flag("cap-drop", "", "list", "Take a capability away"),
    Flag("cgroupns", "", "string", "Cgroup namespace: host, or private", since="1.41"),
    Flag("group-add", "", "list", "Further group of the program"),
    Flag("ipc", "", "string", "IPC namespace: none, private, shareable, host, or container:<name|id>"),
    Flag("pid", "", "string", "PID namespace: host, or container:<name|id>"),
    Flag("privileged", "", "", "Switch isolation off: all capabilities, all devices"),
    Flag("read-only", "", "", "Mount the root file system read-only"),
    Flag("security-opt", "", "list", "Security option, such as no-new-privileges or seccomp=profile.json"),
    Flag(
        "sysctl", "", "map", "Kernel parameter of the container: name=value", gathers=True, check=read_sysctl
    ),
    Flag("userns", "", "string", "User namespace: host"),
    Flag("uts", "", "string", "UTS namespace: host"),
)

_MODES = (
    ("pid", "PidMode", "PID", True),
    ("uts", "UTSMode", "UTS", False),
    ("userns", "UsernsMode", "USER", False),
)


def fill(given: Given, body: dict[str, Any], host: dict[str, Any]) -> None:
    """Raises UsageError."""
    for flag, field, words, may_join in _MODES:
        mode = given[flag]
        joined = may_join and mode.startswith("container:") and mode != "container:"
        if mode not in ("", "host") and not joined:
            raise UsageError(f"lading: --{flag}: invalid {words} mode")
        host[field] = mode
    if given["cgroupns"] not in ("", "host", "private"):
        raise UsageError("lading: --cgroupns: invalid CGROUP mode")
    host["CgroupnsMode"] = given["cgroupns"]
    host["IpcMode"] = given["ipc"]
    host["Privileged"] = given["privileged"]
    host["ReadonlyRootfs"] = given["read-only"]
    host["GroupAdd"] = given["group-add"] or None
    host["CapAdd"], host["CapDrop"] = _capabilities(given["cap-add"], given["cap-drop"])
    if given["sysctl"]:
        host["Sysctls"] = to_map(given["sysctl"])
    _fill_security_options(given["security-opt"], host)


def _capabilities(add: list[str], drop: list[str]) -> tuple[list[str] | None, list[str] | None]:
    added, dropped = set(map(_capability, add)), set(map(_capability, drop))
    return sorted(added) or None, sorted(dropped) or None


def _capability(name: str) -> str:
    name = name.strip().upper()
    return name if name in ("ALL", "RESET") or name.startswith("CAP_") else f"CAP_{name}"


def _fill_security_options(options: list[str], host: dict[str, Any]) -> None:
    kept = []
    for option in options:
        separator = "=" if "=" in option else ":"
        name, found, value = option.partition(separator)
        if not found and option != "no-new-privileges":
            raise UsageError(f'lading: Invalid --security-opt: "{option}"')
        if option == "systempaths=unconfined":
            host["MaskedPaths"], host["ReadonlyPaths"] = [], []
        elif name == "seccomp" and value not in ("unconfined", "builtin"):
            kept.append(f"seccomp={_seccomp_profile(value)}")
        else:
            kept.append(option)
    host["SecurityOpt"] = kept if options else None


def _seccomp_profile(path: str) -> str:
    """The profile in a file, compact, as the engine has no access to our files."""
    import json

    try:
        with open(path, encoding="utf-8") as file:
            return json.dumps(json.load(file), separators=(",", ":"))
    except OSError as error:
        reason = (error.strerror or "").lower()
        raise UsageError(f"lading: opening seccomp profile ({path}) failed: open {path}: {reason}") from None
    except ValueError as error:
        raise UsageError(f"lading: compacting json for seccomp profile ({path}) failed: {error}") from None
