"""Opening files beneath a root that a stranger's archive has filled.

Every step resolves as if the root were `/`: neither `..` nor a symbolic link
leads out. Source: openat2(2), RESOLVE_IN_ROOT, Linux 5.6.
"""

import ctypes
import errno
import os

RESOLVE_NO_XDEV = 0x01
RESOLVE_NO_MAGICLINKS = 0x02
RESOLVE_NO_SYMLINKS = 0x04
RESOLVE_IN_ROOT = 0x10

_OPENAT2 = 437
_libc = ctypes.CDLL(None, use_errno=True)


class _OpenHow(ctypes.Structure):
    _fields_ = [("flags", ctypes.c_uint64), ("mode", ctypes.c_uint64), ("resolve", ctypes.c_uint64)]


_HOW_SIZE = ctypes.sizeof(_OpenHow)
_syscall = _libc.syscall
_syscall.restype = ctypes.c_long


def open_in_root(
    root: int, path: bytes, flags: int, mode: int = 0, resolve: int = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS
) -> int:
    """A descriptor of `path`, resolved with the directory `root` as `/`. Raises OSError."""
    how = _OpenHow(flags | os.O_CLOEXEC, mode, resolve)
    while True:
        descriptor: int = _syscall(
            _OPENAT2,
            ctypes.c_int(root),
            ctypes.c_char_p(path or b"."),
            ctypes.byref(how),
            ctypes.c_size_t(_HOW_SIZE),
        )
        if descriptor >= 0:
            return descriptor
        code = ctypes.get_errno()
        # EAGAIN: something was renamed while the kernel checked a "..".
        if code not in (errno.EINTR, errno.EAGAIN):
            raise OSError(code, os.strerror(code), os.fsdecode(path))


def directory_in_root(root: int, path: bytes) -> int:
    """A descriptor of the directory `path`, following symbolic links inside the root only. Raises OSError."""
    return open_in_root(root, path, os.O_RDONLY | os.O_DIRECTORY)
