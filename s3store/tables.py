"""The tables of the index.

``latest`` is 1 for the version a key shows, 2 for a delete marker that is its newest version, and
NULL for all others; being part of a unique constraint, in which NULLs differ, it lets the database
itself refuse a second one, and lets a plain listing read what it shows and nothing else.

``position`` is minus the bucket's count of changes when the version came, so that an ascending walk
over (bucket, key, position) meets the versions of a key newest first.

Keys are byte strings in the database, so that they compare by bytes wherever they are stored.
Times are milliseconds since 1970.
"""

import json
from typing import Any

import sqlalchemy as sa
from sqlalchemy import (
    BigInteger,
    ForeignKey,
    LargeBinary,
    String,
    Text,
    TypeDecorator,
    UniqueConstraint,
    literal_column,
)
from sqlalchemy.dialects.mysql import MEDIUMBLOB, MEDIUMTEXT, VARBINARY
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

_KEY = LargeBinary(1024).with_variant(VARBINARY(1024), "mysql", "mariadb")
_LONG = Text().with_variant(MEDIUMTEXT(), "mysql", "mariadb")
_CONTENT = LargeBinary().with_variant(MEDIUMBLOB(), "mysql", "mariadb")


class Json(TypeDecorator[Any]):
    """A JSON document as ASCII. MariaDB's own JSON type refuses the surrogates of stray bytes."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: object) -> str | None:
        """On the way in."""
        return None if value is None else json.dumps(value)

    def process_result_value(self, value: str | None, dialect: object) -> Any:
        """On the way out."""
        return None if value is None else json.loads(value)


class Table(DeclarativeBase):
    """The root of all tables."""


class FormatRow(Table):
    """The one row that says what wrote this index."""

    __tablename__ = "format"
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)


class AccountRow(Table):
    """What an account may have, if ``own`` is 1, else what all may; a limit may be NULL: none.

    Every account with a bucket has a row, so that there is one to lock.
    """

    __tablename__ = "account"
    owner: Mapped[str] = mapped_column(String(255), primary_key=True)
    own: Mapped[int]
    buckets: Mapped[int | None] = mapped_column(BigInteger)
    objects: Mapped[int | None] = mapped_column(BigInteger)
    bytes: Mapped[int | None] = mapped_column(BigInteger)


class SampleRow(Table):
    """What an account had at a full hour. Accounts without a bucket then have no row of it."""

    __tablename__ = "sample"
    taken: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    owner: Mapped[str] = mapped_column(String(255), primary_key=True)
    buckets: Mapped[int] = mapped_column(BigInteger)
    objects: Mapped[int] = mapped_column(BigInteger)
    bytes: Mapped[int] = mapped_column(BigInteger)


class BucketRow(Table):
    """A bucket, and what is counted in it with every change.

    ``sequence`` counts changes; ``objects`` versions with content; ``bytes`` their sizes and those
    of the parts of open uploads.
    """

    __tablename__ = "bucket"
    __table_args__ = ({"sqlite_autoincrement": True},)  # an id never comes back
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(63), unique=True)
    owner: Mapped[str] = mapped_column(String(255), index=True)
    created: Mapped[int] = mapped_column(BigInteger)
    versioning: Mapped[str] = mapped_column(String(9))
    settings: Mapped[str | None] = mapped_column(_LONG)
    sequence: Mapped[int] = mapped_column(BigInteger)
    objects: Mapped[int] = mapped_column(BigInteger)
    bytes: Mapped[int] = mapped_column(BigInteger)


class ArrivalRow(Table):
    """A file under way. It is removed in the transaction that makes the file's content visible."""

    __tablename__ = "arrival"
    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    started: Mapped[int] = mapped_column(BigInteger, index=True)


