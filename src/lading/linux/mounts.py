"""Mounts: overlay, bind, tmpfs, unmounting, and reading the mount table.

Source: mount(2), fsopen(2), fsconfig(2), fsmount(2), move_mount(2), umount2(2),
proc_pid_mountinfo(5), and the kernel's filesystems/overlayfs.rst.
"""

import ctypes
import errno
import os
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NoReturn

MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC = 0x1, 0x2, 0x4, 0x8
MS_REMOUNT, MS_BIND, MS_REC, MS_PRIVATE, MS_SLAVE, MS_SHARED = (
    0x20,
    0x1000,
    0x4000,
    0x40000,
    0x80000,
    0x100000,
)
MNT_FORCE, MNT_DETACH, UMOUNT_NOFOLLOW = 0x1, 0x2, 0x8

_FSOPEN, _FSCONFIG, _FSMOUNT, _MOVE_MOUNT, _MOUNT_SETATTR = 430, 431, 432, 429, 442
_AT_EMPTY_PATH, _AT_RECURSIVE = 0x1000, 0x8000
_FSOPEN_CLOEXEC = _FSMOUNT_CLOEXEC = 1
_SET_FLAG, _SET_STRING, _CREATE = 0, 1, 6
_MOVE_MOUNT_F_EMPTY_PATH = 0x4
_MOUNT_ATTR = {MS_RDONLY: 0x1, MS_NOSUID: 0x2, MS_NODEV: 0x4, MS_NOEXEC: 0x8}
_AT_FDCWD = -100
_CLONE_FS = 0x200
# mount(2) copies one page of options.
_OPTIONS_LIMIT = 4095
# OVL_MAX_STACK: lower directories of one overlay.
MAX_LOWER = 500

_libc = ctypes.CDLL(None, use_errno=True)
_libc.syscall.restype = ctypes.c_long
_libc.mount.argtypes = (
    ctypes.c_char_p,
    ctypes.c_char_p,
    ctypes.c_char_p,
    ctypes.c_ulong,
    ctypes.c_char_p,
)


@dataclass(frozen=True, slots=True)
class Overlay:
    """The parts of an overlay mount: lower directories, topmost first; upper and work both or neither."""

    lower: Sequence[str]
    upper: str = ""
    work: str = ""
    options: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class MountInfo:
    """One line of the mount table; `options` are those of the file system itself."""

    mount_id: int
    parent_id: int
    device: str
    root: str
    target: str
    options: str
    fs_type: str
    source: str
    super_options: str


def mount(source: str, target: str, fs_type: str = "", flags: int = 0, options: str = "") -> None:
    """mount(2). Raises OSError."""
    done = _libc.mount(
        os.fsencode(source),
        os.fsencode(target),
        os.fsencode(fs_type) or None,
        flags,
        os.fsencode(options) or None,
    )
    if done < 0:
        _fail(f"mount {target}")


def bind(source: str, target: str, *, recursive: bool = False, read_only: bool = False) -> None:
    """Shows `source` at `target` too. Raises OSError."""
    mount(source, target, flags=MS_BIND | (MS_REC if recursive else 0))
    if read_only:
        # A bind mount takes its flags only in a second step.
        mount("", target, flags=MS_REMOUNT | MS_BIND | MS_RDONLY)


def tmpfs(target: str, *, size: int = 0, mode: int = 0o755, flags: int = MS_NOSUID | MS_NODEV) -> None:
    """An empty file system in memory, of at most `size` bytes where given. Raises OSError."""
    options = f"mode={mode:o}" + (f",size={size}" if size else "")
    mount("tmpfs", target, "tmpfs", flags, options)


def make_private(target: str, *, recursive: bool = True) -> None:
    """Stops mounts from spreading to and from `target`. Raises OSError."""
    mount("", target, flags=MS_PRIVATE | (MS_REC if recursive else 0))


class _MountAttr(ctypes.Structure):
    _fields_ = [
        ("set", ctypes.c_uint64),
        ("clear", ctypes.c_uint64),
        ("propagation", ctypes.c_uint64),
        ("user_namespace", ctypes.c_uint64),
    ]


