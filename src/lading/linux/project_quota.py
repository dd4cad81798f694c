"""Project quotas: a limit of bytes for a directory with all that comes to be below it.

XFS mounted with `pquota`, and other file systems with project quotas in force.
Source: quotactl(2), quotactl_fd(2) (Linux 5.14), linux/dqblk_xfs.h, linux/fs.h (struct fsxattr).
"""

import ctypes
import fcntl
import os
import struct

_QUOTACTL_FD = 443
_PROJECT = 2
_GET_STATE, _SET_LIMIT = 0x5805 << 8 | _PROJECT, 0x5804 << 8 | _PROJECT
_ACCOUNTED, _ENFORCED = 1 << 4, 1 << 5
_GET_ATTRIBUTES, _SET_ATTRIBUTES = 0x801C581F, 0x401C5820
_ATTRIBUTES = struct.Struct("=5I8x")
_INHERIT = 0x200
_BLOCK = 512
_VERSION, _OF_PROJECT, _SOFT_AND_HARD = 1, 2, 1 << 2 | 1 << 3
_LIMIT = struct.Struct("=bbHIQQ88x")

_libc = ctypes.CDLL(None, use_errno=True)
_libc.syscall.restype = ctypes.c_long


def enforced(path: str) -> bool:
    """Whether the file system that holds `path` keeps to project quotas."""
    state = ctypes.create_string_buffer(128)
    directory = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        _quotactl(directory, _GET_STATE, 0, state)
    except OSError:
        return False
    finally:
        os.close(directory)
    flags: int = struct.unpack_from("=H", state.raw, 2)[0]
    return bool(flags & _ACCOUNTED and flags & _ENFORCED)


def limit(path: str, project: int, size: int) -> None:
    """Gives an empty directory at most `size` bytes. Its project number is its alone. Raises OSError."""
    directory = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        present = fcntl.ioctl(directory, _GET_ATTRIBUTES, bytes(_ATTRIBUTES.size))
        flags, extent, extents, _, copied = _ATTRIBUTES.unpack(present)
        wanted = _ATTRIBUTES.pack(flags | _INHERIT, extent, extents, project, copied)
        fcntl.ioctl(directory, _SET_ATTRIBUTES, wanted)
        blocks = -(-size // _BLOCK)
        quota = _LIMIT.pack(_VERSION, _OF_PROJECT, _SOFT_AND_HARD, project, blocks, blocks)
        _quotactl(directory, _SET_LIMIT, project, ctypes.create_string_buffer(quota, len(quota)))
    finally:
        os.close(directory)


def _quotactl(directory: int, command: int, project: int, data: "ctypes.Array[ctypes.c_char]") -> None:
    result = _libc.syscall(
        _QUOTACTL_FD,
        ctypes.c_uint(directory),
        ctypes.c_uint(command),
        ctypes.c_uint(project),
        ctypes.byref(data),
    )
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, f"quotactl: {os.strerror(code)}")
