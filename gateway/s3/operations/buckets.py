"""Buckets: make, find, list, remove."""

import ipaddress
import re
from typing import Any

from gateway.s3.access import acl
from gateway.s3.access.acl import BucketGrants
from gateway.s3.ask import Ask
from gateway.s3.faults import S3Fault
from gateway.s3.objects import tagging
from gateway.s3.protocol.reply import Reply
from gateway.s3.registry import s3_operation
from s3store import faults
from s3store.records import ENABLED

CLASSIC = "us-east-1"
"""The region whose buckets have an empty location and may be created twice by their owner."""

_NAME = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]\Z")
_RESERVED = re.compile(r"xn--|sthree-|.*(-s3alias|--ol-s3)\Z|.*\.\.")


@s3_operation("ListBuckets", action="s3:ListAllMyBuckets", root="ListAllMyBucketsResult")
def list_buckets(
    ask: Ask,
    prefix: str = "",
    max_buckets: int | None = None,
    continuation_token: str = "",
    bucket_region: str | None = None,
) -> Reply:
    """The caller's buckets by name."""
    if max_buckets is not None and not 1 <= max_buckets <= 10000:
        raise S3Fault("InvalidArgument", "max-buckets must be between 1 and 10000.")
    here = bucket_region in (None, ask.options.region)
    found = [
        {"Name": bucket.name, "CreationDate": bucket.created, "BucketRegion": ask.options.region}
        for bucket in ask.store.buckets(ask.account())
        if here and bucket.name.startswith(prefix) and bucket.name > continuation_token
    ]
    members: dict[str, Any] = {"Buckets": found[:max_buckets], "Owner": ask.owner}
    if prefix:
        members["Prefix"] = prefix
    if max_buckets is not None and len(found) > max_buckets:
        members["ContinuationToken"] = found[max_buckets - 1]["Name"]
    return Reply(members)


@s3_operation(
    "CreateBucket",
    fixed={"BucketNamespace": ("global",)},
)
def create_bucket(
    ask: Ask,
    bucket: str,
    granted: BucketGrants,
    create_bucket_configuration: dict[str, Any] | None = None,
    object_lock_enabled_for_bucket: bool = False,
    object_ownership: str = acl.ENFORCED,
) -> Reply:
    """Make a bucket; names are shared by all accounts."""
    owner = ask.account()
    if not valid(bucket):
        raise S3Fault("InvalidBucketName", extras={"BucketName": bucket})
    configuration = create_bucket_configuration or {}
    _check_location(ask, configuration)
    settings = _tagged(configuration) | acl.of_new_bucket(granted, object_ownership, owner)
    if object_lock_enabled_for_bucket:
        settings["lock"] = {"ObjectLockEnabled": "Enabled"}
    versioning = ENABLED if object_lock_enabled_for_bucket else ""
    try:
        ask.store.create_bucket(bucket, owner, versioning=versioning, settings=settings)
    except faults.BucketExists as fault:
        if fault.owner != owner:
            raise S3Fault("BucketAlreadyExists", extras={"BucketName": bucket}) from None
        if ask.options.region != CLASSIC:
            raise S3Fault("BucketAlreadyOwnedByYou", extras={"BucketName": bucket}) from None
    except faults.QuotaExceeded:
        raise S3Fault("TooManyBuckets") from None
    return Reply({"Location": f"/{bucket}"})


@s3_operation("HeadBucket", action="s3:ListBucket")
def head_bucket(ask: Ask, bucket: str) -> Reply:
    """Whether there is such a bucket of the caller's."""
    ask.bucket(bucket)
    return Reply({"BucketRegion": ask.options.region})


@s3_operation("GetBucketLocation", root="LocationConstraint")
def get_bucket_location(ask: Ask, bucket: str) -> Reply:
    """The region; for the classic one, nothing."""
    ask.bucket(bucket)
    region = ask.options.region
    return Reply({"LocationConstraint": None if region == CLASSIC else region})


@s3_operation("DeleteBucket")
def delete_bucket(ask: Ask, bucket: str) -> Reply:
    """Remove an empty bucket."""
    ask.store.delete_bucket(ask.bucket(bucket))
    return Reply()


def valid(name: str) -> bool:
    """Whether a bucket may have this name."""
    if not _NAME.match(name) or _RESERVED.match(name):
        return False
    try:
        ipaddress.IPv4Address(name)
    except ValueError:
        return True
    return False


def _tagged(configuration: dict[str, Any]) -> dict[str, Any]:
    tags = tagging.of_bucket(configuration.get("Tags", []))
    return {"tagging": {"TagSet": tagging.members_of(tags)}} if tags else {}


def _check_location(ask: Ask, configuration: dict[str, Any]) -> None:
    for name in configuration.keys() - {"LocationConstraint", "Tags"}:
        raise S3Fault("NotImplemented", f"{name} of a new bucket is not implemented.")
    asked = configuration.get("LocationConstraint")
    if asked and asked != ask.options.region:
        raise S3Fault("InvalidLocationConstraint", extras={"LocationConstraint": asked})
