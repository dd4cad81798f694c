"""Blobs that come from far away: what has arrived outlives whatever ends the transfer."""

import hashlib
import os
import threading
import time
from collections.abc import Iterator
from contextlib import suppress

from lading.content.ingest import Ingest

LIFETIME = 24 * 3600.0
"""Seconds for which bytes that nobody adds to are kept."""

_PIECE = 256 << 10
_opening = threading.Lock()


class Partial(Ingest):
    """A blob under the digest it shall have. One thread at a time, one object for a digest.

    What an earlier transfer left has to be taken in by `recover`, or dropped by
    `restart`, before the first `write`. Its bytes may be wrong, as after a power
    cut: only `finish` tells.
    """

    def __init__(self, directory: str, digest: str, in_use: set[str]) -> None:
        """Raises OSError where the file cannot be opened."""
        self._name = digest.removeprefix("sha256:")
        self._in_use = in_use
        with _opening:
            super().__init__(directory, self._name)
            in_use.add(self._name)
        self.left = os.fstat(self._descriptor).st_size

    def recover(self) -> Iterator[bytes]:
        """The bytes that an earlier transfer left. Raises OSError."""
        while piece := os.read(self._descriptor, _PIECE):
            self._hash.update(piece)
            self.size += len(piece)
            yield piece

    def restart(self) -> None:
        """Drops the bytes that an earlier transfer left. Raises OSError."""
        os.ftruncate(self._descriptor, 0)
        os.lseek(self._descriptor, 0, os.SEEK_SET)
        self._hash = hashlib.sha256()
        self.size = self.left = 0

    def leave(self) -> None:
        """Ends the writing for now; the bytes wait for another transfer."""
        self._close()
        self._in_use.discard(self._name)

    def discard(self) -> None:
        super().discard()
        self._in_use.discard(self._name)


def remove_partials(directory: str, in_use: set[str], older_than: float) -> int:
    """Removes what transfers left and nobody added to for `older_than` seconds; how many bytes that was."""
    removed = 0
    for name in stale_partials(directory, in_use, older_than):
        path = f"{directory}/{name}"
        # A transfer may end, and take its file away, at any moment; or begin, and want it.
        with _opening, suppress(FileNotFoundError):
            if name not in in_use:
                size = os.lstat(path).st_size
                os.unlink(path)
                removed += size
    return removed


def stale_partials(directory: str, in_use: set[str], older_than: float) -> list[str]:
    """What transfers left and nobody added to for `older_than` seconds."""
    try:
        names = os.listdir(directory)
    except FileNotFoundError:
        return []
    latest = time.time() - older_than
    found = []
    for name in names:
        with suppress(FileNotFoundError):
            if name not in in_use and os.lstat(f"{directory}/{name}").st_mtime <= latest:
                found.append(name)
    return found
