"""Buckets: their rows and what is said in them."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, delete, exc, insert, select, update

from s3store import faults
from s3store.index import ledger, rows
from s3store.index.database import Database
from s3store.index.direct import Statement
from s3store.records import ENABLED, Bucket, Quota
from s3store.tables import BucketRow, PartRow, UploadRow, VersionRow

_BY_NAME = Statement(select(*rows.BUCKET).where(BucketRow.name == bindparam("wanted")))
_BY_ID = Statement(select(*rows.BUCKET).where(BucketRow.id == bindparam("wanted")))


def ask(index: Database, name: str) -> Bucket:
    """Look a bucket up.

    Raises:
        NoSuchBucket.
    """
    row = index.ask(_BY_NAME, {"wanted": name if name.isascii() else ""})
    if row is None:
        raise faults.NoSuchBucket(f"There is no bucket {name}.")
    return rows.bucket(row)


def of_owner(connection: Connection, owner: str) -> list[Bucket]:
    """All buckets of an owner, by name."""
    query = select(*rows.BUCKET).where(BucketRow.owner == owner).order_by(BucketRow.name)
    return [rows.bucket(row) for row in connection.execute(query)]


def every(connection: Connection) -> list[Bucket]:
    """All buckets there are, by name."""
    query = select(*rows.BUCKET).order_by(BucketRow.name)
    return [rows.bucket(row) for row in connection.execute(query)]


def add(
    connection: Connection,
    name: str,
    owner: str,
    created: datetime,
    versioning: str,
    settings: Mapping[str, Any] | None,
    default: Quota,
) -> Bucket:
    """Make a bucket.

    Raises:
        BucketExists, QuotaExceeded.
    """
    ledger.open_account(connection, owner)
    quota = ledger.hold(connection, owner, default)
    row = {
        "name": name,
        "owner": owner,
        "created": rows.stamp(created),
        "versioning": versioning,
        "settings": json.dumps(dict(settings)) if settings else None,
        "sequence": 0,
        "objects": 0,
        "bytes": 0,
    }
    try:
        with connection.begin_nested():
            connection.execute(insert(BucketRow).values(row))
    except exc.IntegrityError:
        there = _BY_NAME.one(connection, {"wanted": name})
        raise faults.BucketExists(name, there.b_owner) from None
    if quota.buckets is not None and ledger.usage(connection, owner).buckets > quota.buckets:
        raise faults.QuotaExceeded(f"The account may have {quota.buckets} buckets.")
    return rows.bucket(_BY_NAME.one(connection, {"wanted": name}))


def remove(connection: Connection, bucket: Bucket, default: Quota) -> list[str]:
    """Remove a bucket with its open uploads; returns the files now superfluous.

    Uploads of whole objects into it that have not finished will be refused.

    Raises:
        NoSuchBucket, BucketNotEmpty.
    """
    with ledger.held(connection, bucket.id, default):
        inside = select(VersionRow.id).where(VersionRow.bucket_id == bucket.id).limit(1)
        if connection.execute(inside).first() is not None:
            raise faults.BucketNotEmpty(f"The bucket {bucket.name} holds objects.")
        open_ones = UploadRow.completed.is_(None)
        uploads = select(UploadRow.id).where(UploadRow.bucket_id == bucket.id, open_ones)
        parts = PartRow.upload_id.in_(uploads)
        files = list(connection.scalars(select(PartRow.id).where(parts)))
        connection.execute(delete(PartRow).where(parts))
        connection.execute(delete(UploadRow).where(UploadRow.bucket_id == bucket.id))
    connection.execute(delete(BucketRow).where(BucketRow.id == bucket.id))
    return files


def set_versioning(connection: Connection, bucket: Bucket, state: str, default: Quota) -> Bucket:
    """Enable or suspend versioning.

    Raises:
        NoSuchBucket, WrongBucketState: the bucket has a ``lock`` setting, so versioning stays.
    """
    with ledger.held(connection, bucket.id, default):
        now = _again(connection, bucket)
        if state != ENABLED and "lock" in now.settings:
            raise faults.WrongBucketState("Versioning of a bucket with object lock stays enabled.")
        connection.execute(
            update(BucketRow).where(BucketRow.id == bucket.id).values(versioning=state)
        )
    return _again(connection, bucket)


def set_setting(
    connection: Connection, bucket: Bucket, name: str, document: Any, default: Quota
) -> Bucket:
    """Set a document, or with None remove it.

    Raises:
        NoSuchBucket, WrongBucketState: a ``lock`` needs versioning, and cannot be removed.
    """
    with ledger.held(connection, bucket.id, default) as books:
        settings = dict(_again(connection, bucket).settings)
        if name == "lock" and (document is None or books.versioning != ENABLED):
            raise faults.WrongBucketState("Object lock needs versioning, and stays.")
        settings[name] = document
        kept = {each: said for each, said in settings.items() if said is not None}
        text = json.dumps(kept) if kept else None
        connection.execute(update(BucketRow).where(BucketRow.id == bucket.id).values(settings=text))
    return _again(connection, bucket)


def _again(connection: Connection, bucket: Bucket) -> Bucket:
    return rows.bucket(_BY_ID.one(connection, {"wanted": bucket.id}))
