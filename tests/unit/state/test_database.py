"""Transactions join, roll back whole, and survive reopening."""

import stat
from pathlib import Path

import pytest

from lading.errors import InternalError
from lading.state import Database


def _names(database: Database) -> list[str]:
    return [row["key"] for row in database.query("SELECT key FROM engine ORDER BY key")]


def _put(database: Database, key: str) -> None:
    with database.transaction() as tx:
        tx.execute("INSERT INTO engine VALUES (?, '')", (key,))


def _modes(directory: Path) -> dict[str, int]:
    return {path.name: stat.S_IMODE(path.stat().st_mode) for path in directory.iterdir()}


def test_nobody_else_may_read_it(tmp_path: Path) -> None:
    private = dict.fromkeys(("state.db", "state.db-wal", "state.db-shm"), 0o600)
    database = Database(str(tmp_path / "state.db"))
    _put(database, "secret")
    assert _modes(tmp_path) == private
    for name in private:
        (tmp_path / name).chmod(0o644)
    again = Database(str(tmp_path / "state.db"))
    assert _modes(tmp_path) == private
    again.close()
    database.close()


def test_an_inner_transaction_falls_with_the_outer_one() -> None:
    database = Database(":memory:")

    def fail() -> None:
        with database.transaction():
            _put(database, "inner")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert _names(database) == []


def test_what_was_committed_is_there_after_reopening(tmp_path: Path) -> None:
    path = str(tmp_path / "state.db")
    database = Database(path)
    _put(database, "kept")
    again = Database(path)
    assert _names(again) == ["kept"]


def test_a_database_of_a_newer_version_is_refused(tmp_path: Path) -> None:
    path = str(tmp_path / "state.db")
    database = Database(path)
    with database.transaction() as tx:
        tx.execute("PRAGMA user_version = 9999")
    with pytest.raises(InternalError, match="newer version"):
        Database(path)
