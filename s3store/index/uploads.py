"""Multipart uploads and their parts.

A completed upload's version has the upload's id, so the parts need not be touched to become its
content: a completion writes one row, however many parts there are.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, delete, insert, select, update

from s3store import faults
from s3store.index import rows
from s3store.index.ledger import Ledger
from s3store.records import Checksum, Part, Upload, Version
from s3store.tables import PartRow, UploadRow

_FIND = rows.UPLOADS.where(
    UploadRow.id == bindparam("named"),
    UploadRow.bucket_id == bindparam("inside"),
    UploadRow.key == bindparam("wanted"),
)
_AT_ONCE = 500  # values in one statement


def begin(connection: Connection, books: Ledger, upload: Upload) -> None:
    """Write a new upload down."""
    row = {
        "id": upload.id,
        "bucket_id": upload.bucket_id,
        "key": upload.key.encode(),
        "position": books.turn(),
        "started": rows.stamp(upload.started),
        "initiator": upload.initiator,
        "checksum_algorithm": upload.checksum,
        "checksum_type": upload.checksum_type,
        "draft": rows.draft_values(upload.draft),
    }
    connection.execute(insert(UploadRow).values(row))


def find(connection: Connection, bucket_id: int, key: str, name: str) -> Upload:
    """An upload, open or completed.

    Raises:
        NoSuchUpload.
    """
    return rows.upload(_row(connection, bucket_id, key, name))


def check_open(connection: Connection, upload: Upload) -> None:
    """Whether parts may still come.

    Raises:
        NoSuchUpload.
    """
    if find(connection, upload.bucket_id, upload.key, upload.id).completed:
        raise faults.NoSuchUpload("The upload was completed.")


def answer(connection: Connection, upload: Upload) -> Version | None:
    """What the completer of an upload was told; None when it is open.

    Raises:
        NoSuchUpload.
    """
    row = _row(connection, upload.bucket_id, upload.key, upload.id)
    return None if row.completed is None else _answer(rows.upload(row), row.answer)


def put_part(connection: Connection, books: Ledger, upload: Upload, part: Part) -> list[str]:
    """Write an uploaded part down; returns the files now superfluous.

    Raises:
        NoSuchUpload.
    """
    check_open(connection, upload)
    same = (PartRow.upload_id == upload.id) & (PartRow.number == part.number)
    replaced = connection.execute(select(PartRow.id, PartRow.size).where(same)).all()
    connection.execute(delete(PartRow).where(same))
    connection.execute(insert(PartRow).values(rows.part_values(part, upload)))
    books.count(0, part.size - sum(row.size for row in replaced))
    return [row.id for row in replaced]


def parts(
    connection: Connection, name: str, after: int = 0, limit: int | None = None
) -> list[Part]:
    """The parts of an upload or of the version it became, by number."""
    query = rows.PARTS.where(PartRow.upload_id == name, PartRow.number > after)
    found = connection.execute(query.order_by(PartRow.number).limit(limit))
    return [rows.part(row) for row in found]


def part_ids(connection: Connection, name: str) -> list[str]:
    """The ids of the parts of an upload, by number."""
    query = select(PartRow.id).where(PartRow.upload_id == name).order_by(PartRow.number)
    return list(connection.scalars(query))


def complete(
    connection: Connection, books: Ledger, version: Version, unused: Sequence[Part]
) -> None:
    """Note that an upload became a version, and forget the parts that did not go into it.

    The bytes of the parts were counted when they came, those of the version just now.
    """
    books.count(0, -version.size - sum(part.size for part in unused))
    for first in range(0, len(unused), _AT_ONCE):
        names = [part.id for part in unused[first : first + _AT_ONCE]]
        connection.execute(delete(PartRow).where(PartRow.id.in_(names)))
    told = {
        "version_id": version.version_id,
        "owner": version.owner,
        "size": version.size,
        "stored": version.stored,
        "etag": version.etag,
        "modified": rows.stamp(version.modified),
        "algorithm": version.checksum.algorithm,
        "digest": version.checksum.digest.hex(),
        "type": version.checksum.type,
        "parts": version.parts,
    }
    connection.execute(
        update(UploadRow)
        .where(UploadRow.id == version.id)
        .values(completed=rows.stamp(version.modified), answer=told)
    )


def abort(connection: Connection, books: Ledger, upload: Upload) -> list[str]:
    """Forget an upload; returns the files now superfluous.

    Raises:
        NoSuchUpload.
    """
    check_open(connection, upload)
    lost = parts(connection, upload.id)
    connection.execute(delete(PartRow).where(PartRow.upload_id == upload.id))
    connection.execute(delete(UploadRow).where(UploadRow.id == upload.id))
    books.count(0, -sum(part.size for part in lost))
    return [part.id for part in lost]


def forget_answers(connection: Connection, before: datetime) -> int:
    """Forget what completers were told before a time."""
    old = UploadRow.completed < rows.stamp(before)
    return connection.execute(delete(UploadRow).where(old)).rowcount


def dropped(connection: Connection, before: datetime) -> list[str]:
    """Removed versions whose parts' files were not removed when the version was."""
    old = PartRow.dropped <= rows.stamp(before)
    return list(connection.scalars(select(PartRow.upload_id).where(old).distinct()))


def forget_dropped(connection: Connection, name: str) -> None:
    """Forget the parts of a removed version, whose files are gone."""
    gone = (PartRow.upload_id == name) & PartRow.dropped.is_not(None)
    connection.execute(delete(PartRow).where(gone))


def _row(connection: Connection, bucket_id: int, key: str, name: str) -> Any:
    values = {"named": rows.searchable(name), "inside": bucket_id, "wanted": key.encode()}
    row = connection.execute(_FIND, values).one_or_none()
    if row is None:
        raise faults.NoSuchUpload("There is no such upload.")
    return row


def _answer(upload: Upload, told: dict[str, Any]) -> Version:
    draft = upload.draft
    return Version(
        id=upload.id,
        bucket_id=upload.bucket_id,
        key=upload.key,
        version_id=told["version_id"],
        size=told["size"],
        etag=told["etag"],
        modified=rows.moment(told["modified"]),
        checksum=Checksum(told["algorithm"], bytes.fromhex(told["digest"]), told["type"]),
        attributes=draft.attributes,
        owner=told["owner"],
        tags=draft.tags,
        acl=draft.acl,
        lock=draft.lock,
        seal=draft.seal,
        parts=told["parts"],
        stored=told["stored"],
    )
