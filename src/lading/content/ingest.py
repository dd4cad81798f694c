"""One blob while it is being written."""

import hashlib
import os
import secrets

from lading.errors import InvalidParameter


class DigestMismatch(InvalidParameter):
    """The bytes that came are not those that were meant."""


class Ingest:
    """A blob under a temporary name, hashed as it is written. One thread at a time.

    Nothing refers to it yet: `discard` at any point leaves nothing behind, and
    so does a crash.
    """

    def __init__(self, directory: str, name: str = "") -> None:
        """A file of any name, or of this one, which may be there already. Raises OSError."""
        self.path = f"{directory}/{name or secrets.token_hex(8)}"
        self.size = 0
        self.digest = ""
        self._hash = hashlib.sha256()
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC
        self._descriptor = os.open(self.path, flags if name else flags | os.O_EXCL, 0o600)

    def write(self, piece: bytes | memoryview) -> None:
        """Adds to the blob. Raises OSError, as when the disk is full."""
        self._hash.update(piece)
        self.size += len(piece)
        view = memoryview(piece)
        while view:
            view = view[os.write(self._descriptor, view) :]

    def finish(self, expected: str = "") -> str:
        """Ends the writing and gives the digest.

        Raises DigestMismatch, and discards the blob, where another digest was `expected`.
        """
        self.digest = f"sha256:{self._hash.hexdigest()}"
        self._close()
        if expected and expected != self.digest:
            self.discard()
            raise DigestMismatch(f"digest mismatch: expected {expected}, got {self.digest}")
        return self.digest

    def discard(self) -> None:
        """Drops the blob, unless it was kept already."""
        self._close()
        try:
            os.unlink(self.path)
        except FileNotFoundError:
            pass

    def leave(self) -> None:
        """Gives up; what came so far is of no use to anyone."""
        self.discard()

    def _close(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1
