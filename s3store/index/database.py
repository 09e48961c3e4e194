"""Connections and transactions."""

import sqlite3
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, create_engine, event, exc, insert, select
from sqlalchemy.schema import CreateIndex, CreateTable

from s3store import faults, tables
from s3store.index import direct
from s3store.index.direct import Statement
from s3store.index.turns import Change, Turns

FORMAT = 2
"""What this edition writes; an index of another format is refused, never guessed at."""

_T = TypeVar("_T")
_PATIENCE = 30  # seconds to wait for another process's transaction
_GLANCE = 0.001  # seconds between looks whether it has ended
_CONNECTIONS = 64
_RESTING = 32  # of these; who waits for one of the pool's would never get one of those that rest


class Database:
    """The database of one store."""

    def __init__(self, url: str, durable: bool = True) -> None:
        """Name the database. It is connected to, and its tables made, on the first call.

        So an index may be made before a server forks its workers; every call may raise
        WrongFormat and StoreBusy.

        Args:
            durable: whether SQLite waits for the disk at a commit. Another database's own settings
                decide that for it.
        """
        self._engine = _engine(url)
        self._durable = durable
        self._turns = Turns(self._commit) if url.startswith("sqlite") else None
        self._resting: deque[Connection] = deque()
        self._preparing = threading.Lock()
        self._prepared = False

    @property
    def engine(self) -> Engine:
        """What makes the connections, for those who count or watch statements."""
        return self._engine

    def close(self) -> None:
        """Give all connections back."""
        while self._resting:
            self._resting.pop().close()
        self._engine.dispose()

    @contextmanager
    def look(self) -> Iterator[Connection]:
        """A transaction that reads: all it sees is of one moment on SQLite."""
        self._prepare()
        with _patiently(), self._engine.connect() as connection, connection.begin():
            yield connection

    def ask(self, query: Statement, values: Mapping[str, Any]) -> Any:
        """The one row of a query, which is a transaction of its own; None when there is none."""
        self._prepare()
        with _patiently(), self._connection() as connection:
            return query.one(connection, values)

    def change(self, work: Callable[[Connection], _T], durable: bool = True) -> _T:
        """Run ``work`` in a transaction that writes, perhaps together with others' work.

        Nothing of it remains when it raises.

        Args:
            durable: False for what need not outlive a power failure, which may spare a sync.
        """
        self._prepare()
        if self._turns:
            return self._turns.run(work, durable)
        with _patiently(), self._begin(durable) as connection:
            return work(connection)

    def _commit(self, batch: Sequence[Change]) -> None:
        durable = any(change.durable for change in batch)
        with _patiently(), self._begin(durable) as connection:
            if len(batch) == 1:
                batch[0].result = batch[0].work(connection)
                return
            for change in batch:
                _attempt(change, connection)

    @contextmanager
    def _begin(self, durable: bool) -> Iterator[Connection]:
        sync = "OFF" if not self._durable else "FULL" if durable else "NORMAL"
        with self._connection() as connection:
            if connection.get_execution_options().get("s3store_write") != sync:
                connection.execution_options(s3store_write=sync)
            with connection.begin():
                yield connection

    @contextmanager
    def _connection(self) -> Iterator[Connection]:
        """A connection: on SQLite the one that rested last, for nothing ever happens to those.

        To take one from SQLAlchemy's pool and to give it back is a third of a small transaction.
        """
        if self._turns is None:
            with self._engine.connect() as connection:
                yield connection
            return
        try:
            connection = self._resting.pop()
        except IndexError:
            connection = self._engine.connect()
        try:
            yield connection
        except BaseException:
            connection.close()  # nobody knows what state it is in
            raise
        if len(self._resting) < _RESTING:
            self._resting.append(connection)
        else:
            connection.close()

    def _prepare(self) -> None:
        """Make the tables when they are absent; several processes may be at it at once."""
        if self._prepared:
            return
        with self._preparing:
            if self._prepared:
                return
            with _patiently(), self._begin(durable=True) as connection:
                _check_format(connection)
                for table in tables.Table.metadata.sorted_tables:
                    connection.execute(CreateTable(table, if_not_exists=True))
                    for index in table.indexes:
                        connection.execute(CreateIndex(index, if_not_exists=True))
            self._prepared = True


