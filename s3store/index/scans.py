"""What listings ask of the index: rows of one bucket, in order; see :class:`listing.Source`."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Connection,
    LargeBinary,
    Select,
    bindparam,
    literal,
    or_,
    select,
)
from sqlalchemy.engine import CursorResult

from s3store.index import leaps, rows
from s3store.index.leaps import Leaps
from s3store.listing import Grouping, Row, Start
from s3store.records import NULL_VERSION, Bucket, Entry, Upload, Version
from s3store.tables import UploadRow, VersionRow

_T = TypeVar("_T")
Query = Select[*tuple[Any, ...]]

_ONLY = 0  # position of the row of a key that can have no other
_LOWEST = -(1 << 63)  # below every position
_LOW: BindParameter[bytes] = bindparam("low", type_=LargeBinary)


@dataclass(frozen=True)
class Kind(Generic[_T]):
    """Something that is listed.

    Args:
        between: asks for rows from the key ``low`` on and below ``high``, ``most`` of them; for
            those of ``low`` itself only behind ``position``.
        among: asks for those of ``keys``.
        made: makes records of what they found.
    """

    between: Query
    among: Query
    leaps: Leaps
    made: Callable[[CursorResult[Any]], Sequence[Row[_T]]]


@dataclass(frozen=True)
class Rows(Generic[_T]):
    """Those of one kind in one bucket."""

    connection: Connection
    bucket: Bucket
    kind: Kind[_T]

    def scan(self, start: Start, high: bytes, most: int) -> Sequence[Row[_T]]:
        """The rows from one place on and below a key, in order, at most so many."""
        return self._found(self.kind.between, start, high=high, most=most)

    def leap(self, low: bytes, high: bytes, grouping: Grouping, most: int) -> Sequence[bytes]:
        """From one key on and below another, the first of every group and every one in none."""
        return self.kind.leaps.keys(self.connection, self.bucket.id, low, high, grouping, most)

    def pick(self, keys: Sequence[bytes], start: Start, most: int) -> Sequence[Row[_T]]:
        """The rows of some keys from a place on, in order, at most so many."""
        return self._found(self.kind.among, start, keys=keys, most=most)

    def _found(self, query: Query, start: Start, **values: Any) -> Sequence[Row[_T]]:
        low = start.key if start.included else start.key + b"\0"
        position = _LOWEST if start.position is None else start.position
        given = {"bucket": self.bucket.id, "low": low, "position": position, **values}
        return self.kind.made(self.connection.execute(query, given))


def _entries(found: CursorResult[Any]) -> list[Row[Entry]]:
    """From the driver's own rows: SQLAlchemy's cost as much as all the rest of a page."""
    cursor: Any = found.cursor
    entries = [rows.entry(row) for row in cursor.fetchall()]
    found.close()
    return [Row(entry.key, _ONLY, entry) for entry in entries]


def _versions(found: CursorResult[Any]) -> list[Row[Version]]:
    return [Row(bytes(row.key), row.position, rows.version(row)) for row in found]


def _uploads(found: CursorResult[Any]) -> list[Row[Upload]]:
    return [Row(bytes(row.key), row.position, rows.upload(row)) for row in found]


def _between(query: Query, table: Any, position: Any) -> Query:
    query = query.where(table.key >= _LOW, table.key < bindparam("high"))
    return _behind(query, table, position)


def _among(query: Query, table: Any, position: Any) -> Query:
    """Without a lower bound of the keys: SQLite would walk on from there and not seek each."""
    keys = bindparam("keys", type_=LargeBinary, expanding=True)
    return _behind(query, table, position).where(table.key.in_(keys))


def _behind(query: Query, table: Any, position: Any) -> Query:
    query = query.where(table.bucket_id == bindparam("bucket"))
    query = query.where(or_(table.key > _LOW, position > bindparam("position")))
    return query.limit(bindparam("most"))


# The objects of a plain listing: what keys show, delete markers left out. A key shows one version.
_SHOWN = rows.ENTRIES.where(VersionRow.latest == 1).order_by(VersionRow.key)
ENTRIES = Kind(
    _between(_SHOWN, VersionRow, literal(_ONLY)),
    _among(_SHOWN, VersionRow, literal(_ONLY)),
    leaps.ENTRIES,
    _entries,
)

# All versions and delete markers, those of a key newest first.
_EVERY = select(*rows.VERSION).order_by(VersionRow.key, VersionRow.position)
VERSIONS = Kind(
    _between(_EVERY, VersionRow, VersionRow.position),
    _among(_EVERY, VersionRow, VersionRow.position),
    leaps.VERSIONS,
    _versions,
)

# The open uploads, those of a key oldest first.
_OPEN = rows.UPLOADS.where(UploadRow.completed.is_(None)).order_by(
    UploadRow.key, UploadRow.position
)
UPLOADS = Kind(
    _between(_OPEN, UploadRow, UploadRow.position),
    _among(_OPEN, UploadRow, UploadRow.position),
    leaps.UPLOADS,
    _uploads,
)


def behind_version(
    connection: Connection, bucket: Bucket, key: bytes, version_id: str | None
) -> Start:
    """Where to go on behind a version of a key, without one behind the key.

    When the version has gone meanwhile nothing tells where it was: then all that is left of the
    key comes, so that nothing is left out.
    """
    if version_id is None:
        return Start(key, included=False)
    if version_id == NULL_VERSION:
        which: ColumnElement[bool] = VersionRow.unversioned == 1
    else:
        which = VersionRow.id == rows.searchable(version_id)
    query = select(VersionRow.position).where(
        VersionRow.bucket_id == bucket.id, VersionRow.key == key, which
    )
    return Start(key, True, connection.scalars(query).one_or_none())


def behind_upload(connection: Connection, bucket: Bucket, key: bytes, name: str | None) -> Start:
    """Where to go on behind an upload, as :func:`behind_version`."""
    if name is None:
        return Start(key, included=False)
    query = select(UploadRow.position).where(
        UploadRow.bucket_id == bucket.id,
        UploadRow.key == key,
        UploadRow.id == rows.searchable(name),
    )
    return Start(key, True, connection.scalars(query).one_or_none())