class VersionRow(Table):
    """A complete version or a delete marker.

    ``unversioned`` is 1 for what was written while versioning was not enabled, of which a key has
    at most one, and NULL for the rest. ``place`` says where the content is: in the ``file`` named
    by the id, in the ``index`` (:class:`ContentRow`), in ``parts`` (:class:`PartRow`), or nowhere
    (empty), for a delete marker. ``stored`` is its size there, sealed or not.
    """

    __tablename__ = "version"
    __table_args__ = (
        UniqueConstraint("bucket_id", "latest", "key", name="one_latest"),
        UniqueConstraint("bucket_id", "key", "position", name="newest_first"),
        UniqueConstraint("bucket_id", "unversioned", "key", name="one_unversioned"),
    )
    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    bucket_id: Mapped[int] = mapped_column(ForeignKey("bucket.id"))
    key: Mapped[bytes] = mapped_column(_KEY)
    position: Mapped[int] = mapped_column(BigInteger)
    latest: Mapped[int | None]
    unversioned: Mapped[int | None]
    marker: Mapped[int]
    place: Mapped[str] = mapped_column(String(5))
    parts: Mapped[int]
    modified: Mapped[int] = mapped_column(BigInteger)
    size: Mapped[int] = mapped_column(BigInteger)
    stored: Mapped[int] = mapped_column(BigInteger)
    etag: Mapped[str] = mapped_column(String(80))
    storage_class: Mapped[str] = mapped_column(String(32))
    checksum_algorithm: Mapped[str] = mapped_column(String(16))
    checksum_type: Mapped[str] = mapped_column(String(11))
    checksum: Mapped[bytes] = mapped_column(LargeBinary(64))
    headers: Mapped[dict[str, str]] = mapped_column(Json)
    properties: Mapped[dict[str, str]] = mapped_column(Json)
    owner: Mapped[str] = mapped_column(String(255))
    tags: Mapped[dict[str, str] | None] = mapped_column(Json)
    acl: Mapped[Any] = mapped_column(Json, nullable=True)
    lock_mode: Mapped[str] = mapped_column(String(10))
    lock_until: Mapped[int | None] = mapped_column(BigInteger)
    lock_hold: Mapped[int]
    seal: Mapped[dict[str, str] | None] = mapped_column(Json)


class ContentRow(Table):
    """The content of a small version, as it would lie in its file."""

    __tablename__ = "content"
    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    body: Mapped[bytes] = mapped_column(_CONTENT)


class UploadRow(Table):
    """A multipart upload.

    ``draft`` is what was said when it began. ``position`` is the bucket's count of changes then.
    When it was completed ``completed`` says when, and ``answer`` what the completer was told, for
    one who asks again; it is then no longer open.
    """

    __tablename__ = "upload"
    __table_args__ = (
        UniqueConstraint("bucket_id", "key", "position", name="oldest_first"),
        sa.Index(
            "answered",
            "completed",
            sqlite_where=literal_column("completed IS NOT NULL"),
        ),
    )
    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    bucket_id: Mapped[int] = mapped_column(ForeignKey("bucket.id"))
    key: Mapped[bytes] = mapped_column(_KEY)
    position: Mapped[int] = mapped_column(BigInteger)
    started: Mapped[int] = mapped_column(BigInteger)
    initiator: Mapped[str] = mapped_column(String(255))
    checksum_algorithm: Mapped[str | None] = mapped_column(String(16))
    checksum_type: Mapped[str] = mapped_column(String(11))
    draft: Mapped[Any] = mapped_column(Json)
    completed: Mapped[int | None] = mapped_column(BigInteger)
    answer: Mapped[Any] = mapped_column(Json, nullable=True)


class PartRow(Table):
    """A part, kept in the file named by its id.

    ``upload_id`` is its upload's id, and so its version's, which inherits it. ``dropped`` says when
    the version was removed: from then on the row stands for a file to be removed and nothing else.
    """

    __tablename__ = "part"
    __table_args__ = (
        UniqueConstraint("upload_id", "number", name="one_part"),
        sa.Index("drops", "dropped", sqlite_where=literal_column("dropped IS NOT NULL")),
    )
    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    upload_id: Mapped[str] = mapped_column(String(32))
    number: Mapped[int]
    size: Mapped[int] = mapped_column(BigInteger)
    stored: Mapped[int] = mapped_column(BigInteger)
    etag: Mapped[str] = mapped_column(String(32))
    checksum_algorithm: Mapped[str] = mapped_column(String(16))
    checksum: Mapped[bytes] = mapped_column(LargeBinary(64))
    modified: Mapped[int] = mapped_column(BigInteger)
    dropped: Mapped[int | None] = mapped_column(BigInteger)


class MessageRow(Table):
    """A message on its way out, put here by the change it is about; lower ids came earlier."""

    __tablename__ = "message"
    __table_args__ = ({"sqlite_autoincrement": True},)
    id: Mapped[int] = mapped_column(primary_key=True)
    target: Mapped[str] = mapped_column(Text)
    body: Mapped[str] = mapped_column(_LONG)
    created: Mapped[int] = mapped_column(BigInteger)
    due: Mapped[int] = mapped_column(BigInteger)
    tries: Mapped[int]


class LeaseRow(Table):
    """A job that one process at a time does, and until when it may."""

    __tablename__ = "lease"
    name: Mapped[str] = mapped_column(String(32), primary_key=True)
    holder: Mapped[str] = mapped_column(String(32))
    until: Mapped[int] = mapped_column(BigInteger)
