"""The containers and execs tables."""

from collections.abc import Iterator

import msgspec

from lading.containers.exec_record import ExecRecord
from lading.containers.record import Container, Definition, State
from lading.state import Database

_json = msgspec.json.Encoder()
_definition = msgspec.json.Decoder(Definition)
_state = msgspec.json.Decoder(State)
_exec = msgspec.json.Decoder(ExecRecord)


class Store:
    """Reads and writes this room's rows; callers choose the transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @property
    def database(self) -> Database:
        """For transactions that span rooms."""
        return self._database

    def all(self) -> Iterator[Container]:
        for row in self._database.query("SELECT name, definition, state FROM containers ORDER BY created_ns"):
            yield Container(row["name"], _definition.decode(row["definition"]), _state.decode(row["state"]))

    def insert(self, container: Container) -> None:
        definition = container.definition
        with self._database.transaction() as tx:
            tx.execute(
                "INSERT INTO containers VALUES (?, ?, ?, ?, ?, ?)",
                (
                    definition.id,
                    container.name,
                    definition.created_ns,
                    definition.image_id,
                    _json.encode(definition),
                    _json.encode(container.state),
                ),
            )

    def save_state(self, container: Container) -> None:
        with self._database.transaction() as tx:
            tx.execute(
                "UPDATE containers SET state = ? WHERE id = ?",
                (_json.encode(container.state), container.id),
            )

    def save_definition(self, container: Container) -> None:
        with self._database.transaction() as tx:
            tx.execute(
                "UPDATE containers SET definition = ? WHERE id = ?",
                (_json.encode(container.definition), container.id),
            )

    def rename(self, container: Container, name: str) -> None:
        with self._database.transaction() as tx:
            tx.execute("UPDATE containers SET name = ? WHERE id = ?", (name, container.id))

    def delete(self, container: Container) -> None:
        with self._database.transaction() as tx:
            tx.execute("DELETE FROM execs WHERE container_id = ?", (container.id,))
            tx.execute("DELETE FROM containers WHERE id = ?", (container.id,))

    def execs(self) -> Iterator[ExecRecord]:
        for row in self._database.query("SELECT record FROM execs"):
            yield _exec.decode(row["record"])

    def save_exec(self, record: ExecRecord) -> None:
        with self._database.transaction() as tx:
            tx.execute(
                "INSERT OR REPLACE INTO execs VALUES (?, ?, ?)",
                (record.id, record.container_id, _json.encode(record)),
            )

    def delete_exec(self, exec_id: str) -> None:
        with self._database.transaction() as tx:
            tx.execute("DELETE FROM execs WHERE id = ?", (exec_id,))