def restrict(mounted: int, flags: int, *, recursive: bool = True) -> None:
    """Adds `flags` to the mount whose root is the descriptor `mounted`, and to all below it.

    Before Linux 5.12, which has no mount_setattr(2), only to the mount itself. Raises OSError.
    """
    try:
        _set_attributes(
            mounted, _MountAttr(sum(bit for flag, bit in _MOUNT_ATTR.items() if flags & flag)), recursive
        )
    except OSError as error:
        if error.errno != errno.ENOSYS:
            raise
        mount("", f"/proc/self/fd/{mounted}", flags=MS_REMOUNT | MS_BIND | flags)


def set_propagation(mounted: int, propagation: int, *, recursive: bool) -> None:
    """Whether mounts spread to and from the mount at descriptor `mounted`: MS_PRIVATE, MS_SLAVE, MS_SHARED.

    Raises OSError.
    """
    _set_attributes(mounted, _MountAttr(propagation=propagation), recursive)


def _set_attributes(mounted: int, wanted: _MountAttr, recursive: bool) -> None:
    _call(
        "mount_setattr",
        _MOUNT_SETATTR,
        ctypes.c_int(mounted),
        ctypes.c_char_p(b""),
        ctypes.c_uint(_AT_EMPTY_PATH | (_AT_RECURSIVE if recursive else 0)),
        ctypes.byref(wanted),
        ctypes.c_size_t(ctypes.sizeof(wanted)),
    )


def attach(tree: int, target: str) -> None:
    """Puts a mount that is nowhere yet, by its descriptor, at `target`. Raises OSError."""
    _call(
        "move_mount",
        _MOVE_MOUNT,
        ctypes.c_int(tree),
        ctypes.c_char_p(b""),
        ctypes.c_int(_AT_FDCWD),
        ctypes.c_char_p(os.fsencode(target)),
        ctypes.c_uint(_MOVE_MOUNT_F_EMPTY_PATH),
    )


def unmount(target: str, flags: int = UMOUNT_NOFOLLOW) -> None:
    """umount2(2). Raises OSError."""
    if _libc.umount2(os.fsencode(target), flags) < 0:
        _fail(f"unmount {target}")


def unmount_if_mounted(target: str, flags: int = UMOUNT_NOFOLLOW | MNT_DETACH) -> bool:
    """Unmounts whatever is on `target`; tells whether there was something. Raises OSError."""
    try:
        unmount(target, flags)
    except OSError as error:
        if error.errno in (errno.EINVAL, errno.ENOENT):
            return False
        raise
    return True


class _Kernel:
    """What this kernel turned out to know; asked once, by doing."""

    new_mount_api = True


def overlay(parts: Overlay, target: str, flags: int = 0) -> None:
    """Mounts an overlay. Raises OSError, E2BIG for too many layers.

    The new mount API takes any number of layers one by one (Linux 6.5). Older
    kernels get one page of options, with relative names where that is too short.
    """
    count = len(parts.lower)
    if count > MAX_LOWER:
        raise OSError(errno.E2BIG, f"{count} layers are more than the {MAX_LOWER} that overlay can stack")
    if _Kernel.new_mount_api:
        try:
            _overlay_by_fsconfig(parts, target, flags)
        except OSError as error:
            if error.errno not in (errno.ENOSYS, errno.EINVAL, errno.EPERM):
                raise
            # Not settled yet: the old way may fail likewise, and then it was not the API's fault.
            _overlay_by_mount(parts, target, flags)
            _Kernel.new_mount_api = False
        return
    _overlay_by_mount(parts, target, flags)


def _overlay_by_fsconfig(parts: Overlay, target: str, flags: int) -> None:
    context = _call("fsopen overlay", _FSOPEN, ctypes.c_char_p(b"overlay"), ctypes.c_uint(_FSOPEN_CLOEXEC))
    try:
        _set(context, b"source", b"overlay")
        for layer in parts.lower:
            _set(context, b"lowerdir+", os.fsencode(layer))
        if parts.upper:
            # Unlike "lowerdir+", these are read as if they stood in an option string.
            _set(context, b"upperdir", os.fsencode(parts.upper).replace(b"\\", b"\\\\"))
            _set(context, b"workdir", os.fsencode(parts.work).replace(b"\\", b"\\\\"))
        for option in parts.options:
            key, _, value = option.partition("=")
            _set(context, key.encode(), value.encode() if value else None)
        _configure(context, _CREATE, None, None)
        attributes = 0
        for flag, attribute in _MOUNT_ATTR.items():
            if flags & flag:
                attributes |= attribute
        tree = _call(
            "fsmount",
            _FSMOUNT,
            ctypes.c_int(context),
            ctypes.c_uint(_FSMOUNT_CLOEXEC),
            ctypes.c_uint(attributes),
        )
        try:
            _call(
                f"mount {target}",
                _MOVE_MOUNT,
                ctypes.c_int(tree),
                ctypes.c_char_p(b""),
                ctypes.c_int(_AT_FDCWD),
                ctypes.c_char_p(os.fsencode(target)),
                ctypes.c_uint(_MOVE_MOUNT_F_EMPTY_PATH),
            )
        finally:
            os.close(tree)
    finally:
        os.close(context)


