"""Versions: how they come, what a key shows then, and how they go."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import uuid4

from sqlalchemy import BindParameter, Connection, bindparam, delete, insert, select, update

from s3store import faults, locks
from s3store.index import rows
from s3store.index.direct import Statement
from s3store.index.ledger import Ledger
from s3store.index.lookups import brief
from s3store.records import (
    ENABLED,
    NULL_VERSION,
    Attributes,
    Checksum,
    Condition,
    Deleted,
    Doomed,
    Version,
)
from s3store.tables import ArrivalRow, ContentRow, PartRow, VersionRow
from s3store.witness import Kind

_WHICH: BindParameter[Any] = bindparam("which")
_ANNOUNCE = Statement(insert(ArrivalRow))
_ARRIVE = Statement(delete(ArrivalRow).where(ArrivalRow.id == _WHICH))
_INSERT = Statement(insert(VersionRow))
_INSERT_CONTENT = Statement(insert(ContentRow))
_DELETE = Statement(delete(VersionRow).where(VersionRow.id == _WHICH))
_DELETE_CONTENT = Statement(delete(ContentRow).where(ContentRow.id == _WHICH))
_SHOW = Statement(
    update(VersionRow).where(VersionRow.id == _WHICH).values(latest=bindparam("latest"))
)
_DROP_PARTS = Statement(
    update(PartRow).where(PartRow.upload_id == _WHICH).values(dropped=bindparam("dropped"))
)
_NEWEST = Statement(
    select(VersionRow.id, VersionRow.marker)
    .where(VersionRow.bucket_id == bindparam("inside"), VersionRow.key == bindparam("wanted"))
    .order_by(VersionRow.position)
    .limit(1)
)


@dataclass(frozen=True)
class Gone:
    """A version that was removed, whose content is still to be."""

    id: str
    place: str


# -- coming ----------------------------------------------------------------------------------------


def announce(connection: Connection, name: str, now: datetime) -> None:
    """Say that a file is under way."""
    _ANNOUNCE.run(connection, {"id": name, "started": rows.stamp(now)})


def arrive(connection: Connection, name: str) -> None:
    """A file under way has come.

    Raises:
        UploadAborted: it was given up.
    """
    if _ARRIVE.run(connection, {"which": name}) != 1:
        raise faults.UploadAborted("The upload took too long and was given up.")


def check(connection: Connection, bucket_id: int, key: bytes, condition: Condition) -> Any:
    """Hold the current object against a condition; returns what the key shows.

    Raises:
        ConditionFailed, NoSuchKey.
    """
    row = brief(connection, bucket_id, key, None)
    condition.check(None if row is None or row.marker else row.etag)
    return row


def add(
    connection: Connection,
    books: Ledger,
    version: Version,
    condition: Condition,
    body: bytes | None = None,
) -> tuple[Version, list[Gone]]:
    """Make a version what its key shows; returns it as it is kept, and what it replaced.

    Raises:
        ConditionFailed, NoSuchKey, WrongBucketState: a lock needs versioning; Locked.
    """
    key = version.key.encode()
    shown = check(connection, books.bucket_id, key, condition)
    enabled = books.versioning == ENABLED
    if version.lock != locks.FREE and not enabled:
        raise faults.WrongBucketState("Object lock needs a bucket with versioning.")
    gone = [] if enabled else _make_room(connection, books, key, shown, version.modified)
    if shown is not None and (enabled or not shown.unversioned):
        _show(connection, shown.id, None)
    kept = replace(
        version,
        version_id=version.id if enabled else NULL_VERSION,
        owner=version.owner or books.owner,
    )
    _INSERT.run(connection, rows.version_values(kept, -books.turn()))
    if body is not None:
        _INSERT_CONTENT.run(connection, {"id": kept.id, "body": body})
    if not kept.marker:
        books.count(1, kept.size)
    books.saw(Kind.ADDED, kept.key, kept.version_id, kept.size, kept.etag, kept.marker)
    return kept, gone


def _make_room(
    connection: Connection, books: Ledger, key: bytes, shown: Any, now: datetime
) -> list[Gone]:
    """Remove the version a key has from times without versioning: the new one takes its id."""
    old = shown
    if shown is None or not shown.unversioned:
        old = shown and brief(connection, books.bucket_id, key, NULL_VERSION)
    if old is None:
        return []
    locks.check_removal(rows.lock(old), now, bypass=False)
    return [_take_out(connection, books, old, now)]


# -- going -----------------------------------------------------------------------------------------


def remove(
    connection: Connection, books: Ledger, doomed: Doomed, owner: str, now: datetime, bypass: bool
) -> tuple[Deleted, list[Gone]]:
    """Delete an object, which with versioning adds a delete marker, or one version of it.

    Raises:
        ConditionFailed, NoSuchKey (with a condition only), Locked.
    """
    key = doomed.key.encode()
    row = brief(connection, books.bucket_id, key, doomed.version_id)
    _check(doomed, row)
    if doomed.version_id is None and books.versioning:
        marker, gone = add(connection, books, _marker(books, doomed.key, owner, now), Condition())
        existed = row is not None and not row.marker
        return Deleted(doomed.key, None, True, existed, marker.version_id), gone
    if row is None:
        return Deleted(doomed.key, doomed.version_id, False, False), []
    locks.check_removal(rows.lock(row), now, bypass)
    lost = _take_out(connection, books, row, now)
    named = NULL_VERSION if row.unversioned else row.id
    books.saw(Kind.REMOVED, doomed.key, named, row.size, row.etag, bool(row.marker))
    if row.latest is not None and books.versioning:
        _promote(connection, books.bucket_id, key)
    marker_id = doomed.version_id if row.marker else None
    return Deleted(doomed.key, doomed.version_id, bool(row.marker), True, marker_id), [lost]


def _check(doomed: Doomed, row: Any) -> None:
    """Hold what is asked for against what there is."""
    doomed.condition.check(None if row is None or row.marker else row.etag)
    if doomed.id is None:
        return
    if row is None or row.id != doomed.id or (doomed.old and row.latest is not None):
        raise faults.ConditionFailed("The version is not the one that was meant.")


def _marker(books: Ledger, key: str, owner: str, now: datetime) -> Version:
    return Version(
        id=uuid4().hex,
        bucket_id=books.bucket_id,
        key=key,
        version_id="",
        size=0,
        etag="",
        modified=now,
        checksum=Checksum("", b""),
        attributes=Attributes(),
        owner=owner,
        marker=True,
    )


def _take_out(connection: Connection, books: Ledger, row: Any, now: datetime) -> Gone:
    """Remove a version's row; its parts stay on record until their files are removed."""
    _DELETE.run(connection, {"which": row.id})
    if row.place == "index":
        _DELETE_CONTENT.run(connection, {"which": row.id})
    elif row.place == "parts":
        _DROP_PARTS.run(connection, {"which": row.id, "dropped": rows.stamp(now)})
    if not row.marker:
        books.count(-1, -row.size)
    return Gone(row.id, row.place)


def _promote(connection: Connection, bucket_id: int, key: bytes) -> None:
    """Let a key show the newest version that is left of it."""
    row = _NEWEST.one(connection, {"inside": bucket_id, "wanted": key})
    if row is not None:
        _show(connection, row.id, 2 if row.marker else 1)


def _show(connection: Connection, version: str, latest: int | None) -> None:
    _SHOW.run(connection, {"which": version, "latest": latest})


# -- what may change -------------------------------------------------------------------------------


def alter(connection: Connection, version: Version, values: dict[str, Any]) -> None:
    """Change what may be changed of a version that the transaction has found."""
    connection.execute(update(VersionRow).where(VersionRow.id == version.id).values(values))
