"""Fitting an unpacked layer to the layers below it.

An archive may hold `etc/motd` without `etc`. In overlay the directory of the
upper layer is the one that is seen, so it must look like the one it covers.

An archive may also hide what is not there. Overlay filters whiteouts only
where it merges directories of several layers; in any other directory they are
listed, as names that nothing can be done with.
"""

import errno
import os
import stat
from collections.abc import Iterable, Iterator, Sequence

from lading.linux import confined
from lading.snapshots.unpack import OPAQUE_XATTR, is_opaque, is_whiteout

_ROOT = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
_OPEN = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW
_NOT_THERE = (errno.ENOENT, errno.ENOTDIR, errno.ELOOP)
_RESOLVE = confined.RESOLVE_IN_ROOT | confined.RESOLVE_NO_SYMLINKS


def inherit(directory: str, implied: Iterable[bytes], hiding: Iterable[bytes], below: Sequence[str]) -> None:
    """Describes the `implied` directories as the layers `below`, lowest first, do.

    Removes whiteouts from those `hiding` something where nothing is below. Raises OSError.
    """
    own = os.open(directory, _ROOT)
    opened: list[int] = []
    try:
        for path in hiding:
            _drop_idle_whiteouts(own, path, _downwards(below, opened))
        for path in implied:
            model = _below(path, _downwards(below, opened))
            if model is not None:
                _copy(model, own, path)
    finally:
        for descriptor in (own, *opened):
            os.close(descriptor)


def _downwards(below: Sequence[str], opened: list[int]) -> Iterator[int]:
    """Descriptors of the layers, topmost first, opened when they are needed: there may be hundreds."""
    for place, layer in enumerate(reversed(below)):
        if place == len(opened):
            opened.append(os.open(layer, _ROOT))
        yield opened[place]


def _below(path: bytes, roots: Iterable[int]) -> int | None:
    """A descriptor of the directory seen at `path` in the layers below, topmost first, if it is one."""
    for root in roots:
        try:
            return confined.open_in_root(root, path, _OPEN, resolve=_RESOLVE)
        except OSError as error:
            if error.errno not in _NOT_THERE:
                raise
            if _hidden(root, path):
                return None
    return None


def _hidden(root: int, path: bytes) -> bool:
    """Whether a layer without a directory at `path` keeps what is below it from being seen there."""
    try:
        os.close(confined.open_in_root(root, path, os.O_PATH | os.O_NOFOLLOW, resolve=_RESOLVE))
    except OSError as error:
        return error.errno != errno.ENOENT or _passes_opaque(root, path)
    return True


def _passes_opaque(root: int, path: bytes) -> bool:
    """Whether `path` or a directory above it, as far as they are there, hides what is below the layer."""
    for step in _steps(path):
        try:
            directory = confined.open_in_root(root, step, _OPEN, resolve=_RESOLVE)
        except OSError as error:
            if error.errno not in _NOT_THERE:
                raise
            return False
        try:
            if is_opaque(directory):
                return True
        finally:
            os.close(directory)
    return False


def _steps(path: bytes) -> Iterator[bytes]:
    """The directories down to `path`, the root first."""
    yield b""
    at = path.find(b"/")
    while at >= 0:
        yield path[:at]
        at = path.find(b"/", at + 1)
    if path:
        yield path


def _drop_idle_whiteouts(own: int, path: bytes, roots: Iterable[int]) -> None:
    try:
        directory = confined.open_in_root(own, path, _OPEN, resolve=_RESOLVE)
    except OSError as error:
        # A later entry put something else there, or it was reached through a link.
        if error.errno not in _NOT_THERE:
            raise
        return
    try:
        lower = None if _passes_opaque(own, path) else _below(path, roots)
        if lower is not None:
            os.close(lower)
            return
        shown = os.fstat(directory)
        for name in os.listdir(directory):
            if is_whiteout(os.stat(name, dir_fd=directory, follow_symlinks=False)):
                os.unlink(name, dir_fd=directory)
        os.utime(directory, ns=(shown.st_atime_ns, shown.st_mtime_ns))
    finally:
        os.close(directory)


def _copy(model: int, own: int, path: bytes) -> None:
    target = -1
    try:
        target = confined.open_in_root(own, path, _OPEN, resolve=_RESOLVE)
        shown = os.fstat(model)
        os.chown(target, shown.st_uid, shown.st_gid)
        os.chmod(target, stat.S_IMODE(shown.st_mode))
        for name in os.listxattr(model):
            if name != OPAQUE_XATTR and not name.startswith("trusted.overlay."):
                os.setxattr(target, name, os.getxattr(model, name))
        os.utime(target, ns=(shown.st_atime_ns, shown.st_mtime_ns))
    finally:
        os.close(model)
        if target >= 0:
            os.close(target)
