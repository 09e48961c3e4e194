"""Listing versions: keys in byte order, of each the newest version first, markers among them."""

from typing import Any

from gateway.s3.ask import Ask
from gateway.s3.faults import S3Fault
from gateway.s3.objects import paging
from gateway.s3.objects.attributes import checksum_listed
from gateway.s3.objects.paging import Spell
from gateway.s3.objects.reading import check_id
from gateway.s3.protocol.markup import Instead
from gateway.s3.protocol.reply import Reply
from gateway.s3.registry import s3_operation
from s3store.records import Version


@s3_operation(
    "ListObjectVersions",
    action="s3:ListBucketVersions",
    root="ListVersionsResult",
    ignores={"OptionalObjectAttributes": paging.NO_RESTORES},
)
def list_object_versions(
    ask: Ask,
    bucket: str,
    prefix: str = "",
    delimiter: str = "",
    key_marker: str = "",
    version_id_marker: str | None = None,
    max_keys: int = paging.MOST,
    encoding_type: str | None = None,
) -> Reply:
    """Every version and every delete marker."""
    spell, limit = paging.speller(encoding_type), paging.limit("max-keys", max_keys)
    found = ask.store.list_versions(
        ask.bucket(bucket),
        prefix=prefix,
        delimiter=delimiter,
        after=_after(key_marker, version_id_marker),
        limit=limit,
    )
    members = {
        "Name": bucket,
        "KeyMarker": spell(key_marker),
        "VersionIdMarker": version_id_marker or "",
        "MaxKeys": limit,
        "IsTruncated": found.more is not None,
        "Versions": [_item(ask, spell, each) for each in found.entries],
        **paging.echo(spell, prefix, delimiter, encoding_type, found.prefixes),
    }
    if found.more is not None:
        key, version_id = found.more
        members |= {"NextKeyMarker": spell(key.decode()), "NextVersionIdMarker": version_id}
    return Reply(members)


def _after(key: str, version_id: str | None) -> tuple[bytes, str | None] | None:
    """Where a page starts."""
    check_id(version_id or None)
    if version_id and not key:
        raise S3Fault(
            "InvalidArgument",
            "A version-id marker cannot be specified without a key marker.",
            {"ArgumentName": "version-id-marker", "ArgumentValue": version_id},
        )
    return (key.encode(), version_id or None) if key else None


def _item(ask: Ask, spell: Spell, version: Version) -> dict[str, Any] | Instead:
    members: dict[str, Any] = {
        "Key": spell(version.key),
        "VersionId": version.version_id,
        "IsLatest": version.latest,
        "LastModified": version.modified,
        "Owner": paging.owner(ask, version.owner),
    }
    if version.marker:
        return Instead("DeleteMarkers", members)
    return members | {
        "ETag": f'"{version.etag}"',
        "Size": version.size,
        "StorageClass": version.attributes.storage_class,
        **checksum_listed(version.checksum.algorithm, version.checksum.type),
    }
