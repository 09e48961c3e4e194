"""Sessions: how code gets a transaction.

``read()`` sees a consistent snapshot and never blocks a writer. ``write()`` commits on a clean
exit and rolls back otherwise; ``transact()`` does the same for a function, again if the database
chose this transaction as the victim of a deadlock. On SQLite a writing transaction says so at its
start (``BEGIN IMMEDIATE``), because one that upgrades half-way may be refused; commits are synced
to disk. On MariaDB transactions run at READ COMMITTED and every change of state is a
compare-and-set.
"""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session, sessionmaker

from orchestrator.schema.turns import Turns

T = TypeVar("T")

__all__ = ["Session", "Sessions"]

_BUSY_MS = 30_000
_RETRIES = 5
_DEADLOCK, _LOCK_WAIT = 1213, 1205  # MariaDB's numbers for "try this transaction again"


class Sessions:
    """Opens transactions on one database. Safe to share between threads, not across a fork."""

    def __init__(self, url: str) -> None:
        self.engine = _engine(url)
        database = self.engine.url.database
        writers_queue = self.engine.dialect.name == "sqlite" and database
        self._turn = Turns(str(database)).turn if writers_queue else nullcontext[None]
        self._reading = sessionmaker(self.engine, expire_on_commit=False)
        self._writing = sessionmaker(
            self.engine.execution_options(writes=True), expire_on_commit=False
        )

    @contextmanager
    def read(self) -> Iterator[Session]:
        """A transaction that is rolled back at the end."""
        with self._reading() as session:
            yield session

    @contextmanager
    def write(self) -> Iterator[Session]:
        """A transaction that is committed at the end, or rolled back if anything was raised."""
        with self._turn(), self._writing.begin() as session:
            yield session

    def transact(self, act: Callable[[Session], T]) -> T:
        """Run ``act`` in a writing transaction; once more after a deadlock, five times at most."""
        for _ in range(_RETRIES):
            try:
                with self.write() as session:
                    return act(session)
            except OperationalError as error:
                if not _worth_repeating(error):
                    raise
        with self.write() as session:
            return act(session)

    def close(self) -> None:
        """Close all pooled connections."""
        self.engine.dispose()


def _worth_repeating(error: OperationalError) -> bool:
    args: tuple[object, ...] = getattr(error.orig, "args", ())
    return bool(args) and args[0] in (_DEADLOCK, _LOCK_WAIT)


def _engine(url: str) -> Engine:
    if not url.startswith("sqlite"):
        return create_engine(
            url, isolation_level="READ COMMITTED", pool_pre_ping=True, pool_size=16, max_overflow=16
        )
    engine = create_engine(
        url, connect_args={"check_same_thread": False}, pool_size=16, max_overflow=16
    )
    event.listen(engine, "connect", _prepare)
    event.listen(engine, "begin", _begin)
    return engine


def _prepare(connection: sqlite3.Connection, _record: Any) -> None:
    connection.isolation_level = None  # we say BEGIN ourselves
    for pragma in (
        f"busy_timeout={_BUSY_MS}",
        "journal_mode=WAL",
        "synchronous=FULL",
        "foreign_keys=ON",
    ):
        connection.execute(f"PRAGMA {pragma}")


def _begin(connection: Connection) -> None:
    writes = connection.get_execution_options().get("writes")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
