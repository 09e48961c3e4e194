"""Buckets: make, find, list, remove."""

import ipaddress
import re
from typing import Any

from gateway.s3.ask import Ask
from gateway.s3.faults import S3Fault
from gateway.s3.registry import s3_operation
from gateway.s3.reply import Reply
from s3store import faults

CLASSIC = "us-east-1"
"""The region whose buckets have an empty location and may be created twice by their owner."""

_NAME = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]\Z")
_RESERVED = re.compile(r"xn--|sthree-|.*(-s3alias|--ol-s3)\Z|.*\.\.")
_OURS = ("private", "bucket-owner-full-control")


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
        for bucket in ask.store.buckets(ask.caller.account_id)
        if here and bucket.name.startswith(prefix) and bucket.name > continuation_token
    ]
    members: dict[str, Any] = {"Buckets": found[:max_buckets], "Owner": ask.owner}
    if prefix:
        members["Prefix"] = prefix
    if max_buckets is not None and len(found) > max_buckets:
        members["ContinuationToken"] = found[max_buckets - 1]["Name"]
    return Reply(members)


@s3_operation("CreateBucket", fixed={"ACL": _OURS, "ObjectOwnership": ("BucketOwnerEnforced",)})
def create_bucket(
    ask: Ask, bucket: str, create_bucket_configuration: dict[str, Any] | None = None
) -> Reply:
    """Make a bucket; names are shared by all accounts."""
    if not valid(bucket):
        raise S3Fault("InvalidBucketName", extras={"BucketName": bucket})
    _check_location(ask, create_bucket_configuration or {})
    try:
        ask.store.create_bucket(bucket, ask.caller.account_id)
    except faults.BucketExists as fault:
        if fault.owner != ask.caller.account_id:
            raise S3Fault("BucketAlreadyExists", extras={"BucketName": bucket}) from None
        if ask.options.region != CLASSIC:
            raise S3Fault("BucketAlreadyOwnedByYou", extras={"BucketName": bucket}) from None
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


def _check_location(ask: Ask, configuration: dict[str, Any]) -> None:
    for name in configuration.keys() - {"LocationConstraint"}:
        raise S3Fault("NotImplemented", f"{name} of a new bucket is not implemented.")
    asked = configuration.get("LocationConstraint")
    if asked and asked != ask.options.region:
        raise S3Fault("InvalidLocationConstraint", extras={"LocationConstraint": asked})
