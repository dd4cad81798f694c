"""The `linux.seccomp` object of a container. Pure.

Source: runtime-spec 1.2, config-linux.md, "Seccomp"; the profile format with
`includes`, `excludes` and `archMap` is Docker's.
"""

import json
from functools import lru_cache
from typing import Any

from lading.errors import InvalidParameter
from lading.runtime.spec import default_profile as facts

_ERRNO, _ALLOW = "SCMP_ACT_ERRNO", "SCMP_ACT_ALLOW"
_EPERM, _ENOSYS = 1, 38


@lru_cache(maxsize=32)
def default(capabilities: frozenset[str], machine: str) -> dict[str, Any]:
    """The built-in profile for a process with these capabilities."""
    names = {*facts.ALWAYS, *facts.BY_ARCHITECTURE.get(machine, ())}
    for capability, granted in facts.BY_CAPABILITY.items():
        if capability in capabilities:
            names.update(granted)
    rules: list[dict[str, Any]] = [{"names": sorted(names), "action": _ALLOW}]
    rules += [_when("personality", value, "SCMP_CMP_EQ") for value in facts.PERSONALITIES]
    rules.append(_when("socket", facts.AF_VSOCK, "SCMP_CMP_NE"))
    if "CAP_SYS_ADMIN" not in capabilities:
        masked = {"index": 0, "value": facts.CLONE_NAMESPACES, "valueTwo": 0, "op": "SCMP_CMP_MASKED_EQ"}
        rules.append({"names": ["clone"], "action": _ALLOW, "args": [masked]})
        # glibc falls back to clone, whose flags a filter can see, only on ENOSYS.
        rules.append({"names": ["clone3"], "action": _ERRNO, "errnoRet": _ENOSYS})
    return {
        "defaultAction": _ERRNO,
        "defaultErrnoRet": _EPERM,
        "architectures": facts.SUB_ARCHITECTURES.get(machine, []),
        "syscalls": rules,
    }


def _when(name: str, value: int, operator: str) -> dict[str, Any]:
    return {"names": [name], "action": _ALLOW, "args": [{"index": 0, "value": value, "op": operator}]}


def custom(text: str, capabilities: frozenset[str], machine: str, kernel: tuple[int, int]) -> dict[str, Any]:
    """A user's profile in Docker's format. Raises InvalidParameter."""
    try:
        profile = json.loads(text)
    except ValueError as error:
        raise InvalidParameter(f"Decoding seccomp profile failed: {error}") from None
    if not isinstance(profile, dict) or "defaultAction" not in profile:
        raise InvalidParameter("Decoding seccomp profile failed: it has no defaultAction")
    result: dict[str, Any] = {"defaultAction": profile["defaultAction"], "syscalls": []}
    for key in ("defaultErrnoRet", "flags", "listenerPath", "listenerMetadata"):
        if profile.get(key):
            result[key] = profile[key]
    result["architectures"] = _architectures(profile, machine)
    for rule in profile.get("syscalls") or []:
        if _applies(rule.get("includes") or {}, capabilities, machine, kernel, empty=True) and not _excluded(
            rule.get("excludes") or {}, capabilities, machine, kernel
        ):
            result["syscalls"].append(_rule(rule))
    return result


def _architectures(profile: dict[str, Any], machine: str) -> list[str]:
    if profile.get("architectures"):
        return list(profile["architectures"])
    native = facts.SUB_ARCHITECTURES.get(machine, [])[:1]
    for entry in profile.get("archMap") or []:
        if entry.get("architecture") in native:
            return [entry["architecture"], *(entry.get("subArchitectures") or [])]
    return native


def _rule(rule: dict[str, Any]) -> dict[str, Any]:
    names = rule.get("names") or ([rule["name"]] if rule.get("name") else [])
    result: dict[str, Any] = {"names": names, "action": rule.get("action", _ALLOW)}
    if rule.get("errnoRet") is not None:
        result["errnoRet"] = rule["errnoRet"]
    if rule.get("args"):
        result["args"] = [
            {key: argument[key] for key in ("index", "value", "valueTwo", "op") if key in argument}
            for argument in rule["args"]
        ]
    return result


def _applies(
    condition: dict[str, Any],
    capabilities: frozenset[str],
    machine: str,
    kernel: tuple[int, int],
    *,
    empty: bool,
) -> bool:
    """Whether every part of a condition holds; `empty` is the answer where it has none."""
    parts = []
    if condition.get("caps"):
        parts.append(capabilities.issuperset(condition["caps"]))
    if condition.get("arches"):
        parts.append(_go_name(machine) in condition["arches"])
    if condition.get("minKernel"):
        wanted = tuple(int(part) for part in str(condition["minKernel"]).split(".")[:2])
        parts.append(kernel >= wanted)
    return all(parts) if parts else empty


def _excluded(
    condition: dict[str, Any], capabilities: frozenset[str], machine: str, kernel: tuple[int, int]
) -> bool:
    if condition.get("caps") and not capabilities.isdisjoint(condition["caps"]):
        return True
    rest = {key: value for key, value in condition.items() if key != "caps"}
    return _applies(rest, capabilities, machine, kernel, empty=False)


def _go_name(machine: str) -> str:
    return {"x86_64": "amd64", "aarch64": "arm64"}.get(machine, machine)
