"""System calls younger than the installed libseccomp.

libseccomp compiles only what it knows by name. On a newer kernel the rest would
fall to the filter's default, EPERM, where programs that try a new call before
an old one wait for ENOSYS. So a few instructions before libseccomp's own allow
the newer calls a profile names, and answer ENOSYS to numbers nobody knows yet.
Source: linux/filter.h, seccomp(2), the kernel's syscall tables: since 5.1 all
machines give new calls the same numbers.
"""

import struct
from collections.abc import Iterable

NUMBERS = {
    name: number
    for number, name in enumerate(
        """cachestat fchmodat2 map_shadow_stack futex_wake futex_wait futex_requeue statmount listmount
        lsm_get_self_attr lsm_set_self_attr lsm_list_modules mseal setxattrat getxattrat listxattrat
        removexattrat open_tree_attr file_getattr file_setattr listns""".split(),
        start=451,
    )
}
_UNKNOWN_FROM = max(NUMBERS.values()) + 1
# Above lie x32 (from 2^30), MIPS (from 4000) and ARM's own calls (from 0xF0000).
_UNKNOWN_TO = 1024

_LOAD_WORD = 0x20
_JUMP_EQUAL = 0x15
_JUMP_GREATER_OR_EQUAL = 0x35
_RETURN = 0x06
_AT_NUMBER, _AT_ARCHITECTURE = 0, 4
_ALLOW = 0x7FFF0000
_ENOSYS = 0x00050000 | 38


def prelude(allowed: Iterable[int], architecture: int) -> bytes:
    """Instructions to put before a filter for the machine's own `architecture` (AUDIT_ARCH_*)."""
    numbers = sorted(allowed)
    end = 7 + len(numbers)
    program = [
        (_LOAD_WORD, 0, 0, _AT_ARCHITECTURE),
        (_JUMP_EQUAL, 0, end - 2, architecture),
        (_LOAD_WORD, 0, 0, _AT_NUMBER),
    ]
    program += [(_JUMP_EQUAL, end - 5 - at, 0, number) for at, number in enumerate(numbers)]
    program += [
        (_JUMP_GREATER_OR_EQUAL, 0, 3, _UNKNOWN_FROM),
        (_JUMP_GREATER_OR_EQUAL, 2, 0, _UNKNOWN_TO),
        (_RETURN, 0, 0, _ENOSYS),
        (_RETURN, 0, 0, _ALLOW),
    ]
    return b"".join(struct.pack("=HBBI", *instruction) for instruction in program)
