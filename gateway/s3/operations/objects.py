"""Objects: put, get, head, delete."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, TypedDict

from gateway.s3 import conditions, ranges
from gateway.s3.ask import Ask
from gateway.s3.attributes import Written, attributes, checksum_members, members_of
from gateway.s3.conditions import Conditions, OfRead, OfWrite
from gateway.s3.faults import S3Fault, of_store
from gateway.s3.registry import s3_operation
from gateway.s3.reply import Reply, Slice
from s3store import faults
from s3store.records import Condition, Version

OWNERS_ACLS = ("private", "bucket-owner-full-control")
"""Canned ACLs that ask for what happens anyway: the owner's account alone has access."""

_VERSION = {"VersionId": ("null",)}  # the name of the one version an object has here
_NO_LOCK = {"BypassGovernanceRetention": "no object is locked here"}
_MOST_DELETED = 1000


class Overrides(TypedDict, total=False):
    """Headers of the answer that the asker wants otherwise."""

    ResponseCacheControl: str
    ResponseContentDisposition: str
    ResponseContentEncoding: str
    ResponseContentLanguage: str
    ResponseContentType: str
    ResponseExpires: str


@s3_operation("PutObject", fixed={"ACL": OWNERS_ACLS})
def put_object(ask: Ask, bucket: str, key: str, written: Written, wanted: OfWrite) -> Reply:
    """Store an object; it is visible when its last byte was checked and is safe on the disk."""
    kept, condition = attributes(written), conditions.of_write(wanted)
    version = ask.store.put(
        ask.bucket(bucket),
        key,
        ask.content.pieces(),
        kept,
        checksum=ask.content.checksum,
        digests=ask.content.digests,
        check=ask.content.check,
        condition=condition,
    )
    return Reply({"ETag": f'"{version.etag}"', **checksum_members(version.checksum)})


@s3_operation("GetObject", fixed=_VERSION)
def get_object(
    ask: Ask,
    bucket: str,
    key: str,
    wanted: OfRead,
    overrides: Overrides,
    range: str | None = None,
    checksum_mode: str | None = None,
) -> Reply:
    """The content of an object, or one range of it."""
    opened = ask.store.open(ask.bucket(bucket), key)
    try:
        head = _read(opened.version, wanted, overrides, range, checksum_mode)
    except S3Fault:
        opened.file.close()
        raise
    start, length = ranges.part(range, opened.version.size) or (0, opened.version.size)
    return replace(head, body=Slice(opened.file, start, length))


@s3_operation("HeadObject", action="s3:GetObject", fixed=_VERSION)
def head_object(
    ask: Ask,
    bucket: str,
    key: str,
    wanted: OfRead,
    overrides: Overrides,
    range: str | None = None,
    checksum_mode: str | None = None,
) -> Reply:
    """What GetObject would say, without the content."""
    version = ask.store.head(ask.bucket(bucket), key)
    return _read(version, wanted, overrides, range, checksum_mode)


@s3_operation("DeleteObject", fixed=_VERSION, ignores=_NO_LOCK)
def delete_object(ask: Ask, bucket: str, key: str, if_match: str | None = None) -> Reply:
    """Remove an object; one that is not there is as good as removed."""
    condition = Condition() if if_match is None else Condition(etags=conditions.tags(if_match))
    ask.store.delete(ask.bucket(bucket), key, condition)
    return Reply()


@s3_operation("DeleteObjects", action="s3:DeleteObject", root="DeleteResult", ignores=_NO_LOCK)
def delete_objects(ask: Ask, bucket: str, delete: dict[str, Any]) -> Reply:
    """Remove up to a thousand objects at once, and say of each how it went."""
    objects = delete["Objects"]
    if not 1 <= len(objects) <= _MOST_DELETED:
        raise S3Fault("MalformedXML")
    outcomes = ask.store.delete_all(ask.bucket(bucket), [_doomed(each) for each in objects])
    deleted, errors = [], []
    for each, outcome in zip(objects, outcomes, strict=True):
        if isinstance(outcome, faults.StoreFault):
            fault = of_store(outcome)
            errors.append({"Key": each["Key"], "Code": fault.code, "Message": fault.message})
        elif not delete.get("Quiet"):
            deleted.append({"Key": each["Key"]})
    return Reply({"Deleted": deleted, "Errors": errors})


def _doomed(each: dict[str, Any]) -> tuple[str, Condition]:
    for name in each.keys() - {"Key", "ETag"}:
        if (name, each[name]) != ("VersionId", "null"):
            raise S3Fault("NotImplemented", f"{name} of an object to delete is not implemented.")
    etag = each.get("ETag")
    return each["Key"], Condition(etags=None if etag is None else conditions.tags(etag))


def _read(
    version: Version,
    wanted: OfRead,
    overrides: Overrides,
    span: str | None,
    checksum_mode: str | None,
) -> Reply:
    """All of a read's answer but the content."""
    Conditions.read(wanted).check(version, datetime.now(UTC))
    part = ranges.part(span, version.size)
    members = members_of(version) | {
        "AcceptRanges": "bytes",
        "LastModified": version.modified,
        "ETag": f'"{version.etag}"',
        "ContentLength": part[1] if part else version.size,
        **{name.removeprefix("Response"): value for name, value in overrides.items()},
    }
    if part:
        members["ContentRange"] = f"bytes {part[0]}-{part[0] + part[1] - 1}/{version.size}"
    elif (checksum_mode or "").upper() == "ENABLED":
        members |= checksum_members(version.checksum)
    return Reply(members, 206 if part else 200)
