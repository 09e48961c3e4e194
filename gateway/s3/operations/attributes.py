"""GetObjectAttributes: what is known of an object without its content, only what was asked for."""

from typing import Any

from gateway.s3.ask import Ask
from gateway.s3.faults import S3Fault
from gateway.s3.objects import paging, reading
from gateway.s3.objects.attributes import checksum_members, part_checksum
from gateway.s3.protocol.reply import Reply
from gateway.s3.registry import s3_operation
from gateway.s3.sealing import seals
from gateway.s3.sealing.seals import Customer
from s3store.records import Part, Version

_KNOWN = frozenset({"ETag", "Checksum", "ObjectParts", "StorageClass", "ObjectSize"})


@s3_operation("GetObjectAttributes", root="GetObjectAttributesResponse")
def get_object_attributes(
    ask: Ask,
    bucket: str,
    key: str,
    object_attributes: list[str],
    customer: Customer,
    version_id: str | None = None,
    max_parts: int = paging.MOST,
    part_number_marker: int = 0,
) -> Reply:
    """The attributes that were asked for."""
    if unknown := set(object_attributes) - _KNOWN:
        extras = {"ArgumentName": "x-amz-object-attributes", "ArgumentValue": min(unknown)}
        raise S3Fault("InvalidArgument", "Invalid attribute name specified.", extras)
    limit = paging.limit("x-amz-max-parts", max_parts)
    found, version = reading.find(ask, bucket, key, version_id)
    ask.require(found, "s3:GetObject", key, version_id, version)
    seals.admit(ask, version, customer)
    members = {name: value for name, value in _plain(version).items() if name in object_attributes}
    if "ObjectParts" in object_attributes and version.parts:
        parts = ask.store.parts_of(version)
        members["ObjectParts"] = _page(parts, part_number_marker, limit)
    members["LastModified"] = version.modified
    return Reply(members | reading.named(found, version.version_id))


def _plain(version: Version) -> dict[str, Any]:
    return {
        "ETag": version.etag,  # here, and only here, without quotes
        "Checksum": checksum_members(version),
        "StorageClass": version.attributes.storage_class,
        "ObjectSize": version.size,
    }


def _page(parts: list[Part], after: int, limit: int) -> dict[str, Any]:
    """Some of the parts, those with higher numbers than ``after``."""
    rest = [part for part in parts if part.number > after]
    shown = rest[:limit]
    return {
        "TotalPartsCount": len(parts),
        "PartNumberMarker": after,
        "NextPartNumberMarker": shown[-1].number if shown else after,
        "MaxParts": limit,
        "IsTruncated": len(shown) < len(rest),
        "Parts": [
            {"PartNumber": each.number, "Size": each.size, **part_checksum(each.checksum)}
            for each in shown
        ],
    }
