"""The connection, its settings and its transactions."""

import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress

from lading.errors import InternalError
from lading.state.migrations import MIGRATIONS

Value = str | int | float | bytes | None


class Database:
    """One database in WAL mode, used from one thread.

    A commit is not synced to the disk by itself (synchronous=NORMAL): a crash
    of the daemon loses nothing, a power cut may lose the last commits but
    never corrupts, and after a power cut no container of theirs runs anyway.
    """

    def __init__(self, path: str) -> None:
        """Opens and migrates. Raises InternalError if the file is newer than this code."""
        if path != ":memory:":
            _make_private(path)
        self._connection = sqlite3.connect(path, isolation_level=None)
        self._connection.row_factory = sqlite3.Row
        self._depth = 0
        for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON", "cache_size=-1024"):
            self._connection.execute(f"PRAGMA {pragma}")
        self._migrate(path)

    def _migrate(self, path: str) -> None:
        (version,) = self._connection.execute("PRAGMA user_version").fetchone()
        if version > len(MIGRATIONS):
            raise InternalError(f"{path} was written by a newer version of lading (schema {version})")
        for number, script in enumerate(MIGRATIONS[version:], start=version + 1):
            self._connection.executescript(f"BEGIN;{script};PRAGMA user_version={number};COMMIT")

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """All or nothing; an inner transaction joins the outer one.

        Raises InternalError where it cannot be written, as on a full disk.
        """
        outermost = self._depth == 0
        if outermost:
            self._connection.execute("BEGIN IMMEDIATE")
        self._depth += 1
        try:
            yield self._connection
            if outermost:
                self._connection.execute("COMMIT")
        except BaseException as error:
            if outermost and self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            if isinstance(error, sqlite3.OperationalError):
                raise InternalError(f"the state database cannot be written: {error}") from error
            raise
        finally:
            self._depth -= 1

    def query(self, sql: str, parameters: Sequence[Value] = ()) -> list[sqlite3.Row]:
        """Every row of a SELECT."""
        return self._connection.execute(sql, parameters).fetchall()

    def one(self, sql: str, parameters: Sequence[Value] = ()) -> sqlite3.Row | None:
        """The first row of a SELECT, or None."""
        row: sqlite3.Row | None = self._connection.execute(sql, parameters).fetchone()
        return row

    def close(self) -> None:
        """Folds the log into the database and closes it."""
        self._connection.close()


def _make_private(path: str) -> None:
    """Keeps everybody else out: containers' environments are in it, with whatever secrets those hold.

    Done here, since who may look into the directory above is the administrator's choice.
    """
    with suppress(FileExistsError):
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
    # SQLite makes these two with the mode of the first; an earlier run may have left them wider.
    for name in (path, f"{path}-wal", f"{path}-shm"):
        with suppress(FileNotFoundError):
            os.chmod(name, 0o600)
