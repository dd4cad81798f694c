"""Seccomp filters compiled by libseccomp into the kernel's raw form.

Compiling the default profile costs an OCI runtime some 13 ms at every start;
compiled once, a filter is a few kilobytes that any number of starts share.
Source: seccomp(2), libseccomp's C interface 2.5; runtime-spec 1.2, "Seccomp".
"""

import ctypes
import errno
import os
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from lading.linux import seccomp_newer

_ACTIONS = {
    "SCMP_ACT_KILL": 0x00000000,
    "SCMP_ACT_KILL_THREAD": 0x00000000,
    "SCMP_ACT_KILL_PROCESS": 0x80000000,
    "SCMP_ACT_TRAP": 0x00030000,
    "SCMP_ACT_LOG": 0x7FFC0000,
    "SCMP_ACT_ALLOW": 0x7FFF0000,
}
_ERRNO = 0x00050000
_ERRNO_EPERM = _ERRNO | errno.EPERM
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
_BINARY_TREE = 2
_NOT_A_PROGRAM = ("flags", "listenerPath", "listenerMetadata")


class _Comparison(ctypes.Structure):
    _fields_ = [
        ("argument", ctypes.c_uint),
        ("operator", ctypes.c_int),
        ("first", ctypes.c_uint64),
        ("second", ctypes.c_uint64),
    ]


class _Version(ctypes.Structure):
    _fields_ = [("major", ctypes.c_uint), ("minor", ctypes.c_uint), ("micro", ctypes.c_uint)]


class SeccompError(Exception):
    """libseccomp is missing, or no program can do what the profile wants."""


def library_version() -> str:
    """Of libseccomp, such as "2.5.4". Raises SeccompError."""
    version = _library().seccomp_version().contents
    return f"{version.major}.{version.minor}.{version.micro}"


def compile_filter(profile: Mapping[str, Any]) -> bytes:
    """The raw BPF program of an OCI `linux.seccomp` object.

    Names of system calls this machine does not have are passed over, as OCI
    runtimes do. Raises SeccompError, also for what a program alone cannot do
    (flags, tracing, notification).
    """
    try:
        return _compile(_library(), profile)
    except (KeyError, TypeError, ValueError, ctypes.ArgumentError) as error:
        raise SeccompError(f"not a seccomp profile: {error!r}") from None


def _compile(library: ctypes.CDLL, profile: Mapping[str, Any]) -> bytes:
    if any(profile.get(key) for key in _NOT_A_PROGRAM):
        raise SeccompError("it wants more than a program")
    default = _action(profile["defaultAction"], profile.get("defaultErrnoRet"))
    address = library.seccomp_init(ctypes.c_uint32(default))
    if not address:
        raise SeccompError("libseccomp refused the default action")
    handle = ctypes.c_void_p(address)
    try:
        # Set by the OCI runtime, as its configuration says, not by the filter.
        library.seccomp_attr_set(handle, _ATTRIBUTE_NO_NEW_PRIVILEGES, 0)
        # Fewer instructions for each system call than a list has.
        library.seccomp_attr_set(handle, _ATTRIBUTE_OPTIMIZE, _BINARY_TREE)
        for name in profile.get("architectures") or ():
            _add_architecture(library, handle, name)
        newer: set[int] = set()
        for rule in profile.get("syscalls") or ():
            newer |= _add_rule(library, handle, rule, default)
        program = _export(library, handle)
    finally:
        library.seccomp_release(handle)
    if default != _ERRNO_EPERM:
        return program
    return seccomp_newer.prelude(newer, library.seccomp_arch_native()) + program


@lru_cache(maxsize=1)
def _library() -> ctypes.CDLL:
    try:
        library = ctypes.CDLL("libseccomp.so.2", use_errno=True)
    except OSError as error:
        raise SeccompError(str(error)) from None
    library.seccomp_init.restype = ctypes.c_void_p
    library.seccomp_arch_resolve_name.restype = ctypes.c_uint32
    library.seccomp_arch_native.restype = ctypes.c_uint32
    library.seccomp_version.restype = ctypes.POINTER(_Version)
    return library


def _action(name: str, number: int | None) -> int:
    if name == "SCMP_ACT_ERRNO":
        return _ERRNO | ((errno.EPERM if number is None else number) & 0xFFFF)
    try:
        return _ACTIONS[name]
    except KeyError:
        raise SeccompError(f"the action {name} needs more than a program") from None


def _add_architecture(library: ctypes.CDLL, handle: ctypes.c_void_p, name: str) -> None:
    number = library.seccomp_arch_resolve_name(name.removeprefix("SCMP_ARCH_").lower().encode())
    if not number:
        return
    result = library.seccomp_arch_add(handle, ctypes.c_uint32(number))
    if result not in (0, -errno.EEXIST):
        raise SeccompError(f"libseccomp refused the architecture {name}: {os.strerror(-result)}")


def _add_rule(
    library: ctypes.CDLL, handle: ctypes.c_void_p, rule: Mapping[str, Any], default: int
) -> set[int]:
    """Adds a rule; returns the numbers of the calls it allows that libseccomp does not know."""
    action = _action(rule["action"], rule.get("errnoRet"))
    if action == default:
        return set()
    newer = set()
    for name in rule["names"]:
        number = library.seccomp_syscall_resolve_name(name.encode())
        if number == -1:
            if action == _ACTIONS["SCMP_ACT_ALLOW"] and not rule.get("args"):
                newer.add(seccomp_newer.NUMBERS.get(name, 0))
            continue
        for comparisons in _comparisons(rule.get("args") or []):
            result = library.seccomp_rule_add_array(
                handle, ctypes.c_uint32(action), number, len(comparisons), comparisons
            )
            # EDOM: one of the architectures cannot compare it, such as arguments behind socketcall.
            if result < 0 and result != -errno.EDOM:
                raise SeccompError(f"libseccomp refused the rule for {name}: {os.strerror(-result)}")
    return newer - {0}


def _comparisons(arguments: list[Mapping[str, Any]]) -> list["ctypes.Array[_Comparison]"]:
    """All comparisons as one rule; as one rule each where an argument is compared twice, as runc does."""
    entries = [
        _Comparison(entry["index"], _COMPARISONS[entry["op"]], entry["value"], entry.get("valueTwo", 0))
        for entry in arguments
    ]
    if len({entry.argument for entry in entries}) == len(entries):
        return [(_Comparison * len(entries))(*entries)]
    return [(_Comparison * 1)(entry) for entry in entries]


def _export(library: ctypes.CDLL, handle: ctypes.c_void_p) -> bytes:
    descriptor = os.memfd_create("seccomp", os.MFD_CLOEXEC)
    try:
        result = library.seccomp_export_bpf(handle, descriptor)
        if result < 0:
            raise SeccompError(f"libseccomp could not export the filter: {os.strerror(-result)}")
        return os.pread(descriptor, os.fstat(descriptor).st_size, 0)
    finally:
        os.close(descriptor)
