"""What listings ask of the index: rows of one bucket between two keys, in order."""

from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, or_, select

from s3store.index import rows
from s3store.listing import Row, Start
from s3store.records import NULL_VERSION, Bucket, Entry, Upload, Version
from s3store.tables import UploadRow, VersionRow

_UPLOADS_IN = rows.UPLOADS.where(UploadRow.completed.is_(None)).order_by(
    UploadRow.key, UploadRow.position
)
_VERSIONS_IN = select(*rows.VERSION).order_by(VersionRow.key, VersionRow.position)


def entries(
    connection: Connection, bucket: Bucket, start: Start, high: bytes | None, most: int
) -> list[Row[Entry]]:
    """The objects of a plain listing: what keys show, delete markers left out."""
    inside = VersionRow.bucket_id == bucket.id, VersionRow.latest == 1
    key = VersionRow.key
    # A key shows one version, so to start behind that is to start behind the key.
    low = key >= start.key if start.included and start.position is None else key > start.key
    query = rows.ENTRIES.where(*inside, low).order_by(key).limit(most)
    found = connection.execute(query if high is None else query.where(key < high))
    return [Row(entry.key, 0, entry) for entry in map(rows.entry, found)]


def versions(
    connection: Connection, bucket: Bucket, start: Start, high: bytes | None, most: int
) -> list[Row[Version]]:
    """All versions and delete markers, those of a key newest first."""
    query = _between(_VERSIONS_IN, VersionRow, bucket, start, high)
    found = connection.execute(query.limit(most))
    return [Row(bytes(row.key), row.position, rows.version(row)) for row in found]


def uploads(
    connection: Connection, bucket: Bucket, start: Start, high: bytes | None, most: int
) -> list[Row[Upload]]:
    """The open uploads, those of a key oldest first."""
    query = _between(_UPLOADS_IN, UploadRow, bucket, start, high)
    found = connection.execute(query.limit(most))
    return [Row(bytes(row.key), row.position, rows.upload(row)) for row in found]


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


def _between(
    query: Select[Any], table: Any, bucket: Bucket, start: Start, high: bytes | None
) -> Select[Any]:
    key = table.key
    query = query.where(table.bucket_id == bucket.id)
    if not start.included:
        query = query.where(key > start.key)
    elif start.position is None:
        query = query.where(key >= start.key)
    else:
        further = and_(key == start.key, table.position > start.position)
        query = query.where(key >= start.key, or_(key > start.key, further))
    return query if high is None else query.where(key < high)
