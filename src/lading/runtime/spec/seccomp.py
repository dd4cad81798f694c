"""The `linux.seccomp` object of a container: the engine's own profile, or a user's. Pure.

Source: runtime-spec 1.2, config-linux.md, "Seccomp"; seccomp(2).
"""

from functools import lru_cache
from typing import Any

from lading.runtime.spec import default_profile as facts
from lading.runtime.spec.seccomp_format import custom

__all__ = ["custom", "default"]

_ERRNO, _ALLOW = "SCMP_ACT_ERRNO", "SCMP_ACT_ALLOW"
_EPERM, _ENOSYS = 1, 38


@lru_cache(maxsize=32)
def default(capabilities: frozenset[str], machine: str) -> dict[str, Any]:
    """The built-in profile for a process with these capabilities; shared, not to be changed."""
    names = {*facts.ALWAYS, *facts.BY_MACHINE.get(machine, ())}
    for capability, calls in facts.BY_CAPABILITY.items():
        if capability in capabilities:
            names.update(calls)
    rules: list[dict[str, Any]] = [{"names": sorted(names), "action": _ALLOW}]
    rules += [_when("personality", value, "SCMP_CMP_EQ") for value in facts.PERSONALITIES]
    rules += _socket_rules()
    if "CAP_SYS_ADMIN" not in capabilities:
        rules += _clone_rules(facts.CLONE_FLAGS_ARGUMENT.get(machine, 0))
    return {
        "defaultAction": _ERRNO,
        "defaultErrnoRet": _EPERM,
        "architectures": facts.ARCHITECTURES.get(machine, []),
        "syscalls": rules,
    }


def _socket_rules() -> list[dict[str, Any]]:
    """Every address family but the barred ones; runtimes take one comparison of an argument per rule."""
    barred = sorted(facts.BARRED_SOCKETS)
    between = [value for value in range(barred[0], barred[-1]) if value not in barred]
    return [
        _when("socket", barred[0], "SCMP_CMP_LT"),
        *(_when("socket", value, "SCMP_CMP_EQ") for value in between),
        _when("socket", barred[-1], "SCMP_CMP_GT"),
    ]


def _clone_rules(argument: int) -> list[dict[str, Any]]:
    masked = {
        "index": argument,
        "value": facts.CLONE_NAMESPACES,
        "valueTwo": 0,
        "op": "SCMP_CMP_MASKED_EQ",
    }
    return [
        {"names": ["clone"], "action": _ALLOW, "args": [masked]},
        # Its flags lie in memory, where no filter sees them; C libraries take clone instead on ENOSYS only.
        {"names": ["clone3"], "action": _ERRNO, "errnoRet": _ENOSYS},
    ]


def _when(name: str, value: int, operator: str) -> dict[str, Any]:
    return {"names": [name], "action": _ALLOW, "args": [{"index": 0, "value": value, "op": operator}]}
