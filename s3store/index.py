"""The index: which objects there are. A row here is the truth; the files only obey.

Every change is one transaction that locks its bucket's row first, so changes of one bucket happen
one after the other and no two transactions ever wait for each other in a circle. On SQLite the
write lock of the database (``BEGIN IMMEDIATE``) does that work.

A version's row is written before its file, in state ``uploading``, and turned to ``complete`` by
compare-and-set; an aborted one's row is removed. So a file without a row can never become visible,
and the sweep can give an upload up without racing it: only one of the two finds it ``uploading``.
"""

import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Engine,
    create_engine,
    delete,
    event,
    exc,
    insert,
    literal_column,
    select,
    update,
)
from sqlalchemy.schema import CreateIndex, CreateTable

from s3store import faults, tables
from s3store.records import Bucket, Condition, Entry, Version
from s3store.tables import BucketRow, VersionRow

FORMAT = 1
"""What this edition writes; an index of another format is refused, never guessed at."""

_PATIENCE = 30  # seconds to wait for another process's transaction
_CONNECTIONS = 64
# Spelled out in the statement, because a partial index is of no use for a bound parameter.
_UPLOADING: ColumnElement[str] = literal_column("'uploading'")


class Index:
    """The database of one store."""

    def __init__(self, url: str) -> None:
        """Name the database. It is connected to, and its tables made, on the first call.

        So an index may be made before a server forks its workers; every call may raise
        WrongFormat and StoreBusy.
        """
        self._engine = _engine(url)
        self._preparing = threading.Lock()
        self._prepared = False

    def close(self) -> None:
        """Give all connections back."""
        self._engine.dispose()

    # -- buckets ---------------------------------------------------------------------------------

    def add_bucket(self, name: str, owner: str, now: datetime) -> Bucket:
        """Make a bucket.

        Raises:
            BucketExists.
        """
        row = {"name": name, "owner": owner, "created": tables.stamp(now)}
        try:
            with self._change() as connection:
                connection.execute(insert(BucketRow).values(row))
        except exc.IntegrityError:
            raise faults.BucketExists(name, self.bucket(name).owner) from None
        return self.bucket(name)

    def bucket(self, name: str) -> Bucket:
        """Look a bucket up.

        Raises:
            NoSuchBucket.
        """
        with self._look() as connection:
            row = connection.execute(tables.BUCKETS.where(BucketRow.name == name)).one_or_none()
        if row is None:
            raise faults.NoSuchBucket(f"There is no bucket {name}.")
        return tables.bucket(row)

    def buckets(self, owner: str) -> list[Bucket]:
        """All buckets of an owner, by name."""
        query = tables.BUCKETS.where(BucketRow.owner == owner).order_by(BucketRow.name)
        with self._look() as connection:
            return [tables.bucket(row) for row in connection.execute(query)]

    def remove_bucket(self, bucket: Bucket) -> None:
        """Remove a bucket; uploads into it that have not finished will be refused.

        Raises:
            NoSuchBucket, BucketNotEmpty.
        """
        inside = VersionRow.bucket_id == bucket.id
        with self._change() as connection:
            _lock(connection, bucket.id)
            complete = select(VersionRow.id).where(inside, VersionRow.state == "complete").limit(1)
            if connection.execute(complete).first() is not None:
                raise faults.BucketNotEmpty(f"The bucket {bucket.name} holds objects.")
            connection.execute(delete(VersionRow).where(inside))
            connection.execute(delete(BucketRow).where(BucketRow.id == bucket.id))

    # -- versions --------------------------------------------------------------------------------

    def begin(
        self, name: str, bucket: Bucket, key: bytes, condition: Condition, now: datetime
    ) -> None:
        """Announce an upload. A condition that fails already is refused before any byte comes.

        Raises:
            NoSuchBucket, ConditionFailed, NoSuchKey.
        """
        row = {"id": name, "bucket_id": bucket.id, "key": key, "state": "uploading"}
        with self._change(durable=False) as connection:
            _lock(connection, bucket.id)
            _check(connection, bucket.id, key, condition)
            connection.execute(insert(VersionRow).values(row | {"started": tables.stamp(now)}))

    def complete(self, version: Version, condition: Condition) -> list[str]:
        """Make an announced upload the object its key shows; returns the files now superfluous.

        Raises:
            NoSuchBucket, ConditionFailed, NoSuchKey, UploadAborted.
        """
        with self._change() as connection:
            _lock(connection, version.bucket_id)
            key = version.key.encode()
            replaced = _check(connection, version.bucket_id, key, condition)
            connection.execute(delete(VersionRow).where(VersionRow.id.in_(replaced)))
            mine = (VersionRow.id == version.id) & (VersionRow.state == _UPLOADING)
            if (
                connection.execute(
                    update(VersionRow).where(mine).values(tables.complete_row(version))
                ).rowcount
                != 1
            ):
                raise faults.UploadAborted("The upload took too long and was given up.")
        return replaced

    def abandon(self, name: str) -> bool:
        """Give an upload up; False when it is complete, so that its file must stay."""
        mine = VersionRow.id == name
        with self._change(durable=False) as connection:
            connection.execute(delete(VersionRow).where(mine, VersionRow.state == _UPLOADING))
            return connection.execute(select(VersionRow.id).where(mine)).first() is None

    def latest(self, bucket: Bucket, key: bytes) -> Version | None:
        """The version a key shows."""
        with self._look() as connection:
            row = connection.execute(tables.VERSIONS.where(*_shown(bucket.id, key))).one_or_none()
        return None if row is None else tables.version(row)

    def remove(
        self, bucket: Bucket, wanted: Sequence[tuple[bytes, Condition]]
    ) -> list[str | faults.StoreFault | None]:
        """Remove the objects some keys show, in one transaction.

        Returns:
            For each key the file now superfluous, None when there was no object, or the fault
            (ConditionFailed, NoSuchKey) for which its object stays.

        Raises:
            NoSuchBucket.
        """
        with self._change() as connection:
            _lock(connection, bucket.id)
            return [_remove(connection, bucket.id, *one) for one in wanted]

    def scan(
        self, bucket: Bucket, low: bytes, included: bool, high: bytes | None, most: int
    ) -> list[Entry]:
        """The first ``most`` objects with low <[=] key < high, in byte order of their keys."""
        query = tables.ENTRIES.where(VersionRow.bucket_id == bucket.id, VersionRow.latest == 1)
        query = query.where(VersionRow.key >= low if included else VersionRow.key > low)
        if high is not None:
            query = query.where(VersionRow.key < high)
        with self._look() as connection:
            rows: Sequence[Any] = connection.execute(
                query.order_by(VersionRow.key).limit(most)
            ).all()
        return [tables.entry(row) for row in rows]

    # -- sweeping --------------------------------------------------------------------------------

    def unfinished(self, before: datetime) -> list[str]:
        """Uploads announced before a time and not complete."""
        query = select(VersionRow.id).where(
            VersionRow.state == _UPLOADING, VersionRow.started < tables.stamp(before)
        )
        with self._look() as connection:
            return list(connection.scalars(query))

    def known(self, names: Iterable[str]) -> set[str]:
        """Which of these files have a row."""
        query = select(VersionRow.id).where(VersionRow.id.in_(list(names)))
        with self._look() as connection:
            return set(connection.scalars(query))

    # -- transactions ----------------------------------------------------------------------------

    @contextmanager
    def _look(self) -> Iterator[Connection]:
        self._prepare()
        with _patiently(), self._engine.connect() as connection:
            yield connection

    @contextmanager
    def _change(self, durable: bool = True) -> Iterator[Connection]:
        """A write transaction. One that need not outlive a power failure spares the disk a sync."""
        self._prepare()
        with _patiently(), self._begin(durable) as connection:
            yield connection

    @contextmanager
    def _begin(self, durable: bool) -> Iterator[Connection]:
        with self._engine.connect() as connection:
            chosen = connection.execution_options(s3store_write="FULL" if durable else "NORMAL")
            with chosen.begin():
                yield chosen

    def _prepare(self) -> None:
        """Make the tables when they are absent; several processes may be at it at once."""
        with self._preparing:
            if self._prepared:
                return
            with _patiently(), self._begin(durable=True) as connection:
                for table in tables.Table.metadata.sorted_tables:
                    connection.execute(CreateTable(table, if_not_exists=True))
                    for index in table.indexes:
                        connection.execute(CreateIndex(index, if_not_exists=True))
                _check_format(connection)
            self._prepared = True


