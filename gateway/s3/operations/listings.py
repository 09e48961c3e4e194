"""Listing objects, in both versions: two ways to page through the same order of keys."""

import base64
import binascii
from collections.abc import Iterator
from typing import Any, TypedDict

from gateway.s3.ask import Ask
from gateway.s3.faults import S3Fault
from gateway.s3.objects import paging
from gateway.s3.objects.attributes import checksum_listed
from gateway.s3.objects.paging import Spell
from gateway.s3.protocol.reply import Reply
from gateway.s3.registry import s3_operation
from s3store.records import Page

_NO_RESTORES = {"OptionalObjectAttributes": paging.NO_RESTORES}


class Wanted(TypedDict, total=False):
    """What both versions take."""

    Prefix: str
    Delimiter: str
    MaxKeys: int
    EncodingType: str


@s3_operation("ListObjects", action="s3:ListBucket", root="ListBucketResult", ignores=_NO_RESTORES)
def list_objects(ask: Ask, bucket: str, wanted: Wanted, marker: str = "") -> Reply:
    """The older form: pages start behind a marker, which may be any text."""
    spell = paging.speller(wanted.get("EncodingType"))
    members, found = _listed(ask, bucket, wanted, marker.encode() if marker else None, True)
    members["Marker"] = spell(marker)
    if found.more is not None and wanted.get("Delimiter"):
        members["NextMarker"] = spell(found.more.decode())
    return Reply(members)


@s3_operation(
    "ListObjectsV2", action="s3:ListBucket", root="ListBucketResult", ignores=_NO_RESTORES
)
def list_objects_v2(
    ask: Ask,
    bucket: str,
    wanted: Wanted,
    start_after: str = "",
    continuation_token: str | None = None,
    fetch_owner: bool = False,
) -> Reply:
    """The newer form: pages are continued by a token that only we can read."""
    after = start_after.encode() if start_after else None
    if continuation_token is not None:
        after = _position(continuation_token)
    members, found = _listed(ask, bucket, wanted, after, fetch_owner)
    members["KeyCount"] = len(found.items)
    if start_after:
        members["StartAfter"] = paging.speller(wanted.get("EncodingType"))(start_after)
    if continuation_token is not None:
        members["ContinuationToken"] = continuation_token
    if found.more is not None:
        members["NextContinuationToken"] = base64.urlsafe_b64encode(found.more).decode()
    return Reply(members)


def _listed(
    ask: Ask, bucket: str, wanted: Wanted, after: bytes | None, owners: bool
) -> tuple[dict[str, Any], Page]:
    """One page, as members and as it was found."""
    encoding_type = wanted.get("EncodingType")
    prefix, delimiter = wanted.get("Prefix", ""), wanted.get("Delimiter", "")
    spell = paging.speller(encoding_type)
    limit = paging.limit("max-keys", wanted.get("MaxKeys", paging.MOST))
    found = ask.store.list(
        ask.bucket(bucket), prefix=prefix, delimiter=delimiter, after=after, limit=limit
    )
    members = {
        "Name": bucket,
        "MaxKeys": limit,
        "IsTruncated": found.more is not None,
        "Contents": _contents(ask, found, spell, owners),
        **paging.echo(spell, prefix, delimiter, encoding_type, found.prefixes),
    }
    return members, found


def _contents(ask: Ask, found: Page, spell: Spell, owners: bool) -> Iterator[dict[str, Any]]:
    for entry in found.entries:
        members = {
            "Key": spell(entry.key.decode()),
            "LastModified": entry.modified,
            "ETag": f'"{entry.etag}"',
            "Size": entry.size,
            "StorageClass": entry.storage_class,
            **checksum_listed(entry.checksum_algorithm, entry.checksum_type),
        }
        if owners:
            members["Owner"] = paging.owner(ask, entry.owner)
        yield members


def _position(token: str) -> bytes:
    try:
        return base64.b64decode(token, altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise S3Fault(
            "InvalidArgument",
            "The continuation token provided is incorrect",
            {"ArgumentName": "continuation-token", "ArgumentValue": token},
        ) from None
