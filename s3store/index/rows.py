"""Rows turned into records and back."""

import json
import re
from datetime import UTC, datetime
from functools import lru_cache
from types import MappingProxyType
from typing import Any

from sqlalchemy import ColumnElement, select

from s3store.records import (
    NULL_VERSION,
    Attributes,
    Bucket,
    Checksum,
    Draft,
    Entry,
    Lock,
    Part,
    Upload,
    Version,
)
from s3store.tables import BucketRow, PartRow, UploadRow, VersionRow

_ID = re.compile(r"[0-9a-f]{32}\Z")

BUCKET: tuple[ColumnElement[Any], ...] = tuple(
    getattr(BucketRow, name).label(f"b_{name}")
    for name in ("id", "name", "owner", "created", "versioning", "settings")
)
"""The columns of :func:`bucket`, named so that a version's may stand beside them."""

VERSION: tuple[ColumnElement[Any], ...] = tuple(VersionRow.__table__.columns)

ENTRIES = select(
    VersionRow.key,
    VersionRow.size,
    VersionRow.etag,
    VersionRow.modified,
    VersionRow.storage_class,
    VersionRow.checksum_algorithm,
    VersionRow.checksum_type,
    VersionRow.owner,
)


def bucket(row: Any) -> Bucket:
    """From the columns of BUCKET."""
    made = moment(row.b_created)
    return Bucket(
        row.b_id, row.b_name, row.b_owner, made, row.b_versioning, _settings(row.b_settings)
    )


@lru_cache(maxsize=256)
def _settings(text: str | None) -> MappingProxyType[str, Any]:
    return MappingProxyType({} if text is None else json.loads(text))


def entry(row: Any) -> Entry:
    """From a row of ENTRIES."""
    key, size, etag, modified, storage_class, algorithm, type_, owner = row
    time = datetime.fromtimestamp(modified / 1000, UTC)
    return Entry(key, size, etag, time, storage_class, algorithm, type_, owner)


def version(row: Any) -> Version:
    """From the columns of VERSION."""
    return Version(
        id=row.id,
        bucket_id=row.bucket_id,
        key=bytes(row.key).decode(),
        version_id=NULL_VERSION if row.unversioned else row.id,
        size=row.size,
        etag=row.etag,
        modified=moment(row.modified),
        checksum=Checksum(row.checksum_algorithm, bytes(row.checksum), row.checksum_type),
        attributes=Attributes(row.headers, row.properties, row.storage_class),
        owner=row.owner,
        tags=row.tags or {},
        acl=row.acl,
        lock=lock(row),
        seal=row.seal,
        latest=row.latest is not None,
        marker=bool(row.marker),
        parts=row.parts,
        stored=row.stored,
        inline=row.place == "index",
    )


def lock(row: Any) -> Lock:
    """From the columns of the lock."""
    until = None if row.lock_until is None else moment(row.lock_until)
    return Lock(row.lock_mode, until, bool(row.lock_hold))


def lock_values(lock: Lock) -> dict[str, Any]:
    """The columns of a lock."""
    return {
        "lock_mode": lock.mode,
        "lock_until": None if lock.until is None else stamp(lock.until),
        "lock_hold": int(lock.hold),
    }


def version_values(version: Version, position: int) -> dict[str, Any]:
    """The row of a version that is to be what its key shows."""
    return {
        "id": version.id,
        "bucket_id": version.bucket_id,
        "key": version.key.encode(),
        "position": position,
        "latest": 2 if version.marker else 1,
        "unversioned": 1 if version.version_id == NULL_VERSION else None,
        "marker": int(version.marker),
        "place": _place(version),
        "parts": version.parts,
        "modified": stamp(version.modified),
        "size": version.size,
        "stored": version.stored,
        "etag": version.etag,
        "storage_class": version.attributes.storage_class,
        "checksum_algorithm": version.checksum.algorithm,
        "checksum_type": version.checksum.type,
        "checksum": version.checksum.digest,
        "headers": dict(version.attributes.headers),
        "properties": dict(version.attributes.metadata),
        "owner": version.owner,
        "tags": dict(version.tags) or None,
        "acl": version.acl,
        "seal": None if version.seal is None else dict(version.seal),
        **lock_values(version.lock),
    }


def _place(version: Version) -> str:
    if version.marker:
        return ""
    return "index" if version.inline else "parts" if version.parts else "file"


def upload(row: Any) -> Upload:
    """From a row of the upload table."""
    return Upload(
        id=row.id,
        bucket_id=row.bucket_id,
        key=bytes(row.key).decode(),
        draft=_draft(row.draft),
        checksum=row.checksum_algorithm,
        checksum_type=row.checksum_type,
        initiator=row.initiator,
        started=moment(row.started),
        completed=row.completed is not None,
    )


def draft_values(draft: Draft) -> dict[str, Any]:
    """A draft as a JSON document, its cipher left out."""
    return {
        "headers": dict(draft.attributes.headers),
        "metadata": dict(draft.attributes.metadata),
        "storage_class": draft.attributes.storage_class,
        "owner": draft.owner,
        "tags": dict(draft.tags),
        "acl": draft.acl,
        "seal": None if draft.seal is None else dict(draft.seal),
        "opaque_etag": draft.opaque_etag,
        **lock_values(draft.lock),
    }


def _draft(kept: dict[str, Any]) -> Draft:
    until = kept["lock_until"]
    return Draft(
        attributes=Attributes(kept["headers"], kept["metadata"], kept["storage_class"]),
        owner=kept["owner"],
        tags=kept["tags"],
        acl=kept["acl"],
        lock=Lock(
            kept["lock_mode"], None if until is None else moment(until), bool(kept["lock_hold"])
        ),
        seal=kept["seal"],
        opaque_etag=kept["opaque_etag"],
    )


def part(row: Any) -> Part:
    """From a row of the part table."""
    return Part(
        id=row.id,
        number=row.number,
        size=row.size,
        etag=row.etag,
        checksum=Checksum(row.checksum_algorithm, bytes(row.checksum)),
        modified=moment(row.modified),
        stored=row.stored,
    )


def part_values(part: Part, upload: Upload) -> dict[str, Any]:
    """The row of a part."""
    return {
        "id": part.id,
        "upload_id": upload.id,
        "number": part.number,
        "size": part.size,
        "stored": part.stored,
        "etag": part.etag,
        "checksum_algorithm": part.checksum.algorithm,
        "checksum": part.checksum.digest,
        "modified": stamp(part.modified),
    }


UPLOADS = select(*UploadRow.__table__.columns)
PARTS = select(*PartRow.__table__.columns)


def searchable(id: str | None) -> str:
    """An id as it may go into a query: a text that cannot be one finds nothing."""
    return id if id is not None and _ID.match(id) else ""


def stamp(time: datetime) -> int:
    """Milliseconds since 1970."""
    return round(time.timestamp() * 1000)


def moment(stamp: int) -> datetime:
    """The time, UTC, of a stamp."""
    return datetime.fromtimestamp(stamp / 1000, UTC)
