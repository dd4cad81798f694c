"""Unpacking a layer archive into a directory.

Source: image-spec layer.md (whiteouts, opaque directories), the kernel's
overlayfs.rst (how overlay stores both). The work itself is `linux.extract`'s.
"""

import os
import stat
from collections.abc import Callable

from lading.errors import InvalidParameter
from lading.linux.extract import Extraction, Unpacked, parts_inside
from lading.linux.tally import Limits
from lading.oci import tar

WHITEOUT_PREFIX = b".wh."
OPAQUE_MARKER = b".wh..wh..opq"
OPAQUE_XATTR = "trusted.overlay.opaque"

_AUFS_PREFIX = b".wh..wh."


def unpack(
    pull: Callable[[], bytes],
    root: int,
    displace: Callable[[int, bytes], None],
    limits: Limits | None = None,
) -> Unpacked:
    """Unpacks a plain tar stream into the directory `root` (a descriptor).

    `displace(directory, name)` takes away a directory that a later entry
    replaces. Raises InvalidParameter for a bad archive, TooLarge, and
    InternalError where the file system fails.
    """
    layer = _Layer(root, displace, limits)
    unpacked = layer.run(pull)
    unpacked.hiding = list(layer.hiding)
    return unpacked


class _Layer(Extraction):
    def __init__(
        self, root: int, displace: Callable[[int, bytes], None], limits: Limits | None = None
    ) -> None:
        super().__init__(root, displace, limits)
        self.hiding: dict[bytes, None] = {}

    def put(self, entry: tar.Entry, parent: bytes, name: bytes, reader: tar.Reader) -> None:
        if name.startswith(WHITEOUT_PREFIX):
            self._whiteout(parent, name)
        else:
            super().put(entry, parent, name, reader)

    def dangling(self, directory: int, name: bytes, above: bytes, depth: int) -> None:
        # To a directory of a lower layer: what lies there comes to lie in this one too.
        target = os.readlink(name, dir_fd=directory)
        base = b"" if target.startswith(b"/") else above
        self.parent(b"/".join(parts_inside(base, target, clamp=True)), depth + 1)

    def hides(self, present: os.stat_result) -> bool:
        return is_whiteout(present)

    def replaced(self, parent: int, name: bytes) -> None:
        # What was there hid a directory of the same name below, and so must the new one.
        _set_opaque(parent, name)

    def _whiteout(self, parent: bytes, name: bytes) -> None:
        directory = self.parent(parent)
        self.hiding[parent] = None
        if name == OPAQUE_MARKER:
            os.setxattr(directory, OPAQUE_XATTR, b"y")
            return
        if name.startswith(_AUFS_PREFIX):
            return
        hidden = name[len(WHITEOUT_PREFIX) :]
        if hidden in (b"", b".", b".."):
            raise InvalidParameter(f"invalid whiteout {os.fsdecode(name)!r}")
        try:
            os.mknod(hidden, stat.S_IFCHR, 0, dir_fd=directory)
        except FileExistsError:
            # A whiteout hides what is below; what this layer itself has stays.
            if stat.S_ISDIR(os.stat(hidden, dir_fd=directory, follow_symlinks=False).st_mode):
                _set_opaque(directory, hidden)


def is_whiteout(present: os.stat_result) -> bool:
    """Whether overlay takes it for the mark of something deleted."""
    return stat.S_ISCHR(present.st_mode) and present.st_rdev == 0


def is_opaque(directory: str | int) -> bool:
    """Whether a directory, by path or descriptor, hides what is below it."""
    try:
        return os.getxattr(directory, OPAQUE_XATTR) == b"y"
    except OSError:
        return False


def _set_opaque(parent: int, name: bytes) -> None:
    descriptor = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=parent)
    try:
        os.setxattr(descriptor, OPAQUE_XATTR, b"y")
    finally:
        os.close(descriptor)
