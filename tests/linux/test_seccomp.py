"""Compiled seccomp filters, loaded by the kernel into a process that tries what they forbid."""

import errno
import platform
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from lading.linux import seccomp
from lading.linux.seccomp_newer import NUMBERS
from lading.runtime.spec.seccomp import default

pytestmark = pytest.mark.skipif(platform.machine() != "x86_64", reason="the numbers below are x86-64's")

_LOADER = """
import ctypes, sys
libc = ctypes.CDLL(None, use_errno=True)
libc.syscall.restype = ctypes.c_long
program = open(sys.argv[1], "rb").read()
class Program(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("filter", ctypes.c_char_p)]
assert libc.prctl(38, 1, 0, 0, 0) == 0
assert libc.prctl(22, 2, ctypes.byref(Program(len(program) // 8, program)), 0, 0) == 0
for call in sys.argv[2:]:
    words = [ctypes.c_long(int(word, 0)) for word in call.split(",")]
    ctypes.set_errno(0)
    libc.syscall(*words)
    print(ctypes.get_errno())
"""
_SOCKET, _UNSHARE, _PERSONALITY, _CLONE3, _IO_URING_SETUP, _GETPID = 41, 272, 135, 435, 425, 39
_MKDIR, _STATMOUNT, _LSM_LIST_MODULES = 83, NUMBERS["statmount"], NUMBERS["lsm_list_modules"]


def _errors(profile: dict[str, Any], tmp_path: Path, *calls: tuple[int, ...]) -> list[int]:
    """The errno of each call (number and arguments) under the profile."""
    path = tmp_path / "filter"
    path.write_bytes(seccomp.compile_filter(profile))
    words = [",".join(str(word) for word in call) for call in calls]
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", _LOADER, path, *words], capture_output=True, text=True, timeout=30
    )
    assert done.returncode == 0, done
    return [int(line) for line in done.stdout.split()]


def _profile(action: str, *rules: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"defaultAction": action, "syscalls": list(rules), **more}


def test_the_default_profile_at_work(tmp_path: Path) -> None:
    calls = {
        (_GETPID,): 0,
        (_UNSHARE, 0x10000000): errno.EPERM,
        (_CLONE3, 0, 0): errno.ENOSYS,
        (_IO_URING_SETUP, 1, 0): errno.EPERM,
        (_PERSONALITY, 0xFFFFFFFF): 0,
        (_PERSONALITY, 0x0040000): errno.EPERM,
        (_SOCKET, 1, 1, 0): 0,
        (_SOCKET, 16, 3, 0): 0,
        (_SOCKET, 38, 5, 0): errno.EPERM,
        (_SOCKET, 40, 1, 0): errno.EPERM,
    }
    assert _errors(default(frozenset(), "x86_64"), tmp_path, *calls) == list(calls.values())


def test_calls_younger_than_the_library_are_allowed_or_unknown(tmp_path: Path) -> None:
    # With arguments that the kernel itself refuses, in another way than the filter does.
    statmount, modules, future = _errors(
        default(frozenset(), "x86_64"),
        tmp_path,
        (_STATMOUNT, 0, 0, 0, 0),
        (_LSM_LIST_MODULES, 0, 0, 1),
        (900,),
    )
    assert statmount in (errno.EFAULT, errno.EINVAL, errno.ENOSYS)
    assert modules == errno.EPERM
    assert future == errno.ENOSYS


def test_other_actions_and_comparisons(tmp_path: Path) -> None:
    one_of_two = [
        {"index": 0, "op": "SCMP_CMP_EQ", "value": 38},
        {"index": 0, "op": "SCMP_CMP_EQ", "value": 40},
    ]
    profile = _profile(
        "SCMP_ACT_ALLOW",
        {"names": ["mkdir", "no_such_call"], "action": "SCMP_ACT_ERRNO", "errnoRet": errno.EXDEV},
        {"names": ["socket"], "action": "SCMP_ACT_ERRNO", "args": one_of_two},
        {"names": ["getpid"], "action": "SCMP_ACT_ALLOW"},
    )
    found = _errors(
        profile,
        tmp_path,
        (_MKDIR, 0, 0),
        (_SOCKET, 38, 5, 0),
        (_SOCKET, 40, 1, 0),
        (_SOCKET, 1, 1, 0),
        (900,),
    )
    assert found == [errno.EXDEV, errno.EPERM, errno.EPERM, 0, errno.ENOSYS]


@pytest.mark.parametrize(
    "profile",
    [
        _profile("SCMP_ACT_NOTIFY"),
        _profile("SCMP_ACT_ALLOW", flags=["SECCOMP_FILTER_FLAG_LOG"]),
        _profile("SCMP_ACT_ALLOW", {"names": ["read"], "action": "SCMP_ACT_TRACE"}),
        _profile("SCMP_ACT_ALLOW", {"names": ["read"], "action": "SCMP_ACT_ERRNO", "args": [{"index": 0}]}),
        _profile(
            "SCMP_ACT_ALLOW",
            {
                "names": ["read"],
                "action": "SCMP_ACT_ERRNO",
                "args": [{"index": 9, "op": "SCMP_CMP_EQ", "value": 0}],
            },
        ),
        {},
    ],
)
def test_what_no_program_can_do_is_said(profile: dict[str, Any]) -> None:
    with pytest.raises(seccomp.SeccompError):
        seccomp.compile_filter(profile)
