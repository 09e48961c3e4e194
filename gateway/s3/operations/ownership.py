"""Whose the objects in a bucket are."""

from collections.abc import Mapping
from typing import Any

from gateway.s3.access import acl
from gateway.s3.ask import Ask
from gateway.s3.faults import S3Fault
from gateway.s3.operations.settings import Setting
from s3store.records import Bucket


def _check(ask: Ask, bucket: Bucket, document: Mapping[str, Any]) -> Mapping[str, Any]:
    """Lists may go only when they let nobody else in."""
    rules = document["Rules"]
    if len(rules) != 1:
        raise S3Fault("MalformedXML")
    checked = acl.of_ownership(rules[0]["ObjectOwnership"])
    if acl.ENFORCED in rules[0].values() and bucket.settings.get("acl") is not None:
        raise S3Fault("InvalidBucketAclWithObjectOwnership")
    return checked


Setting(
    name="ownership",
    get="GetBucketOwnershipControls",
    put="PutBucketOwnershipControls",
    delete="DeleteBucketOwnershipControls",
    reads="s3:GetBucketOwnershipControls",
    writes="s3:PutBucketOwnershipControls",
    missing="OwnershipControlsNotFoundError",
    root="OwnershipControls",
    check=_check,
).declare()