def _attempt(change: Change, connection: Connection) -> None:
    """Run one change of a batch. A database that does not answer fails the whole batch."""
    direct.savepoint(connection)
    try:
        change.result = change.work(connection)
    except (exc.OperationalError, sqlite3.OperationalError):
        raise
    except Exception as error:
        change.failure = error
        direct.undo(connection)
    else:
        direct.release(connection)


def _check_format(connection: Connection) -> None:
    """The format's number is the row's key, so of two processes that are first only one writes."""
    connection.execute(CreateTable(tables.Table.metadata.tables["format"], if_not_exists=True))
    found = connection.scalars(select(tables.FormatRow.number)).all()
    if not found:
        with suppress(exc.IntegrityError), connection.begin_nested():
            connection.execute(insert(tables.FormatRow).values(number=FORMAT))
    elif list(found) != [FORMAT]:
        raise faults.WrongFormat(f"The index has format {found[0]}, not {FORMAT}.")


def _engine(url: str) -> Engine:
    options: dict[str, Any] = {"pool_size": _CONNECTIONS, "max_overflow": _CONNECTIONS}
    if url.startswith("sqlite"):
        engine = create_engine(url, connect_args={"timeout": _PATIENCE}, **options)
        event.listen(engine, "connect", _sqlite_connected)
        event.listen(engine, "begin", _sqlite_begins)
        return engine
    return create_engine(url, isolation_level="READ COMMITTED", pool_pre_ping=True, **options)


def _sqlite_connected(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # we say BEGIN ourselves
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA foreign_keys=ON")


def _sqlite_begins(connection: Connection) -> None:
    """Take the write lock at once: a lock taken half-way fails instead of waiting."""
    sync = connection.get_execution_options().get("s3store_write")
    driver: Any = connection.connection.dbapi_connection
    if sync is None:
        driver.execute("BEGIN")
        return
    if connection.info.get("sync") != sync:
        driver.execute(f"PRAGMA synchronous={sync}")
        connection.info["sync"] = sync
    _become_writer(driver)


def _become_writer(driver: sqlite3.Connection) -> None:
    """Take the write lock, looking again and again while another process has it.

    SQLite itself sleeps ever longer between its looks, up to 100 ms, and between two of them the
    other process, whose next change waits already, has had ten more turns.
    """
    until = time.monotonic() + _PATIENCE
    driver.execute("PRAGMA busy_timeout=0")
    try:
        while not _is_writer(driver, time.monotonic() > until):
            time.sleep(_GLANCE)
    finally:
        driver.execute(f"PRAGMA busy_timeout={_PATIENCE * 1000}")


def _is_writer(driver: sqlite3.Connection, last: bool) -> bool:
    """Try to begin; that another process is at it is an error the ``last`` time only."""
    try:
        driver.execute("BEGIN IMMEDIATE")
    except sqlite3.OperationalError as error:
        if last or error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:
            raise
        return False
    return True


@contextmanager
def _patiently() -> Iterator[None]:
    try:
        yield
    except (exc.OperationalError, exc.TimeoutError, sqlite3.OperationalError) as error:
        if _full(error):
            raise faults.StoreFull("There is no room for the data.") from error
        raise faults.StoreBusy("The index does not answer now.") from error


def _full(error: BaseException | None) -> bool:
    """Whether SQLite had no room: it ends the transaction then, so that more goes wrong after."""
    while error is not None:
        if getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL:
            return True
        error = error.__cause__ or error.__context__
    return False
