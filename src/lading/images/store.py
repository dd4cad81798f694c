"""The rows of images and of the references to them."""

import sqlite3
from collections.abc import Collection

import msgspec

from lading.images.record import Image, Record
from lading.images.reference import Reference, parse
from lading.state import Database


class ImageStore:
    """SQL of the tables `images` and `image_refs`."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def add(self, image: Image, boot: str) -> None:
        with self.database.transaction() as transaction:
            transaction.execute(
                "INSERT INTO images"
                " (id, created_ns, size, chain_id, manifest_digest, parent, unsettled, record)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    image.id,
                    image.created_ns,
                    image.size,
                    image.chain_id,
                    image.manifest_digest,
                    image.parent,
                    boot,
                    msgspec.json.encode(image.record),
                ),
            )

    def extend(self, present: Image, again: Image) -> None:
        """The same image came another way: what it was said to consist of there is kept too."""
        blobs = tuple(dict.fromkeys((*present.record.blobs, *again.record.blobs)))
        self.record(present.id, msgspec.structs.replace(present.record, blobs=blobs))
        with self.database.transaction() as transaction:
            transaction.execute(
                "UPDATE images SET manifest_digest = ? WHERE id = ? AND manifest_digest = ''",
                (again.manifest_digest, present.id),
            )

    def row(self, image_id: str) -> sqlite3.Row | None:
        return self.database.one("SELECT * FROM images WHERE id = ?", (image_id,))

    def rows(self) -> list[sqlite3.Row]:
        return self.database.query("SELECT * FROM images")

    def ids(self) -> list[str]:
        return [row["id"] for row in self.database.query("SELECT id FROM images")]

    def ids_beginning(self, prefix: str) -> list[str]:
        """At most two images whose ID begins with `prefix`: enough to see that it is ambiguous."""
        rows = self.database.query(
            "SELECT id FROM images WHERE id >= ? AND id < ? LIMIT 2", (prefix, prefix + "g")
        )
        return [row["id"] for row in rows]

    def children(self, image_id: str) -> list[str]:
        return [
            row["id"] for row in self.database.query("SELECT id FROM images WHERE parent = ?", (image_id,))
        ]

    def remove(self, image_id: str) -> None:
        with self.database.transaction() as transaction:
            transaction.execute("DELETE FROM image_refs WHERE image_id = ?", (image_id,))
            transaction.execute("DELETE FROM images WHERE id = ?", (image_id,))

    def record(self, image_id: str, record: Record) -> None:
        with self.database.transaction() as transaction:
            transaction.execute(
                "UPDATE images SET record = ? WHERE id = ?", (msgspec.json.encode(record), image_id)
            )

    def use_manifest(self, image_id: str, digest: str) -> None:
        """From now on the image has this manifest."""
        with self.database.transaction() as transaction:
            transaction.execute("UPDATE images SET manifest_digest = ? WHERE id = ?", (digest, image_id))

    def forget_manifest(self, image_id: str) -> None:
        with self.database.transaction() as transaction:
            transaction.execute("UPDATE images SET manifest_digest = '' WHERE id = ?", (image_id,))

    def unsettled(self) -> dict[str, str]:
        """Images whose data may not be on the disk yet, and the boot they came in."""
        rows = self.database.query("SELECT id, unsettled FROM images WHERE unsettled != ''")
        return {row["id"]: row["unsettled"] for row in rows}

    def settle(self, image_ids: Collection[str]) -> None:
        with self.database.transaction() as transaction:
            transaction.executemany(
                "UPDATE images SET unsettled = '' WHERE id = ?", [(image_id,) for image_id in image_ids]
            )

    def point(self, reference: Reference, image_id: str) -> str:
        """Makes a reference mean an image; gives the one it meant before, or nothing."""
        before = self.target(reference)
        with self.database.transaction() as transaction:
            transaction.execute(
                "INSERT INTO image_refs (ref, image_id) VALUES (?, ?)"
                " ON CONFLICT (ref) DO UPDATE SET image_id = excluded.image_id",
                (str(reference), image_id),
            )
        return before if before != image_id else ""

    def drop(self, reference: Reference) -> None:
        with self.database.transaction() as transaction:
            transaction.execute("DELETE FROM image_refs WHERE ref = ?", (str(reference),))

    def target(self, reference: Reference) -> str:
        """The image a reference means, or nothing."""
        row = self.database.one("SELECT image_id FROM image_refs WHERE ref = ?", (str(reference),))
        return str(row["image_id"]) if row else ""

    def targets(self) -> dict[str, str]:
        """Which image each reference means, be it there or not."""
        return {row["ref"]: row["image_id"] for row in self.database.query("SELECT * FROM image_refs")}

    def drop_nowhere(self) -> None:
        """Drops references to images that are not there."""
        with self.database.transaction() as transaction:
            transaction.execute("DELETE FROM image_refs WHERE image_id NOT IN (SELECT id FROM images)")

    def orphan(self, image_id: str) -> None:
        """Images made from this one are made from none."""
        with self.database.transaction() as transaction:
            transaction.execute("UPDATE images SET parent = '' WHERE parent = ?", (image_id,))

    def references_of(self, image_id: str) -> list[Reference]:
        """What one image is called, in alphabetical order."""
        rows = self.database.query("SELECT ref FROM image_refs WHERE image_id = ? ORDER BY ref", (image_id,))
        return [parse(row["ref"]) for row in rows]

    def chains(self) -> set[str]:
        """The topmost layers of all images."""
        rows = self.database.query("SELECT DISTINCT chain_id FROM images WHERE chain_id IS NOT NULL")
        return {row["chain_id"] for row in rows}

    def blobs(self) -> set[str]:
        """Every blob that an image needs."""
        rows = self.database.query("SELECT record FROM images")
        return {digest for row in rows for digest in msgspec.json.decode(row["record"], type=Record).blobs}

    def records(self) -> dict[str, Record]:
        """What each image was said to consist of."""
        rows = self.database.query("SELECT id, record FROM images")
        return {row["id"]: msgspec.json.decode(row["record"], type=Record) for row in rows}

    def references(self) -> dict[str, list[Reference]]:
        """All references by image, in alphabetical order."""
        found: dict[str, list[Reference]] = {}
        for row in self.database.query("SELECT ref, image_id FROM image_refs ORDER BY ref"):
            found.setdefault(row["image_id"], []).append(parse(row["ref"]))
        return found
