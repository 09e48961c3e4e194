"""Listing objects, in both versions: two ways to page through the same order of keys."""

import base64
import binascii
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import quote

from gateway.s3.ask import Ask
from gateway.s3.faults import S3Fault
from gateway.s3.registry import s3_operation
from gateway.s3.reply import Reply
from s3store.records import Page

Spell = Callable[[str], str]

_MOST = 1000


@s3_operation("ListObjects", action="s3:ListBucket", root="ListBucketResult")
def list_objects(
    ask: Ask,
    bucket: str,
    prefix: str = "",
    delimiter: str = "",
    marker: str = "",
    max_keys: int = _MOST,
    encoding_type: str | None = None,
) -> Reply:
    """The older form: pages start behind a marker, which may be any text."""
    spell = _speller(encoding_type)
    limit = _limit(max_keys)
    found = ask.store.list(
        ask.bucket(bucket),
        prefix=prefix,
        delimiter=delimiter,
        after=marker.encode() if marker else None,
        limit=limit,
    )
    members = _common(bucket, prefix, delimiter, limit, encoding_type, found)
    members["Contents"] = _contents(found, spell, ask.owner)
    members["Marker"] = spell(marker)
    if found.more is not None and delimiter:
        members["NextMarker"] = spell(found.more.decode())
    return Reply(members)


@s3_operation("ListObjectsV2", action="s3:ListBucket", root="ListBucketResult")
def list_objects_v2(
    ask: Ask,
    bucket: str,
    prefix: str = "",
    delimiter: str = "",
    start_after: str = "",
    continuation_token: str | None = None,
    max_keys: int = _MOST,
    fetch_owner: bool = False,
    encoding_type: str | None = None,
) -> Reply:
    """The newer form: pages are continued by a token that only we can read."""
    spell = _speller(encoding_type)
    limit = _limit(max_keys)
    after = start_after.encode() if start_after else None
    found = ask.store.list(
        ask.bucket(bucket),
        prefix=prefix,
        delimiter=delimiter,
        after=after if continuation_token is None else _position(continuation_token),
        limit=limit,
    )
    members = _common(bucket, prefix, delimiter, limit, encoding_type, found)
    members["Contents"] = _contents(found, spell, ask.owner if fetch_owner else None)
    members["KeyCount"] = len(found.items)
    if start_after:
        members["StartAfter"] = spell(start_after)
    if continuation_token is not None:
        members["ContinuationToken"] = continuation_token
    if found.more is not None:
        members["NextContinuationToken"] = base64.urlsafe_b64encode(found.more).decode()
    return Reply(members)


def _common(
    bucket: str, prefix: str, delimiter: str, limit: int, encoding_type: str | None, found: Page
) -> dict[str, Any]:
    spell = _speller(encoding_type)
    members: dict[str, Any] = {
        "Name": bucket,
        "Prefix": spell(prefix),
        "MaxKeys": limit,
        "IsTruncated": found.more is not None,
        "CommonPrefixes": [{"Prefix": spell(each.decode())} for each in found.prefixes],
    }
    if delimiter:
        members["Delimiter"] = spell(delimiter)
    if encoding_type:
        members["EncodingType"] = encoding_type
    return members


def _contents(found: Page, spell: Spell, owner: dict[str, str] | None) -> Iterator[dict[str, Any]]:
    for entry in found.entries:
        yield {
            "Key": spell(entry.key.decode()),
            "LastModified": entry.modified,
            "ETag": f'"{entry.etag}"',
            "Size": entry.size,
            "StorageClass": entry.storage_class,
            "ChecksumAlgorithm": [entry.checksum_algorithm.upper()],
            "ChecksumType": "FULL_OBJECT",
            "Owner": owner,
        }


def _speller(encoding_type: str | None) -> Spell:
    """How keys are written: as they are, or percent-encoded for those no XML can hold."""
    if encoding_type not in (None, "url"):
        raise S3Fault(
            "InvalidArgument",
            "Invalid Encoding Method specified in Request",
            {"ArgumentName": "encoding-type", "ArgumentValue": str(encoding_type)},
        )
    return quote if encoding_type else str


def _limit(max_keys: int) -> int:
    if max_keys < 0:
        extras = {"ArgumentName": "max-keys", "ArgumentValue": str(max_keys)}
        raise S3Fault("InvalidArgument", "max-keys must not be negative", extras)
    return min(max_keys, _MOST)


def _position(token: str) -> bytes:
    try:
        return base64.b64decode(token, altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise S3Fault(
            "InvalidArgument",
            "The continuation token provided is incorrect",
            {"ArgumentName": "continuation-token", "ArgumentValue": token},
        ) from None
