"""The seals of what is kept: where they are, and putting another one there."""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from sqlalchemy import Connection, select, update

from s3store.records import Bucket
from s3store.tables import UploadRow, VersionRow


class Sealed(NamedTuple):
    """A version, or an open upload, that is sealed.

    Args:
        id: of either.
        position: among the versions of its key.
    """

    id: str
    key: str
    position: int
    seal: Mapping[str, Any]


def of_versions(
    connection: Connection, bucket: Bucket, after: tuple[bytes, int] | None, most: int
) -> list[Sealed]:
    """The next sealed versions of a bucket, by key and newest first."""
    table = VersionRow
    query = select(table.id, table.key, table.position, table.seal).where(
        table.bucket_id == bucket.id, table.seal.is_not(None)
    )
    if after is not None:
        key, position = after
        query = query.where(table.key >= key, (table.key > key) | (table.position > position))
    found = connection.execute(query.order_by(table.key, table.position).limit(most))
    return [Sealed(row.id, bytes(row.key).decode(), row.position, row.seal or {}) for row in found]


def put_on_versions(connection: Connection, changed: Iterable[Sealed]) -> None:
    """Give versions of a bucket that is held another seal; those that have gone stay gone."""
    for each in changed:
        mine = update(VersionRow).where(VersionRow.id == each.id)
        connection.execute(mine.values(seal=dict(each.seal)))


def put_on_uploads(connection: Connection, changed: Iterable[Sealed]) -> None:
    """The same for uploads; nothing else of their drafts ever changes."""
    for each in changed:
        draft = select(UploadRow.draft).where(UploadRow.id == each.id)
        kept = connection.execute(draft).scalar_one_or_none()
        if kept is not None:
            mine = update(UploadRow).where(UploadRow.id == each.id)
            connection.execute(mine.values(draft={**kept, "seal": dict(each.seal)}))
