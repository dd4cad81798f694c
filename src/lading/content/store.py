"""The blobs that exist: their files and their rows."""

import logging
import os
import secrets
from collections.abc import Collection, Iterable
from contextlib import suppress

from lading.aio import tasks
from lading.content.ingest import Ingest
from lading.content.partial import LIFETIME, Partial, remove_partials, stale_partials
from lading.errors import NotFound
from lading.state import Database

_log = logging.getLogger(__name__)


class Content:
    """The blobs below one directory.

    Every method runs on the loop's thread, except `ingest` and `partial`.
    """

    def __init__(self, directory: str, database: Database) -> None:
        self._blobs = f"{directory}/blobs/sha256"
        self._ingest = f"{directory}/ingest"
        self._parts = f"{directory}/ingest/parts"
        self._parts_in_use: set[str] = set()
        self._database = database
        self._background = tasks.Background()
        self._going: set[str] = set()

    def open(self) -> None:
        """Makes the directories and removes what a crash left. Raises OSError."""
        for path in (self._blobs, self._ingest):
            os.makedirs(path, mode=0o700, exist_ok=True)
        for name in os.listdir(self._ingest):
            if name != os.path.basename(self._parts):
                os.unlink(f"{self._ingest}/{name}")
        remove_partials(self._parts, self._parts_in_use, LIFETIME)
        self.drop_unrecorded()

    def drop_unrecorded(self) -> None:
        """Removes files that no row stands for: after a crash, and after a transaction that failed."""
        known = {digest.removeprefix("sha256:") for digest in self.digests()}
        present = set(os.listdir(self._blobs))
        for name in present - known:
            os.unlink(f"{self._blobs}/{name}")
        if lost := known - present:
            # A power cut may undo a removal here and not on the disk.
            _log.warning("the files of %d blobs are missing: the blobs are forgotten", len(lost))
            with self._database.transaction() as transaction:
                transaction.executemany(
                    "DELETE FROM blobs WHERE digest = ?", [(f"sha256:{name}",) for name in lost]
                )

    def ingest(self) -> Ingest:
        """Begins a blob. May be called from any thread. Raises OSError."""
        return Ingest(self._ingest)

    def partial(self, digest: str) -> Partial:
        """Goes on with a blob that was begun before, or begins it.

        Any thread; not twice for one digest at a time. Raises OSError.
        """
        os.makedirs(self._parts, mode=0o700, exist_ok=True)
        return Partial(self._parts, digest, self._parts_in_use)

    def remove_partials(self, *, stale_only: bool = False) -> int:
        """Removes what broken transfers left to be gone on with; how many bytes that was."""
        return remove_partials(self._parts, self._parts_in_use, LIFETIME if stale_only else 0.0)

    def keep(self, arrived: Ingest, media_type: str = "") -> str:
        """Makes a finished blob exist, and gives its digest.

        Belongs into the transaction that needs the blob: without the commit the
        file is garbage.
        """
        if self.has(arrived.digest):
            arrived.discard()
            return arrived.digest
        os.rename(arrived.path, self.path(arrived.digest))
        self._parts_in_use.discard(os.path.basename(arrived.path))
        with self._database.transaction() as transaction:
            transaction.execute(
                "INSERT INTO blobs (digest, size, media_type) VALUES (?, ?, ?)",
                (arrived.digest, arrived.size, media_type),
            )
        return arrived.digest

    def restore(self, arrived: Ingest) -> None:
        """Puts a finished blob in the place of what lies under its digest, damaged or not."""
        os.rename(arrived.path, self.path(arrived.digest))
        with self._database.transaction() as transaction:
            transaction.execute(
                "INSERT INTO blobs (digest, size) VALUES (?, ?)"
                " ON CONFLICT (digest) DO UPDATE SET size = excluded.size",
                (arrived.digest, arrived.size),
            )

    def write(self, data: bytes, media_type: str = "", expected: str = "") -> str:
        """Keeps a small blob at once; otherwise as `keep`. Raises InvalidParameter on a digest mismatch."""
        arrived = self.ingest()
        try:
            arrived.write(data)
            arrived.finish(expected)
            return self.keep(arrived, media_type)
        except BaseException:
            arrived.discard()
            raise

    def has(self, digest: str) -> bool:
        """Whether the blob exists."""
        return self._database.one("SELECT 1 FROM blobs WHERE digest = ?", (digest,)) is not None

    def size(self, digest: str) -> int:
        """Its size in bytes. Raises NotFound."""
        row = self._database.one("SELECT size FROM blobs WHERE digest = ?", (digest,))
        if row is None:
            raise NotFound(f"blob {digest} not found")
        return int(row["size"])

    def sizes(self) -> dict[str, int]:
        """Every blob that exists, and its size in bytes."""
        return {row["digest"]: row["size"] for row in self._database.query("SELECT digest, size FROM blobs")}

    def of_types(self, media_types: Collection[str]) -> set[str]:
        """The blobs that were said to be one of these when they came."""
        rows = self._database.query("SELECT digest, media_type FROM blobs")
        return {row["digest"] for row in rows if row["media_type"] in media_types}

    def files(self) -> list[str]:
        """The blobs that have a file, whether or not they exist. Any thread. Raises OSError."""
        return [f"sha256:{name}" for name in os.listdir(self._blobs)]

    def remove_strays(self, digests: Iterable[str]) -> None:
        """Removes the files of blobs that do not exist."""
        for digest in digests:
            if not self.has(digest):
                with suppress(FileNotFoundError):
                    os.unlink(self.path(digest))

    def leftovers(self) -> list[str]:
        """What lies where blobs are written, and is not on its way out. Any thread. Raises OSError."""
        kept = os.path.basename(self._parts)
        return [name for name in os.listdir(self._ingest) if name != kept and name not in self._going]

    def remove_leftovers(self, names: Iterable[str]) -> None:
        """Removes what was once being written. Only while nothing is."""
        for name in names:
            with suppress(FileNotFoundError):
                os.unlink(f"{self._ingest}/{name}")

    def media_type(self, digest: str) -> str:
        """What it was said to be when it came. Raises NotFound."""
        row = self._database.one("SELECT media_type FROM blobs WHERE digest = ?", (digest,))
        if row is None:
            raise NotFound(f"blob {digest} not found")
        return str(row["media_type"])

    def path(self, digest: str) -> str:
        """Its file, for reading."""
        return f"{self._blobs}/{digest.removeprefix('sha256:')}"

    def read(self, digest: str) -> bytes:
        """A small blob whole. Raises NotFound."""
        try:
            with open(self.path(digest), "rb") as file:
                return file.read()
        except FileNotFoundError:
            raise NotFound(f"blob {digest} not found") from None

    def digests(self) -> frozenset[str]:
        """Every blob that exists."""
        return frozenset(row["digest"] for row in self._database.query("SELECT digest FROM blobs"))

    def remove_all_but(self, needed: Collection[str]) -> None:
        """Removes the blobs that are not `needed`, and bytes of blobs that nobody came for."""
        remove_partials(self._parts, self._parts_in_use, LIFETIME)
        self.remove(self.digests().difference(needed))

    def remove(self, digests: Iterable[str]) -> None:
        """Removes blobs; those that do not exist are passed over.

        Not inside a transaction: files go for good.
        """
        gone = list(digests)
        if not gone:
            return
        with self._database.transaction() as transaction:
            transaction.executemany("DELETE FROM blobs WHERE digest = ?", [(digest,) for digest in gone])
        unlinked = [moved for digest in gone if (moved := self._move_away(digest))]
        # Giving back a gigabyte takes the file system a tenth of a second.
        self._background.spawn(tasks.in_thread(self._unlink, unlinked), "remove blobs")

    def _move_away(self, digest: str) -> str:
        # The name must be free at once: the same blob may come again while the old file goes.
        name = secrets.token_hex(8)
        self._going.add(name)
        try:
            os.rename(self.path(digest), f"{self._ingest}/{name}")
        except FileNotFoundError:
            self._going.discard(name)
            return ""
        return name

    def _unlink(self, names: Iterable[str]) -> None:
        for name in names:
            os.unlink(f"{self._ingest}/{name}")
            self._going.discard(name)

    def stale_partials(self) -> list[str]:
        """What broken transfers left, and nobody has gone on with for a day."""
        return stale_partials(self._parts, self._parts_in_use, LIFETIME)

    async def close(self) -> None:
        """Waits until everything removed is gone."""
        await self._background.drain()
