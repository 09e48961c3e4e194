"""The tables of the index, and their rows turned into records and back.

``latest`` is 1 for the version a key shows and NULL for all others; being part of a unique
constraint, in which NULLs differ, it lets the database itself refuse a second one.

Keys are byte strings in the database, so that they compare by bytes wherever they are stored.
"""

import json
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import (
    BigInteger,
    ForeignKey,
    LargeBinary,
    Select,
    String,
    Text,
    TypeDecorator,
    UniqueConstraint,
    literal_column,
    select,
)
from sqlalchemy.dialects.mysql import VARBINARY
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from s3store.records import Attributes, Bucket, Checksum, Entry, Version

_KEY = LargeBinary(1024).with_variant(VARBINARY(1024), "mysql", "mariadb")


class Pairs(TypeDecorator[dict[str, str]]):
    """A mapping as ASCII JSON. MariaDB's own JSON type refuses the surrogates of stray bytes."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: dict[str, str] | None, dialect: object) -> str | None:
        """On the way in."""
        return None if value is None else json.dumps(value)

    def process_result_value(self, value: str | None, dialect: object) -> dict[str, str] | None:
        """On the way out."""
        return None if value is None else json.loads(value)


class Table(DeclarativeBase):
    """The root of all tables."""


class FormatRow(Table):
    """The one row that says what wrote this index."""

    __tablename__ = "format"
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)


class BucketRow(Table):
    """A bucket; times are milliseconds since 1970."""

    __tablename__ = "bucket"
    __table_args__ = ({"sqlite_autoincrement": True},)  # an id never comes back
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(63), unique=True)
    owner: Mapped[str] = mapped_column(String(255), index=True)
    created: Mapped[int] = mapped_column(BigInteger)


class VersionRow(Table):
    """A version under way or complete; what is only known at its end is NULL before."""

    __tablename__ = "version"
    __table_args__ = (
        UniqueConstraint("bucket_id", "latest", "key", name="one_latest"),
        sa.Index(
            "unfinished", "state", "started", sqlite_where=literal_column("state = 'uploading'")
        ),
    )
    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    bucket_id: Mapped[int] = mapped_column(ForeignKey("bucket.id"))
    key: Mapped[bytes] = mapped_column(_KEY)
    latest: Mapped[int | None]
    state: Mapped[str] = mapped_column(String(9))  # uploading | complete
    started: Mapped[int] = mapped_column(BigInteger)
    modified: Mapped[int | None] = mapped_column(BigInteger)
    size: Mapped[int | None] = mapped_column(BigInteger)
    etag: Mapped[str | None] = mapped_column(String(80))
    storage_class: Mapped[str | None] = mapped_column(String(32))
    checksum_algorithm: Mapped[str | None] = mapped_column(String(16))
    checksum: Mapped[bytes | None] = mapped_column(LargeBinary(64))
    headers: Mapped[dict[str, str] | None] = mapped_column(Pairs)
    properties: Mapped[dict[str, str] | None] = mapped_column(Pairs)


# -- rows ⇄ records --------------------------------------------------------------------------------

BUCKETS = select(BucketRow.id, BucketRow.name, BucketRow.owner, BucketRow.created)
ENTRIES = select(
    VersionRow.key,
    VersionRow.size,
    VersionRow.etag,
    VersionRow.modified,
    VersionRow.storage_class,
    VersionRow.checksum_algorithm,
)
VERSIONS: Select[Any] = select(*VersionRow.__table__.columns)


def bucket(row: Any) -> Bucket:
    """From a row of BUCKETS."""
    return Bucket(row.id, row.name, row.owner, moment(row.created))


def entry(row: Any) -> Entry:
    """From a row of ENTRIES."""
    key, size, etag, modified, storage_class, algorithm = row
    return Entry(key, size, etag, moment(modified), storage_class, algorithm)


def version(row: Any) -> Version:
    """From a row of VERSIONS that is complete."""
    return Version(
        id=row.id,
        bucket_id=row.bucket_id,
        key=bytes(row.key).decode(),
        size=row.size,
        etag=row.etag,
        modified=moment(row.modified),
        checksum=Checksum(row.checksum_algorithm, bytes(row.checksum)),
        attributes=Attributes(row.headers, row.properties, row.storage_class),
    )


def complete_row(version: Version) -> dict[str, Any]:
    """What a row gains when its version is complete."""
    return {
        "latest": 1,
        "state": "complete",
        "modified": stamp(version.modified),
        "size": version.size,
        "etag": version.etag,
        "storage_class": version.attributes.storage_class,
        "checksum_algorithm": version.checksum.algorithm,
        "checksum": version.checksum.digest,
        "headers": dict(version.attributes.headers),
        "properties": dict(version.attributes.metadata),
    }


def stamp(time: datetime) -> int:
    """Milliseconds since 1970."""
    return round(time.timestamp() * 1000)


def moment(stamp: int) -> datetime:
    """The time, UTC, of a stamp."""
    return datetime.fromtimestamp(stamp / 1000, UTC)
