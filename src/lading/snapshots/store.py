"""The rows of layers and writable layers."""

import json
import sqlite3
from collections.abc import Collection

from lading.snapshots.contract import Layer
from lading.state import Database


class SnapshotStore:
    """SQL of the tables `layers` and `writable_snapshots`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add_layer(self, layer: Layer, directory: str) -> None:
        with self._database.transaction() as transaction:
            transaction.execute(
                "INSERT INTO layers (chain_id, diff_id, parent, size, directory, blob_digest)"
                " VALUES (?, ?, ?, ?, ?, ?)",
                (layer.chain_id, layer.diff_id, layer.parent, layer.size, directory, layer.blob_digest),
            )

    def layer(self, chain_id: str) -> Layer | None:
        row = self._database.one("SELECT * FROM layers WHERE chain_id = ?", (chain_id,))
        return _layer(row) if row else None

    def layers(self) -> list[Layer]:
        return [_layer(row) for row in self._database.query("SELECT * FROM layers")]

    def layer_parents(self) -> dict[str, str | None]:
        """What each layer stands on."""
        return {
            row["chain_id"]: row["parent"]
            for row in self._database.query("SELECT chain_id, parent FROM layers")
        }

    def layer_directory(self, chain_id: str) -> tuple[str, str | None] | None:
        """Directory and parent of a layer."""
        row = self._database.one("SELECT directory, parent FROM layers WHERE chain_id = ?", (chain_id,))
        return (row["directory"], row["parent"]) if row else None

    def replace_directory(self, chain_id: str, directory: str) -> None:
        with self._database.transaction() as transaction:
            transaction.execute("UPDATE layers SET directory = ? WHERE chain_id = ?", (directory, chain_id))

    def set_blob(self, chain_id: str, digest: str) -> None:
        with self._database.transaction() as transaction:
            transaction.execute("UPDATE layers SET blob_digest = ? WHERE chain_id = ?", (digest, chain_id))

    def forget_blobs(self, digests: Collection[str]) -> None:
        with self._database.transaction() as transaction:
            transaction.execute(
                "UPDATE layers SET blob_digest = '' WHERE blob_digest IN (SELECT value FROM json_each(?))",
                (json.dumps(list(digests)),),
            )

    def remove_layers(self, chain_ids: Collection[str]) -> list[str]:
        """Removes rows and gives the directories they had."""
        chosen = json.dumps(list(chain_ids))
        with self._database.transaction() as transaction:
            rows = transaction.execute(
                "SELECT directory FROM layers WHERE chain_id IN (SELECT value FROM json_each(?))", (chosen,)
            ).fetchall()
            # One statement: parents and children may then go in any order.
            transaction.execute(
                "DELETE FROM layers WHERE chain_id IN (SELECT value FROM json_each(?))", (chosen,)
            )
        return [row["directory"] for row in rows]

    def add_writable(self, key: str, parent: str | None, directory: str) -> None:
        with self._database.transaction() as transaction:
            transaction.execute(
                "INSERT INTO writable_snapshots (key, parent, directory) VALUES (?, ?, ?)",
                (key, parent, directory),
            )

    def writable(self, key: str) -> tuple[str, str | None] | None:
        """Directory and parent of a writable layer."""
        row = self._database.one("SELECT directory, parent FROM writable_snapshots WHERE key = ?", (key,))
        return (row["directory"], row["parent"]) if row else None

    def writables(self) -> dict[str, str]:
        """Directory by key."""
        rows = self._database.query("SELECT key, directory FROM writable_snapshots")
        return {row["key"]: row["directory"] for row in rows}

    def remove_writable(self, key: str) -> None:
        with self._database.transaction() as transaction:
            transaction.execute("DELETE FROM writable_snapshots WHERE key = ?", (key,))

    def parents_in_use(self) -> set[str]:
        """The chains that writable layers stand on."""
        rows = self._database.query("SELECT DISTINCT parent FROM writable_snapshots WHERE parent IS NOT NULL")
        return {row["parent"] for row in rows}

    def directories(self) -> set[str]:
        """Every directory that belongs to something."""
        rows = self._database.query(
            "SELECT directory FROM layers UNION SELECT directory FROM writable_snapshots"
        )
        return {row["directory"] for row in rows}


def _layer(row: sqlite3.Row) -> Layer:
    return Layer(row["chain_id"], row["diff_id"], row["parent"], row["size"], row["blob_digest"])
