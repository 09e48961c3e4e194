"""Access control lists of buckets and of objects: read and replaced as a whole."""

from collections.abc import Mapping
from typing import Any

from gateway.s3.access import acl
from gateway.s3.access.acl import BucketGrants
from gateway.s3.ask import Ask
from gateway.s3.faults import S3Fault
from gateway.s3.objects import paging, reading
from gateway.s3.protocol.reply import Reply
from gateway.s3.registry import s3_operation
from s3store.records import Bucket

_ROOT = "AccessControlPolicy"


@s3_operation("GetBucketAcl", root=_ROOT)
def get_bucket_acl(ask: Ask, bucket: str) -> Reply:
    """Whom a bucket's list lets in."""
    found = ask.bucket(bucket)
    return Reply(acl.members_of(found.settings.get("acl"), paging.owner(ask, found.owner)))


@s3_operation("PutBucketAcl", undigested=True)
def put_bucket_acl(
    ask: Ask,
    bucket: str,
    granted: BucketGrants,
    access_control_policy: dict[str, Any] | None = None,
) -> Reply:
    """Replace a bucket's list."""
    found = ask.bucket(bucket)
    document = _asked(found, granted, access_control_policy, found.owner)
    ask.store.set_setting(found, "acl", document)
    return Reply()


@s3_operation("GetObjectAcl", root=_ROOT)
def get_object_acl(ask: Ask, bucket: str, key: str, version_id: str | None = None) -> Reply:
    """Whom an object's list lets in."""
    found, version = reading.find(ask, bucket, key, version_id)
    owner = version.owner or found.owner
    if acl.ownership(found) == acl.ENFORCED:
        return Reply(acl.members_of(None, paging.owner(ask, found.owner)))
    return Reply(acl.members_of(version.acl, paging.owner(ask, owner)))


@s3_operation("PutObjectAcl", undigested=True)
def put_object_acl(
    ask: Ask,
    bucket: str,
    key: str,
    granted: BucketGrants,
    access_control_policy: dict[str, Any] | None = None,
    version_id: str | None = None,
) -> Reply:
    """Replace an object's list."""
    found, version = reading.find(ask, bucket, key, version_id)
    document = _asked(found, granted, access_control_policy, version.owner or found.owner)
    with reading.markers(version_id):
        ask.store.set_acl(found, key, version.version_id, document)
    return Reply()


def _asked(
    bucket: Bucket, granted: BucketGrants, document: Mapping[str, Any] | None, owner: str
) -> acl.Document:
    """The list that a request asks for, in its headers or in its document."""
    if acl.ownership(bucket) == acl.ENFORCED:
        raise S3Fault("AccessControlListNotSupported")
    if document is not None and granted:
        raise S3Fault("UnexpectedContent")
    if document is None and not granted:
        raise S3Fault("MissingSecurityHeader", extras={"MissingHeaderName": "x-amz-acl"})
    if document is None:
        found = acl.of_headers(granted, owner, bucket.owner)
    else:
        found = acl.of_document(document, owner)
    acl.check_public(bucket, found)
    return found