def _check_format(connection: Connection) -> None:
    """The format's number is the row's key, so of two processes that are first only one writes."""
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
    if sync is None:
        connection.exec_driver_sql("BEGIN")
        return
    connection.exec_driver_sql(f"PRAGMA synchronous={sync}")
    connection.exec_driver_sql("BEGIN IMMEDIATE")


@contextmanager
def _patiently() -> Iterator[None]:
    try:
        yield
    except (exc.OperationalError, exc.TimeoutError) as error:
        raise faults.StoreBusy("The index does not answer now.") from error


def _lock(connection: Connection, bucket_id: int) -> None:
    query = select(BucketRow.id).where(BucketRow.id == bucket_id).with_for_update()
    if connection.execute(query).first() is None:
        raise faults.NoSuchBucket("The bucket was removed meanwhile.")


def _check(connection: Connection, bucket_id: int, key: bytes, condition: Condition) -> list[str]:
    """Hold the current object against a condition; returns its id, if there is one, in a list."""
    query = select(VersionRow.id, VersionRow.etag).where(*_shown(bucket_id, key))
    row = connection.execute(query).one_or_none()
    condition.check(None if row is None else row.etag)
    return [] if row is None else [row.id]


def _remove(
    connection: Connection, bucket_id: int, key: bytes, condition: Condition
) -> str | faults.StoreFault | None:
    try:
        found = _check(connection, bucket_id, key, condition)
    except (faults.ConditionFailed, faults.NoSuchKey) as fault:
        return fault
    connection.execute(delete(VersionRow).where(VersionRow.id.in_(found)))
    return found[0] if found else None


def _shown(bucket_id: int, key: bytes) -> tuple[Any, ...]:
    return VersionRow.bucket_id == bucket_id, VersionRow.latest == 1, VersionRow.key == key
