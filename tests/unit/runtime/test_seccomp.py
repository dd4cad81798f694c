"""Seccomp profiles: the engine's own, and users' in docker's format."""

import json
from typing import Any

import pytest

from lading.errors import InvalidParameter
from lading.runtime.spec.seccomp import custom, default


def _allowed(profile: dict[str, Any]) -> set[str]:
    """The calls allowed whatever their arguments."""
    rules = [rule for rule in profile["syscalls"] if rule["action"] == "SCMP_ACT_ALLOW"]
    return {name for rule in rules if not rule.get("args") for name in rule["names"]}


def test_what_reaches_past_a_container_needs_its_capability() -> None:
    plain = _allowed(default(frozenset(), "x86_64"))
    assert {"read", "openat", "execve", "ptrace", "arch_prctl", "chroot"} - plain == {"chroot"}
    assert plain.isdisjoint({"mount", "unshare", "setns", "bpf", "keyctl", "add_key", "kexec_load"})
    assert plain.isdisjoint({"io_uring_setup", "userfaultfd", "reboot", "open_by_handle_at", "clone"})
    admin = _allowed(default(frozenset(["CAP_SYS_ADMIN"]), "x86_64"))
    assert admin - plain >= {"mount", "unshare", "setns", "bpf", "clone", "clone3"}
    assert "keyctl" not in admin


def test_threads_can_be_made_but_not_namespaces() -> None:
    rules = default(frozenset(), "x86_64")["syscalls"]
    (clone,) = (rule for rule in rules if rule["names"] == ["clone"])
    assert clone["args"][0]["index"] == 0
    (clone3,) = (rule for rule in rules if rule["names"] == ["clone3"])
    assert (clone3["action"], clone3["errnoRet"]) == ("SCMP_ACT_ERRNO", 38)
    other = default(frozenset(), "s390x")["syscalls"]
    assert next(rule for rule in other if rule["names"] == ["clone"])["args"][0]["index"] == 1


def test_calls_of_one_machine_are_not_allowed_on_another() -> None:
    assert "arch_prctl" not in _allowed(default(frozenset(), "aarch64"))
    assert default(frozenset(), "aarch64")["architectures"] == ["SCMP_ARCH_AARCH64", "SCMP_ARCH_ARM"]
    assert default(frozenset(), "newmachine")["architectures"] == []


def _custom(profile: object, *capabilities: str, kernel: tuple[int, int] = (6, 1)) -> dict[str, Any]:
    result = custom(json.dumps(profile), frozenset(capabilities), "x86_64", kernel)
    assert result is not None
    return result


def _with(rule: dict[str, Any]) -> dict[str, Any]:
    return {
        "defaultAction": "SCMP_ACT_ERRNO",
        "syscalls": [{"names": ["mkdir"], "action": "SCMP_ACT_ALLOW", **rule}],
    }


@pytest.mark.parametrize(
    ("rule", "capabilities", "kernel", "there"),
    [
        ({}, [], (6, 1), True),
        ({"includes": {"caps": ["CAP_A", "CAP_B"]}}, ["CAP_A"], (6, 1), False),
        ({"includes": {"caps": ["CAP_A", "CAP_B"]}}, ["CAP_A", "CAP_B"], (6, 1), True),
        ({"includes": {"arches": ["arm64"]}}, [], (6, 1), False),
        ({"includes": {"arches": ["amd64", "x32"]}}, [], (6, 1), True),
        ({"includes": {"minKernel": "4.8"}}, [], (4, 7), False),
        ({"includes": {"minKernel": "4.8"}}, [], (4, 8), True),
        ({"includes": {"minKernel": "4.8"}}, [], (4, 10), True),
        ({"excludes": {"caps": ["CAP_A", "CAP_B"]}}, ["CAP_A"], (6, 1), False),
        ({"excludes": {"caps": ["CAP_A"], "arches": ["s390x"]}}, [], (6, 1), True),
        ({"excludes": {"caps": ["CAP_A"], "arches": ["amd64"]}}, [], (6, 1), False),
        ({"excludes": {"minKernel": "5.0"}}, [], (6, 1), False),
        ({"includes": {"arches": ["amd64"]}, "excludes": {"caps": ["CAP_A"]}}, ["CAP_A"], (6, 1), False),
    ],
)
def test_rules_under_conditions(
    rule: dict[str, Any], capabilities: list[str], kernel: tuple[int, int], there: bool
) -> None:
    result = _custom(_with(rule), *capabilities, kernel=kernel)
    assert bool(result["syscalls"]) is there


def test_rules_lose_their_conditions_and_keep_the_rest() -> None:
    argument = {"index": 1, "value": 5, "valueTwo": 7, "op": "SCMP_CMP_MASKED_EQ"}
    rule = {"args": [argument], "errnoRet": 13, "includes": {}, "comment": "why"}
    (result,) = _custom(_with(rule))["syscalls"]
    assert result == {"names": ["mkdir"], "action": "SCMP_ACT_ALLOW", "errnoRet": 13, "args": [argument]}


def test_an_old_rule_has_one_name() -> None:
    profile = {"defaultAction": "SCMP_ACT_ERRNO", "syscalls": [{"name": "mkdir", "action": "SCMP_ACT_LOG"}]}
    assert _custom(profile)["syscalls"] == [{"names": ["mkdir"], "action": "SCMP_ACT_LOG"}]


def test_architectures_come_from_the_map_or_the_list() -> None:
    machines = [
        {"architecture": "SCMP_ARCH_AARCH64", "subArchitectures": None},
        {"architecture": "SCMP_ARCH_X86_64", "subArchitectures": ["SCMP_ARCH_X86"]},
    ]
    base = {"defaultAction": "SCMP_ACT_ALLOW"}
    mapped = _custom({**base, "archMap": machines})
    assert mapped["architectures"] == ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86"]
    assert _custom({**base, "architectures": ["SCMP_ARCH_ARM"]})["architectures"] == ["SCMP_ARCH_ARM"]
    assert _custom(base)["architectures"] == ["SCMP_ARCH_X86_64"]


def test_an_empty_profile_confines_nothing() -> None:
    assert custom("{}", frozenset(), "x86_64", (6, 1)) is None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("not json", "Decoding seccomp profile failed"),
        ("[]", "Decoding seccomp profile failed"),
        ('{"defaultAction": 5}', "Decoding seccomp profile failed"),
        ('{"defaultAction": "x", "syscalls": [{"names": "a", "action": "b"}]}', "Decoding seccomp"),
        ('{"defaultAction": "x", "architectures": ["a"], "archMap": [{"architecture": "a"}]}', "use either"),
        (
            '{"defaultAction": "x", "syscalls": [{"name": "a", "names": ["b"], "action": "c"}]}',
            "use either 'name' or 'names'",
        ),
        (
            '{"defaultAction": "x", "syscalls":'
            ' [{"names": ["a"], "action": "b", "includes": {"minKernel": "six"}}]}',
            "invalid kernel version: six",
        ),
    ],
)
def test_profiles_that_make_no_sense(text: str, message: str) -> None:
    with pytest.raises(InvalidParameter, match=message):
        custom(text, frozenset(), "x86_64", (6, 1))
