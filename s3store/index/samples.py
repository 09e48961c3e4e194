"""What accounts have, all at once: now, and as it was noted at full hours."""

from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime

from sqlalchemy import BigInteger, Connection, cast, delete, exc, func, insert, literal, select

from s3store.index import rows
from s3store.records import Sample, Usage
from s3store.tables import BucketRow, SampleRow

_SUMS = (
    func.count(BucketRow.id),
    cast(func.sum(BucketRow.objects), BigInteger),
    cast(func.sum(BucketRow.bytes), BigInteger),
)


def usages(connection: Connection) -> dict[str, Usage]:
    """What every account with a bucket has, by owner."""
    query = select(BucketRow.owner, *_SUMS).group_by(BucketRow.owner).order_by(BucketRow.owner)
    return {
        owner: Usage(buckets, int(objects), int(size))
        for owner, buckets, objects, size in connection.execute(query)
    }


def contents(connection: Connection) -> dict[int, tuple[int, int]]:
    """Objects and bytes of every bucket, by its id."""
    query = select(BucketRow.id, BucketRow.objects, BucketRow.bytes)
    return {ident: (objects, size) for ident, objects, size in connection.execute(query)}


def record(connection: Connection, taken: datetime, oldest: datetime) -> None:
    """Note what every account has, unless somebody did for that hour; forget what is too old."""
    stamp = rows.stamp(taken)
    done = select(SampleRow.owner).where(SampleRow.taken == stamp).limit(1)
    if connection.execute(done).first() is not None:
        return
    found = select(literal(stamp), BucketRow.owner, *_SUMS).group_by(BucketRow.owner)
    names = ["taken", "owner", "buckets", "objects", "bytes"]
    # Another process may be at the same hour; then its rows stand.
    with suppress(exc.IntegrityError), connection.begin_nested():
        connection.execute(insert(SampleRow).from_select(names, found))
    connection.execute(delete(SampleRow).where(SampleRow.taken < rows.stamp(oldest)))


def between(
    connection: Connection, since: datetime, until: datetime, owner: str | None
) -> Iterator[Sample]:
    """Samples from ``since`` on and before ``until``, oldest first."""
    columns = (
        SampleRow.taken,
        SampleRow.owner,
        SampleRow.buckets,
        SampleRow.objects,
        SampleRow.bytes,
    )
    query = select(*columns).where(
        SampleRow.taken >= rows.stamp(since), SampleRow.taken < rows.stamp(until)
    )
    if owner is not None:
        query = query.where(SampleRow.owner == owner)
    found = connection.execute(query.order_by(SampleRow.taken, SampleRow.owner))
    for taken, whose, buckets, objects, size in found:
        yield Sample(whose, rows.moment(taken), Usage(buckets, objects, size))
