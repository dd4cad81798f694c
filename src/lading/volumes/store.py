"""The tables of volumes and of who uses them."""

import sqlite3
from collections.abc import Collection

import msgspec

from lading.state import Database
from lading.volumes.record import Volume


class VolumeStore:
    """Every change is part of the caller's transaction where there is one."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def get(self, name: str) -> Volume | None:
        row = self.database.one("SELECT * FROM volumes WHERE name = ?", (name,))
        return None if row is None else _volume(row)

    def all(self) -> list[Volume]:
        """By name."""
        return [_volume(row) for row in self.database.query("SELECT * FROM volumes ORDER BY name")]

    def add(self, volume: Volume) -> None:
        with self.database.transaction() as tx:
            tx.execute(
                "INSERT INTO volumes (name, created_ns, driver, labels, options, anonymous)"
                " VALUES (?, ?, ?, ?, ?, ?)",
                (
                    volume.name,
                    volume.created_ns,
                    volume.driver,
                    msgspec.json.encode(volume.labels).decode(),
                    msgspec.json.encode(volume.options).decode(),
                    volume.anonymous,
                ),
            )

    def delete(self, name: str) -> None:
        """Also forgets who uses it."""
        with self.database.transaction() as tx:
            tx.execute("DELETE FROM volume_uses WHERE volume = ?", (name,))
            tx.execute("DELETE FROM volumes WHERE name = ?", (name,))

    def rename(self, name: str, new: str) -> None:
        """Its users stay its users."""
        with self.database.transaction() as tx:
            tx.execute(
                "INSERT INTO volumes (name, created_ns, driver, labels, options, anonymous)"
                " SELECT ?, created_ns, driver, labels, options, 0 FROM volumes WHERE name = ?",
                (new, name),
            )
            tx.execute("UPDATE volume_uses SET volume = ? WHERE volume = ?", (new, name))
            tx.execute("DELETE FROM volumes WHERE name = ?", (name,))

    def keep(self, name: str) -> None:
        """Somebody calls it by its name: it no longer goes by itself."""
        with self.database.transaction() as tx:
            tx.execute("UPDATE volumes SET anonymous = 0 WHERE name = ? AND anonymous", (name,))

    def use(self, name: str, container_id: str) -> None:
        with self.database.transaction() as tx:
            tx.execute("INSERT OR IGNORE INTO volume_uses VALUES (?, ?)", (name, container_id))

    def unuse(self, name: str, container_id: str) -> None:
        with self.database.transaction() as tx:
            tx.execute("DELETE FROM volume_uses WHERE volume = ? AND container_id = ?", (name, container_id))

    def users(self, name: str) -> list[str]:
        """The containers, running or not, that use a volume."""
        rows = self.database.query(
            "SELECT container_id FROM volume_uses WHERE volume = ? ORDER BY container_id", (name,)
        )
        return [row["container_id"] for row in rows]

    def used(self) -> set[str]:
        """The volumes in use."""
        return {row["volume"] for row in self.database.query("SELECT DISTINCT volume FROM volume_uses")}

    def release(self, container_id: str, *, drop_anonymous: bool) -> list[Volume]:
        """A container is gone; gives the anonymous volumes that went with it."""
        with self.database.transaction() as tx:
            rows = tx.execute(
                "DELETE FROM volume_uses WHERE container_id = ? RETURNING volume", (container_id,)
            ).fetchall()
            names = {row["volume"] for row in rows} - self.used() if drop_anonymous else set()
            volumes = [volume for name in sorted(names) if (volume := self.get(name)) and volume.anonymous]
            for volume in volumes:
                self.delete(volume.name)
        return volumes

    def forget_users_except(self, live: Collection[str]) -> None:
        """Drops the uses of containers that do not exist."""
        rows = self.database.query("SELECT DISTINCT container_id FROM volume_uses")
        for row in rows:
            if row["container_id"] not in live:
                self.release(row["container_id"], drop_anonymous=False)


def _volume(row: sqlite3.Row) -> Volume:
    return Volume(
        name=row["name"],
        created_ns=row["created_ns"],
        driver=row["driver"],
        labels=msgspec.json.decode(row["labels"], type=dict[str, str]),
        options=msgspec.json.decode(row["options"], type=dict[str, str]),
        anonymous=bool(row["anonymous"]),
    )
