"""Giving directories a layer only passes through what they have in the layers below.

An archive may hold `etc/motd` without `etc`. In overlay the directory of the
upper layer is the one that is seen, so it must look like the one it covers.
"""

import errno
import os
import stat
from collections.abc import Iterable, Sequence

from lading.linux import confined
from lading.snapshots.unpack import OPAQUE_XATTR

_OPEN = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW
_NOT_THERE = (errno.ENOENT, errno.ENOTDIR, errno.ELOOP)
_RESOLVE = confined.RESOLVE_IN_ROOT | confined.RESOLVE_NO_SYMLINKS


def inherit(directory: str, implied: Iterable[bytes], below: Sequence[str]) -> None:
    """Describes the `implied` directories as the layers `below`, lowest first, do. Raises OSError."""
    if not below:
        return
    flags = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
    own = os.open(directory, flags)
    roots = []
    try:
        roots = [os.open(layer, flags) for layer in reversed(below)]
        for path in implied:
            _inherit_one(own, path, roots)
    finally:
        for descriptor in (own, *roots):
            os.close(descriptor)


def _inherit_one(own: int, path: bytes, roots: Iterable[int]) -> None:
    for root in roots:
        try:
            model = confined.open_in_root(root, path, _OPEN, resolve=_RESOLVE)
        except OSError as error:
            if error.errno not in _NOT_THERE:
                raise
            if _hidden(root, path):
                return
            continue
        try:
            _copy(model, own, path)
        finally:
            os.close(model)
        return


def _hidden(root: int, path: bytes) -> bool:
    """Whether a layer has something else at `path`, or above it, that ends the search."""
    try:
        os.close(confined.open_in_root(root, path, os.O_PATH | os.O_NOFOLLOW, resolve=_RESOLVE))
    except OSError as error:
        return error.errno != errno.ENOENT
    return True


def _copy(model: int, own: int, path: bytes) -> None:
    target = confined.open_in_root(own, path, _OPEN, resolve=_RESOLVE)
    try:
        shown = os.fstat(model)
        os.chown(target, shown.st_uid, shown.st_gid)
        os.chmod(target, stat.S_IMODE(shown.st_mode))
        for name in os.listxattr(model):
            if name != OPAQUE_XATTR and not name.startswith("trusted.overlay."):
                os.setxattr(target, name, os.getxattr(model, name))
        os.utime(target, ns=(shown.st_atime_ns, shown.st_mtime_ns))
    finally:
        os.close(target)
