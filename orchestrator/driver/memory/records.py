"""Where a world is written down: one SQLite table of small records, in memory or in a folder.

Every verb is one transaction, so a killed process leaves each verb done or not done, and two
processes may use one folder at once. The write-ahead log makes a commit a write without a wait for
the disk: it outlives the process, and after a power cut the last verbs may be missing but nothing
is torn. Records are kept apart (one row each) so that a verb costs the same in a large world.
"""

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from threading import RLock
from typing import Any, Generic, TypeVar, cast
from weakref import finalize

from orchestrator.driver.files import locked
from orchestrator.driver.memory.codec import decode, encode

T = TypeVar("T")

# Seconds to wait for another process's verb on the same folder.
_PATIENCE = 60.0

_TABLE = """
create table if not exists record (
    shelf text not null, place text not null, id text not null, body text not null,
    primary key (shelf, place, id)
) without rowid
"""


@dataclass(frozen=True)
class Shelf(Generic[T]):
    """A kind of record: its name in the table, and the type of its values."""

    name: str
    kind: object


class Rows:
    """The records, within one transaction. ``place`` is a host or a pool."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def get(self, shelf: Shelf[T], place: str, record: str) -> T | None:
        """One record, or None."""
        found = self._connection.execute(
            "select body from record where shelf = ? and place = ? and id = ?",
            (shelf.name, place, record),
        ).fetchone()
        return None if found is None else cast(T, decode(shelf.kind, found[0]))

    def put(self, shelf: Shelf[T], place: str, record: str, value: T) -> None:
        """Write a record, new or over the old one."""
        self._connection.execute(
            "insert or replace into record values (?, ?, ?, ?)",
            (shelf.name, place, record, encode(value)),
        )

    def drop(self, shelf: Shelf[T], place: str, record: str) -> None:
        """Remove a record if it is there."""
        self._connection.execute(
            "delete from record where shelf = ? and place = ? and id = ?",
            (shelf.name, place, record),
        )

    def clear(self, shelf: Shelf[Any], place: str) -> None:
        """Remove every record of a place."""
        self._connection.execute(
            "delete from record where shelf = ? and place = ?", (shelf.name, place)
        )

    def ids(self, shelf: Shelf[T], place: str) -> frozenset[str]:
        """The ids at a place."""
        found = self._connection.execute(
            "select id from record where shelf = ? and place = ?", (shelf.name, place)
        )
        return frozenset(each for (each,) in found)

    def at(self, shelf: Shelf[T], place: str) -> Mapping[str, T]:
        """The records of one place, by id."""
        found = self._connection.execute(
            "select id, body from record where shelf = ? and place = ?", (shelf.name, place)
        )
        return {each: cast(T, decode(shelf.kind, body)) for each, body in found}

    def everywhere(self, shelf: Shelf[T]) -> list[tuple[str, str, T]]:
        """Every record of a shelf: place, id and value."""
        found = self._connection.execute(
            "select place, id, body from record where shelf = ?", (shelf.name,)
        )
        return [(place, each, cast(T, decode(shelf.kind, body))) for place, each, body in found]


class Records:
    """The table, for any number of threads; with a folder, for any number of processes."""

    def __init__(self, folder: Path | None) -> None:
        self._connection = sqlite3.connect(
            ":memory:" if folder is None else folder / "world.sqlite",
            timeout=_PATIENCE,
            isolation_level=None,
            check_same_thread=False,
        )
        self._turn = RLock()
        self.close = finalize(self, self._connection.close)
        # SQLite does not wait its turn when it turns the log on.
        with nullcontext() if folder is None else locked(folder / "world.lock"):
            self._connection.execute("pragma journal_mode = wal")
            self._connection.execute("pragma synchronous = normal")
            self._connection.execute(_TABLE)

    @contextmanager
    def change(self) -> Iterator[Rows]:
        """All of what is done inside happens, or none of it."""
        with self._transaction("begin immediate") as rows:
            yield rows

    @contextmanager
    def look(self) -> Iterator[Rows]:
        """Records as they all were at one moment."""
        with self._transaction("begin") as rows:
            yield rows

    @contextmanager
    def _transaction(self, begin: str) -> Iterator[Rows]:
        with self._turn:
            self._connection.execute(begin)
            try:
                yield Rows(self._connection)
            except BaseException:
                self._connection.execute("rollback")
                raise
            self._connection.execute("commit")
