"""Seccomp profiles as users write them: Docker's format, which adds conditions to the OCI's. Pure.

Source: Docker's documentation, "Seccomp security profiles for Docker":
`includes` and `excludes` of capabilities, architectures and kernels, `archMap`.
"""

import re
from typing import Any

import msgspec
from msgspec import Struct

from lading.errors import InvalidParameter
from lading.runtime.spec import default_profile as facts

_NAMES = {"x86_64": "amd64", "i686": "x86", "aarch64": "arm64", "armv7l": "arm"}
"""What profiles call a machine, where it is not what uname(2) says."""

_KERNEL = re.compile(r"(\d+)\.(\d+)\Z")


class _Condition(Struct, rename="camel"):
    caps: list[str] | None = None
    arches: list[str] | None = None
    min_kernel: str | None = None


class _Argument(Struct, rename="camel", omit_defaults=True):
    index: int
    op: str
    value: int
    value_two: int = 0


class _Rule(Struct, rename="camel"):
    action: str
    names: list[str] | None = None
    name: str = ""
    errno_ret: int | None = None
    args: list[_Argument] | None = None
    includes: _Condition | None = None
    excludes: _Condition | None = None


class _Machine(Struct, rename="camel"):
    architecture: str
    sub_architectures: list[str] | None = None


class _Profile(Struct, rename="camel"):
    default_action: str = ""
    default_errno_ret: int | None = None
    architectures: list[str] | None = None
    arch_map: list[_Machine] | None = None
    flags: list[str] | None = None
    listener_path: str = ""
    listener_metadata: str = ""
    syscalls: list[_Rule] | None = None


def custom(
    text: str, capabilities: frozenset[str], machine: str, kernel: tuple[int, int]
) -> dict[str, Any] | None:
    """The OCI object of a profile's JSON text, None for a profile that confines nothing.

    `capabilities` are those of the container's bounding set. Raises InvalidParameter.
    """
    try:
        profile = msgspec.json.decode(text, type=_Profile)
    except (msgspec.DecodeError, UnicodeEncodeError) as error:
        raise InvalidParameter(f"Decoding seccomp profile failed: {error}") from None
    if not profile.default_action and not profile.syscalls:
        return None
    if profile.architectures and profile.arch_map:
        raise InvalidParameter(
            "both 'architectures' and 'archMap' are specified in the seccomp profile, "
            "use either 'architectures' or 'archMap'"
        )
    machine_name = _NAMES.get(machine, machine)
    rules = [
        _oci_rule(rule)
        for rule in profile.syscalls or ()
        if _included(rule.includes, capabilities, machine_name, kernel)
        and not _excluded(rule.excludes, capabilities, machine_name, kernel)
    ]
    result: dict[str, Any] = {
        "defaultAction": profile.default_action,
        "architectures": _architectures(profile, machine),
        "syscalls": rules,
    }
    for key, value in (
        ("defaultErrnoRet", profile.default_errno_ret),
        ("flags", profile.flags),
        ("listenerPath", profile.listener_path),
        ("listenerMetadata", profile.listener_metadata),
    ):
        if value:
            result[key] = value
    return result


def _architectures(profile: _Profile, machine: str) -> list[str]:
    if profile.architectures:
        return profile.architectures
    native = facts.ARCHITECTURES.get(machine, [])[:1]
    for entry in profile.arch_map or ():
        if entry.architecture in native:
            return [entry.architecture, *(entry.sub_architectures or ())]
    return native


def _oci_rule(rule: _Rule) -> dict[str, Any]:
    if rule.name and rule.names:
        raise InvalidParameter(
            "both 'name' and 'names' are specified in the seccomp profile, use either 'name' or 'names'"
        )
    result: dict[str, Any] = {
        "names": rule.names or ([rule.name] if rule.name else []),
        "action": rule.action,
    }
    if rule.errno_ret is not None:
        result["errnoRet"] = rule.errno_ret
    if rule.args:
        result["args"] = msgspec.to_builtins(rule.args)
    return result


def _included(
    wanted: _Condition | None, capabilities: frozenset[str], machine: str, kernel: tuple[int, int]
) -> bool:
    """Whether all that is named holds."""
    if wanted is None:
        return True
    return (
        capabilities.issuperset(wanted.caps or ())
        and (not wanted.arches or machine in wanted.arches)
        and (not wanted.min_kernel or kernel >= _version(wanted.min_kernel))
    )


def _excluded(
    unwanted: _Condition | None, capabilities: frozenset[str], machine: str, kernel: tuple[int, int]
) -> bool:
    """Whether anything that is named holds."""
    if unwanted is None:
        return False
    return (
        not capabilities.isdisjoint(unwanted.caps or ())
        or machine in (unwanted.arches or ())
        or bool(unwanted.min_kernel and kernel >= _version(unwanted.min_kernel))
    )


def _version(text: str) -> tuple[int, int]:
    found = _KERNEL.match(text)
    if found is None:
        raise InvalidParameter(
            f"Decoding seccomp profile failed: invalid kernel version: {text}, expected <kernel>.<major>"
        )
    return int(found[1]), int(found[2])
