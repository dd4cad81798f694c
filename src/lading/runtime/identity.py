"""Looking a user up in the container's own files."""

import os
import stat
from collections.abc import Iterable

from lading.linux import confined
from lading.runtime.spec import User, find_user

_LARGEST = 4 * 1024 * 1024


def look_up_user(rootfs: str, spec: str, extra: Iterable[str] | None = None) -> User:
    """The user `spec` names in the tree at `rootfs`, whose symbolic links cannot lead out of it.

    Raises InvalidParameter where there is no such user or group.
    """
    root = os.open(rootfs, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        return find_user(spec, _read(root, b"etc/passwd"), _read(root, b"etc/group"), extra)
    finally:
        os.close(root)


def _read(root: int, path: bytes) -> str:
    try:
        found = confined.open_in_root(root, path, os.O_PATH)
    except OSError:
        return ""
    try:
        # An image may have a FIFO or a device there, which merely to open can do harm.
        if not stat.S_ISREG(os.fstat(found).st_mode):
            return ""
        with open(f"/proc/self/fd/{found}", encoding="utf-8", errors="replace") as file:
            return file.read(_LARGEST)
    except OSError:
        return ""
    finally:
        os.close(found)
