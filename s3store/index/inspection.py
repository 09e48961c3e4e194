"""What a check of the whole store asks of the index, and what it may put right."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, Select, delete, func, select, update

from s3store.index import rows
from s3store.index.ledger import held
from s3store.records import Bucket, Quota, Version
from s3store.tables import BucketRow, ContentRow, PartRow, UploadRow, VersionRow

_NO_VERSION = ~select(VersionRow.id).where(VersionRow.id == ContentRow.id).exists()
_NO_OWNER = (
    PartRow.dropped.is_(None)
    & ~select(UploadRow.id)
    .where(UploadRow.id == PartRow.upload_id, UploadRow.completed.is_(None))
    .exists()
    & ~select(VersionRow.id).where(VersionRow.id == PartRow.upload_id).exists()
)


class Counted(NamedTuple):
    """A bucket's counters."""

    objects: int
    bytes: int


class Seen(NamedTuple):
    """A version, the raw ``latest`` of its row, and its place in the walk."""

    version: Version
    latest: int | None
    place: tuple[bytes, int]


def versions(
    connection: Connection, bucket: Bucket, after: tuple[bytes, int] | None, most: int
) -> list[Seen]:
    """The next versions of a bucket, by key and newest first."""
    query = select(*rows.VERSION).where(VersionRow.bucket_id == bucket.id)
    if after is not None:
        key, position = after
        behind = (VersionRow.key > key) | (VersionRow.position > position)
        query = query.where(VersionRow.key >= key, behind)
    query = query.order_by(VersionRow.key, VersionRow.position).limit(most)
    return [
        Seen(rows.version(row), row.latest, (bytes(row.key), row.position))
        for row in connection.execute(query)
    ]


def there(connection: Connection, version: Version) -> bool:
    """Whether a version is still on record."""
    query = select(VersionRow.id).where(VersionRow.id == version.id)
    return connection.execute(query).first() is not None


def body(connection: Connection, version: Version) -> bytes | None:
    """What is kept of a small content."""
    return connection.scalars(
        select(ContentRow.body).where(ContentRow.id == version.id)
    ).one_or_none()


def shows_wrongly(connection: Connection, bucket: Bucket, key: bytes) -> bool:
    """Whether a key shows anything but its newest version."""
    mine = VersionRow.bucket_id == bucket.id, VersionRow.key == key
    query = select(VersionRow.marker, VersionRow.latest).where(*mine)
    found: Sequence[Any] = connection.execute(query.order_by(VersionRow.position)).all()
    return [row.latest for row in found] != shown([bool(row.marker) for row in found])


def shown(markers: Sequence[bool]) -> list[int | None]:
    """What ``latest`` must be of a key's versions, newest first."""
    return [(2 if marker else 1) if at == 0 else None for at, marker in enumerate(markers)]


def show_newest(connection: Connection, bucket: Bucket, key: bytes, default: Quota) -> None:
    """Let a key show its newest version; nobody changes the bucket meanwhile.

    Raises:
        NoSuchBucket.
    """
    mine = VersionRow.bucket_id == bucket.id, VersionRow.key == key
    newest = select(VersionRow.id, VersionRow.marker).where(*mine)
    with held(connection, bucket.id, default):
        connection.execute(update(VersionRow).where(*mine).values(latest=None))
        row = connection.execute(newest.order_by(VersionRow.position).limit(1)).one_or_none()
        if row is not None:
            chosen = update(VersionRow).where(VersionRow.id == row.id)
            connection.execute(chosen.values(latest=2 if row.marker else 1))


def counters(connection: Connection, bucket: Bucket) -> tuple[Counted, Counted] | None:
    """What a bucket's row says and what there is, both of one moment; None without the bucket."""
    versions = select(func.count(VersionRow.id)).where(
        VersionRow.bucket_id == bucket.id, VersionRow.marker == 0
    )
    sizes = _sum(VersionRow.size, VersionRow.bucket_id == bucket.id)
    open_ones = select(UploadRow.id).where(
        UploadRow.bucket_id == bucket.id, UploadRow.completed.is_(None)
    )
    parts = _sum(PartRow.size, PartRow.upload_id.in_(open_ones))
    row = connection.execute(
        select(
            BucketRow.objects,
            BucketRow.bytes,
            versions.scalar_subquery(),
            sizes.scalar_subquery(),
            parts.scalar_subquery(),
        ).where(BucketRow.id == bucket.id)
    ).one_or_none()
    if row is None:
        return None
    objects, size, counted, whole, partial = row
    return Counted(objects, size), Counted(counted, int(whole) + int(partial))


def recount(connection: Connection, bucket: Bucket, default: Quota) -> None:
    """Set a bucket's counters to what there is; nobody changes the bucket meanwhile.

    Raises:
        NoSuchBucket.
    """
    with held(connection, bucket.id, default):
        found = counters(connection, bucket)
    if found is not None:
        right = {"objects": found[1].objects, "bytes": found[1].bytes}
        connection.execute(update(BucketRow).where(BucketRow.id == bucket.id).values(right))


def stray_contents(connection: Connection) -> list[str]:
    """Contents in the index that belong to no version."""
    return list(connection.scalars(select(ContentRow.id).where(_NO_VERSION)))


def forget_content(connection: Connection, name: str) -> None:
    """Remove a content that belongs to no version."""
    connection.execute(delete(ContentRow).where(ContentRow.id == name, _NO_VERSION))


def stray_parts(connection: Connection) -> list[str]:
    """Ids of uploads of which there are parts and nothing else."""
    return list(connection.scalars(select(PartRow.upload_id).where(_NO_OWNER).distinct()))


def drop_parts(connection: Connection, name: str, now: int) -> None:
    """Mark parts that belong to nothing as those of a removed version."""
    stray = (PartRow.upload_id == name) & _NO_OWNER
    connection.execute(update(PartRow).where(stray).values(dropped=now))


def _sum(column: Any, where: ColumnElement[bool]) -> Select[Any]:
    return select(func.coalesce(func.sum(column), 0)).where(where)
