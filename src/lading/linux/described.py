"""Directories as an archive describes them, kept until all their content is there.

Putting a file into a directory changes its time, and a setgid directory hands
its group on; so they get what was said of them last. Archives may have very
many of them, so each is kept in few bytes.
"""

import struct
from collections.abc import Iterator

from lading.oci import tar

# Mode, UID, GID, time in nanoseconds, and when it was described.
_PACKED = struct.Struct("<HQQqQ")
_MOST = (1 << 64) - 1
_LAST_MOMENT = (1 << 63) - 1


def moment(entry: tar.Entry) -> int:
    """A member's time in nanoseconds; 1970 where a file system cannot hold it, as docker does."""
    return entry.mtime_ns if 0 <= entry.mtime_ns <= _LAST_MOMENT else 0


class Descriptions:
    """One archive's directories by path."""

    def __init__(self) -> None:
        self._packed: dict[bytes, bytes] = {}
        self._xattrs: dict[bytes, dict[bytes, bytes]] = {}
        self._displaced: dict[bytes, int] = {}
        self._number = 0

    def __contains__(self, path: bytes) -> bool:
        return path in self._packed and not self._is_gone(path)

    def add(self, path: bytes, entry: tar.Entry) -> bool:
        """Remembers what an entry says; the last one counts. Tells whether the path is new.

        Raises OverflowError for owners that no system has.
        """
        if max(entry.uid, entry.gid) > _MOST:
            raise OverflowError("the number of its owner is too big")
        self._number += 1
        new = path not in self._packed
        self._packed[path] = _PACKED.pack(entry.mode, entry.uid, entry.gid, moment(entry), self._number)
        if entry.xattrs:
            self._xattrs[path] = entry.xattrs
        else:
            self._xattrs.pop(path, None)
        return new

    def displace(self, path: bytes) -> None:
        """Something else came in the place of `path`: what was said of it and all below counts no more.

        Not searched for now: an archive may do this as often as it has entries.
        """
        self._number += 1
        self._displaced[path] = self._number

    def _is_gone(self, path: bytes) -> bool:
        if not self._displaced:
            return False
        number = _PACKED.unpack(self._packed[path])[-1]
        while True:
            if self._displaced.get(path, 0) > number:
                return True
            if not path:
                return False
            path = path.rpartition(b"/")[0]

    def entries(self) -> Iterator[tuple[bytes, tar.Entry]]:
        """Every directory that is still there, last described first, with what was said of it."""
        for path, packed in reversed(self._packed.items()):
            if not self._is_gone(path):
                mode, uid, gid, time, _ = _PACKED.unpack(packed)
                xattrs = self._xattrs.get(path)
                yield path, tar.Entry(path, tar.DIRECTORY, mode, uid, gid, mtime_ns=time, xattrs=xattrs)
