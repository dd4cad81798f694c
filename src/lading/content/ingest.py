"""One blob while it is being written."""

import hashlib
import os
import secrets

from lading.errors import InvalidParameter


class Ingest:
    """A blob under a temporary name, hashed as it is written. One thread at a time.

    Nothing refers to it yet: `discard` at any point leaves nothing behind, and
    so does a crash.
    """

    def __init__(self, directory: str) -> None:
        """Raises OSError where the file cannot be made."""
        self.path = f"{directory}/{secrets.token_hex(8)}"
        self.size = 0
        self.digest = ""
        self._hash = hashlib.sha256()
        self._descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)

    def write(self, piece: bytes | memoryview) -> None:
        """Adds to the blob. Raises OSError, as when the disk is full."""
        self._hash.update(piece)
        self.size += len(piece)
        view = memoryview(piece)
        while view:
            view = view[os.write(self._descriptor, view) :]

    def finish(self, expected: str = "") -> str:
        """Ends the writing and gives the digest.

        Raises InvalidParameter, and discards the blob, where another digest was `expected`.
        """
        self.digest = f"sha256:{self._hash.hexdigest()}"
        os.close(self._descriptor)
        self._descriptor = -1
        if expected and expected != self.digest:
            self.discard()
            raise InvalidParameter(f"digest mismatch: expected {expected}, got {self.digest}")
        return self.digest

    def discard(self) -> None:
        """Drops the blob, unless it was kept already."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1
        try:
            os.unlink(self.path)
        except FileNotFoundError:
            pass
