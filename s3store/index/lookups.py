"""Finding versions: by what a key shows, or by a public id."""

from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, bindparam, literal_column, select

from s3store import faults
from s3store.index import rows
from s3store.index.database import Database
from s3store.index.direct import Statement
from s3store.records import NULL_VERSION, Bucket, Version
from s3store.tables import BucketRow, ContentRow, VersionRow


def _asked(version_id: str | None) -> ColumnElement[bool]:
    """Which version of a key is asked for; texts that are no id at all find none."""
    if version_id is None:
        return VersionRow.latest.in_((literal_column("1"), literal_column("2")))
    if version_id == NULL_VERSION:
        return VersionRow.unversioned == 1
    return (VersionRow.id == bindparam("named")) & VersionRow.unversioned.is_(None)


def _whole(version_id: str | None) -> Select[Any]:
    """Bucket and version, and its content where it is small, in one question."""
    mine = (VersionRow.bucket_id == BucketRow.id) & (VersionRow.key == bindparam("wanted"))
    return (
        select(*rows.BUCKET, *rows.VERSION, ContentRow.body)
        .select_from(BucketRow)
        .outerjoin(VersionRow, mine & _asked(version_id))
        .outerjoin(ContentRow, ContentRow.id == VersionRow.id)
    )


_KINDS = (None, NULL_VERSION, "id")
_BY_NAME = {
    kind: Statement(_whole(kind).where(BucketRow.name == bindparam("inside"))) for kind in _KINDS
}
_BY_ID = {
    kind: Statement(_whole(kind).where(BucketRow.id == bindparam("inside"))) for kind in _KINDS
}
_BRIEF = (
    VersionRow.id,
    VersionRow.latest,
    VersionRow.unversioned,
    VersionRow.marker,
    VersionRow.place,
    VersionRow.size,
    VersionRow.etag,
    VersionRow.lock_mode,
    VersionRow.lock_until,
    VersionRow.lock_hold,
)
_BRIEFLY = {
    kind: Statement(
        select(*_BRIEF).where(
            VersionRow.bucket_id == bindparam("inside"),
            VersionRow.key == bindparam("wanted"),
            _asked(kind),
        )
    )
    for kind in _KINDS
}


def find(
    connection: Connection, bucket: int, key: bytes, version_id: str | None
) -> tuple[Bucket, Version | None]:
    """A bucket by its id, and the version of a key asked for.

    Raises:
        NoSuchBucket.
    """
    values = {"inside": bucket, "wanted": key, "named": rows.searchable(version_id)}
    return _found(_BY_ID[_kind(version_id)].one(connection, values))[:2]


def ask(
    index: Database, bucket: str | int, key: bytes, version_id: str | None
) -> tuple[Bucket, Version | None, bytes | None]:
    """A bucket by name or id, the version of a key asked for, and its content where it is inline.

    Raises:
        NoSuchBucket.
    """
    named = isinstance(bucket, str)
    query = (_BY_NAME if named else _BY_ID)[_kind(version_id)]
    inside = bucket if not isinstance(bucket, str) or bucket.isascii() else ""
    values = {"inside": inside, "wanted": key, "named": rows.searchable(version_id)}
    return _found(index.ask(query, values))


def _found(row: Any) -> tuple[Bucket, Version | None, bytes | None]:
    if row is None:
        raise faults.NoSuchBucket("There is no such bucket.")
    found = rows.bucket(row)
    return (found, None, None) if row.id is None else (found, rows.version(row), row.body)


def brief(connection: Connection, bucket_id: int, key: bytes, version_id: str | None) -> Any:
    """What a change needs to know of a version; None when there is no such version."""
    values = {"inside": bucket_id, "wanted": key, "named": rows.searchable(version_id)}
    return _BRIEFLY[_kind(version_id)].one(connection, values)


def _kind(version_id: str | None) -> str | None:
    return version_id if version_id in (None, NULL_VERSION) else "id"