def _set(context: int, key: bytes, value: bytes | None) -> None:
    _configure(context, _SET_FLAG if value is None else _SET_STRING, key, value)


def _configure(context: int, command: int, key: bytes | None, value: bytes | None) -> None:
    _call(
        f"fsconfig {key!r}",
        _FSCONFIG,
        ctypes.c_int(context),
        ctypes.c_uint(command),
        ctypes.c_char_p(key),
        ctypes.c_char_p(value),
        ctypes.c_int(0),
    )


def _overlay_by_mount(parts: Overlay, target: str, flags: int) -> None:
    options = overlay_options(parts, "")
    if len(os.fsencode(options)) <= _OPTIONS_LIMIT:
        mount("overlay", target, "overlay", flags, options)
        return
    common = os.path.commonpath([*parts.lower, parts.upper or parts.lower[0]])
    options = overlay_options(parts, common)
    if len(os.fsencode(options)) > _OPTIONS_LIMIT:
        said = f"{len(parts.lower)} layers are too many for this kernel: Linux 6.5 and newer take more"
        raise OSError(errno.E2BIG, said)
    _from_directory(common, lambda: mount("overlay", os.path.abspath(target), "overlay", flags, options))


def overlay_options(parts: Overlay, start: str) -> str:
    """The option string of mount(2), with names relative to `start` where given."""

    def name(path: str) -> str:
        shown = os.path.relpath(path, start) if start else path
        return shown.replace("\\", "\\\\").replace(":", "\\:").replace(",", "\\,")

    options = ["lowerdir=" + ":".join(map(name, parts.lower))]
    if parts.upper:
        options += [f"upperdir={name(parts.upper)}", f"workdir={name(parts.work)}"]
    return ",".join([*options, *parts.options])


def _from_directory(directory: str, action: Callable[[], None]) -> None:
    """Runs `action` in a thread with a working directory of its own."""
    failures: list[BaseException] = []

    def run() -> None:
        try:
            if _libc.unshare(_CLONE_FS) < 0:
                _fail("unshare")
            os.chdir(directory)
            action()
        except OSError as error:
            failures.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    if failures:
        raise failures[0]


def _call(what: str, number: int, *arguments: object) -> int:
    result: int = _libc.syscall(number, *arguments)
    if result < 0:
        _fail(what)
    return result


def _fail(what: str) -> NoReturn:
    code = ctypes.get_errno()
    raise OSError(code, f"{what}: {os.strerror(code)}")


def sync_filesystem(path: str) -> None:
    """Writes everything of the file system that holds `path` to its disk. Raises OSError."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        if _libc.syncfs(descriptor) < 0:
            _fail(f"syncfs {path}")
    finally:
        os.close(descriptor)


def table(pid: int | str = "self") -> list[MountInfo]:
    """The mounts of a process's namespace, in the order they were made."""
    with open(f"/proc/{pid}/mountinfo", "rb") as file:
        return [parse_mountinfo(line) for line in file]


def parse_mountinfo(line: bytes) -> MountInfo:
    """One line of /proc/<pid>/mountinfo."""
    front, _, back = os.fsdecode(line).rstrip("\n").partition(" - ")
    mount_id, parent, device, root, target, options = front.split(" ")[:6]
    fs_type, source, super_options = [*back.split(" ", 2), "", ""][:3]
    return MountInfo(
        int(mount_id),
        int(parent),
        device,
        _unescape(root),
        _unescape(target),
        options,
        fs_type,
        _unescape(source),
        super_options,
    )


def _unescape(text: str) -> str:
    if "\\" not in text:
        return text
    for code, character in ((r"\040", " "), (r"\011", "\t"), (r"\012", "\n"), (r"\134", "\\")):
        text = text.replace(code, character)
    return text
