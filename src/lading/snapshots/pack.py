"""A writable layer as the archive of a layer.

Source: image-spec layer.md (whiteouts, opaque directories), the kernel's
overlayfs.rst (how overlay stores both). The reverse of `unpack`.
"""

import os
from collections.abc import Callable, Collection

from lading.linux.collect import Collector
from lading.oci import tar, tar_writer
from lading.snapshots.unpack import OPAQUE_MARKER, WHITEOUT_PREFIX, is_opaque, is_whiteout

Push = Callable[[bytes], None]


def pack(directory: str, push: Push, taken_for_granted: Collection[str] = ()) -> None:
    """Writes the archive of an upper directory. Blocks. Raises OSError.

    What is `taken_for_granted`, absolute paths, is left out where it is empty.
    """
    root = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        packer = _Packer(push, frozenset(path.strip("/").encode() for path in taken_for_granted))
        packer.add_content(root)
        packer.finish()
    finally:
        os.close(root)


class _Packer(Collector):
    def __init__(self, push: Push, taken_for_granted: frozenset[bytes]) -> None:
        super().__init__(push)
        self._granted = taken_for_granted

    def entry(self, parent: int, name: bytes, shown: bytes) -> int | None:
        if shown in self._granted and _is_empty(parent, name):
            return None
        return super().entry(parent, name, shown)

    def directory(self, parent: int, name: bytes, shown: bytes) -> int:
        descriptor = super().directory(parent, name, shown)
        if is_opaque(descriptor):
            self._mark(shown + b"/" + OPAQUE_MARKER)
        return descriptor

    def node(self, parent: int, name: bytes, shown: bytes, found: os.stat_result) -> None:
        if is_whiteout(found):
            above, slash, _ = shown.rpartition(b"/")
            self._mark(above + slash + WHITEOUT_PREFIX + name)
        else:
            super().node(parent, name, shown, found)

    def _mark(self, name: bytes) -> None:
        self.put(tar_writer.header(tar.Entry(name, mode=0o600)))


def _is_empty(parent: int, name: bytes) -> bool:
    try:
        descriptor = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=parent)
    except NotADirectoryError:
        return os.stat(name, dir_fd=parent, follow_symlinks=False).st_size == 0
    except OSError:
        return False
    try:
        return not os.listdir(descriptor)
    finally:
        os.close(descriptor)
