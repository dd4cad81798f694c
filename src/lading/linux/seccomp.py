"""Seccomp filters compiled by libseccomp into the kernel's raw form.

Compiling the default profile costs an OCI runtime some 13 ms at every start;
compiled once, a filter is a few kilobytes that any number of starts share.
Source: seccomp(2), libseccomp's C interface 2.5.
"""

import ctypes
import os
from collections.abc import Mapping
from typing import Any

_ACTIONS = {
    "SCMP_ACT_KILL": 0x00000000,
    "SCMP_ACT_KILL_THREAD": 0x00000000,
    "SCMP_ACT_KILL_PROCESS": 0x80000000,
    "SCMP_ACT_TRAP": 0x00030000,
    "SCMP_ACT_LOG": 0x7FFC0000,
    "SCMP_ACT_ALLOW": 0x7FFF0000,
}
_ERRNO = 0x00050000
_COMPARISONS = {
    "SCMP_CMP_NE": 1,
    "SCMP_CMP_LT": 2,
    "SCMP_CMP_LE": 3,
    "SCMP_CMP_EQ": 4,
    "SCMP_CMP_GE": 5,
    "SCMP_CMP_GT": 6,
    "SCMP_CMP_MASKED_EQ": 7,
}
_ATTRIBUTE_NO_NEW_PRIVILEGES = 3
_ATTRIBUTE_OPTIMIZE = 8
_EEXIST = -17


class _Comparison(ctypes.Structure):
    _fields_ = [
        ("argument", ctypes.c_uint),
        ("operator", ctypes.c_int),
        ("first", ctypes.c_uint64),
        ("second", ctypes.c_uint64),
    ]


class SeccompError(Exception):
    """libseccomp is missing or refused a filter."""


def compile_filter(profile: Mapping[str, Any]) -> bytes:
    """The raw BPF program of an OCI `linux.seccomp` object.

    Names of system calls this machine does not have are passed over, as OCI
    runtimes do. Raises SeccompError, also for actions that need more than a
    program (notify, trace).
    """
    library = _library()
    handle = library.seccomp_init(_action(profile["defaultAction"], profile.get("defaultErrnoRet")))
    if not handle:
        raise SeccompError("libseccomp refused the default action")
    handle = ctypes.c_void_p(handle)
    try:
        library.seccomp_attr_set(handle, _ATTRIBUTE_NO_NEW_PRIVILEGES, 0)
        # A binary tree instead of a list: fewer instructions for each system call.
        library.seccomp_attr_set(handle, _ATTRIBUTE_OPTIMIZE, 2)
        for name in profile.get("architectures", ()):
            _add_architecture(library, handle, name)
        for rule in profile.get("syscalls", ()):
            _add_rule(library, handle, rule)
        return _export(library, handle)
    finally:
        library.seccomp_release(handle)


def _library() -> ctypes.CDLL:
    try:
        library = ctypes.CDLL("libseccomp.so.2", use_errno=True)
    except OSError as error:
        raise SeccompError(str(error)) from None
    library.seccomp_init.restype = ctypes.c_void_p
    library.seccomp_arch_resolve_name.restype = ctypes.c_uint32
    return library


def _action(name: str, number: int | None) -> int:
    if name == "SCMP_ACT_ERRNO":
        return _ERRNO | ((1 if number is None else number) & 0xFFFF)
    try:
        return _ACTIONS[name]
    except KeyError:
        raise SeccompError(f"the action {name} needs more than a program") from None


def _add_architecture(library: ctypes.CDLL, handle: ctypes.c_void_p, name: str) -> None:
    number = library.seccomp_arch_resolve_name(name.removeprefix("SCMP_ARCH_").lower().encode())
    if not number:
        return
    result = library.seccomp_arch_add(handle, ctypes.c_uint32(number))
    if result not in (0, _EEXIST):
        raise SeccompError(f"libseccomp refused the architecture {name}: {os.strerror(-result)}")


def _add_rule(library: ctypes.CDLL, handle: ctypes.c_void_p, rule: Mapping[str, Any]) -> None:
    action = _action(rule["action"], rule.get("errnoRet"))
    arguments = rule.get("args") or []
    comparisons = (_Comparison * len(arguments))(
        *(
            _Comparison(entry["index"], _COMPARISONS[entry["op"]], entry["value"], entry.get("valueTwo", 0))
            for entry in arguments
        )
    )
    for name in rule["names"]:
        number = library.seccomp_syscall_resolve_name(name.encode())
        if number == -1:
            continue
        result = library.seccomp_rule_add_array(
            handle, ctypes.c_uint32(action), number, len(arguments), comparisons
        )
        # A rule equal to the default action says nothing; one for a foreign architecture may not apply.
        if result < 0 and result not in (-13, -22, -33):
            raise SeccompError(f"libseccomp refused the rule for {name}: {os.strerror(-result)}")


def _export(library: ctypes.CDLL, handle: ctypes.c_void_p) -> bytes:
    descriptor = os.memfd_create("seccomp", os.MFD_CLOEXEC)
    try:
        result = library.seccomp_export_bpf(handle, descriptor)
        if result < 0:
            raise SeccompError(f"libseccomp could not export the filter: {os.strerror(-result)}")
        return os.pread(descriptor, os.fstat(descriptor).st_size, 0)
    finally:
        os.close(descriptor)
