"""Mounts put into, and taken out of, the mount namespace of a process that runs.

Source: open_tree(2), move_mount(2), mount_setattr(2), setns(2), mount_namespaces(7).
Linux 5.12 or newer.
"""

import ctypes
import os
import stat
from collections.abc import Callable, Sequence
from typing import TypeVar

from lading.linux import mounts
from lading.linux.namespaces import CLONE_NEWNS, in_own_thread

_OPEN_TREE = 428
_OPEN_TREE_CLONE, _OPEN_TREE_CLOEXEC = 1, os.O_CLOEXEC
_AT_FDCWD, _AT_RECURSIVE = -100, 0x8000
_CLONE_FS = 0x200

_PROPAGATION = {
    "private": mounts.MS_PRIVATE,
    "slave": mounts.MS_SLAVE,
    "shared": mounts.MS_SHARED,
}
_FLAGS = {
    "nosuid": mounts.MS_NOSUID,
    "nodev": mounts.MS_NODEV,
    "noexec": mounts.MS_NOEXEC,
    "ro": mounts.MS_RDONLY,
}

T = TypeVar("T")

_libc = ctypes.CDLL(None, use_errno=True)
_libc.syscall.restype = ctypes.c_long


def bind_into(pid: int, source: str, target: str, options: Sequence[str]) -> None:
    """Shows the host's `source` at `target` in the mounts of process `pid`, which is made if missing.

    `options` are those of an OCI bind mount. Symbolic links in `target` are
    followed as the process would. Raises OSError.
    """
    recursive = _AT_RECURSIVE if "rbind" in options else 0
    tree = _call("open_tree", _OPEN_TREE, source, _OPEN_TREE_CLONE | _OPEN_TREE_CLOEXEC | recursive)
    try:
        for option in options:
            if (propagation := _PROPAGATION.get(option.removeprefix("r"))) is not None:
                mounts.set_propagation(tree, propagation, recursive=option.startswith("r"))
        if "rro" in options or "ro" in options:
            mounts.restrict(tree, mounts.MS_RDONLY, recursive="rro" in options)
        is_directory = stat.S_ISDIR(os.stat(source).st_mode)

        def place() -> None:
            _make_target(target, is_directory)
            mounts.attach(tree, target)

        inside(pid, place)
    finally:
        os.close(tree)


def tmpfs_into(pid: int, target: str, options: Sequence[str]) -> None:
    """A file system in memory at `target` in the mounts of process `pid`. Raises OSError."""
    flags = sum(bit for option, bit in _FLAGS.items() if option in options)
    data = ",".join(option for option in options if "=" in option)

    def place() -> None:
        _make_target(target, is_directory=True)
        mounts.mount("tmpfs", target, "tmpfs", flags, data)

    inside(pid, place)


def unmount_inside(pid: int, target: str) -> None:
    """Takes away what is mounted at `target`; who uses it keeps it until done. Raises OSError."""
    inside(pid, lambda: mounts.unmount(target, mounts.MNT_DETACH | mounts.UMOUNT_NOFOLLOW))


def inside(pid: int, work: Callable[[], T]) -> T:
    """Runs `work` in a thread with the mounts, and the root, of process `pid`. Raises OSError."""
    namespace = os.open(f"/proc/{pid}/ns/mnt", os.O_RDONLY | os.O_CLOEXEC)

    def enter() -> T:
        # A thread may change its mounts only where its root is not that of others too.
        _check(_libc.unshare(_CLONE_FS), "unshare")
        _check(_libc.setns(namespace, CLONE_NEWNS), f"enter the mounts of process {pid}")
        return work()

    try:
        return in_own_thread(enter)
    finally:
        os.close(namespace)


def _make_target(target: str, is_directory: bool) -> None:
    if os.path.exists(target):
        return
    if is_directory:
        os.makedirs(target, mode=0o755)
        return
    os.makedirs(os.path.dirname(target), mode=0o755, exist_ok=True)
    os.close(os.open(target, os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644))


def _call(what: str, number: int, path: str, flags: int) -> int:
    result: int = _libc.syscall(
        number, ctypes.c_int(_AT_FDCWD), ctypes.c_char_p(os.fsencode(path)), ctypes.c_uint(flags)
    )
    return _check(result, f"{what} {path}")


def _check(result: int, what: str) -> int:
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, f"{what}: {os.strerror(code)}")
    return result
