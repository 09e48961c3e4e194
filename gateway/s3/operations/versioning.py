"""Versioning of buckets: once enabled it can be suspended, and never be undone."""

from typing import Any

from gateway.s3.ask import Ask
from gateway.s3.faults import S3Fault
from gateway.s3.protocol.reply import Reply
from gateway.s3.registry import s3_operation
from s3store.faults import WrongBucketState
from s3store.records import ENABLED, SUSPENDED


@s3_operation("GetBucketVersioning", root="VersioningConfiguration")
def get_bucket_versioning(ask: Ask, bucket: str) -> Reply:
    """The state; nothing for a bucket that never had any."""
    found = ask.bucket(bucket)
    return Reply({"Status": found.versioning} if found.versioning else {})


@s3_operation("PutBucketVersioning", undigested=True)
def put_bucket_versioning(ask: Ask, bucket: str, versioning_configuration: dict[str, Any]) -> Reply:
    """Enable or suspend it."""
    found = ask.bucket(bucket)
    if versioning_configuration.get("MFADelete", "Disabled") != "Disabled":
        raise S3Fault("NotImplemented", "MfaDelete of a bucket is not implemented.")
    status = versioning_configuration.get("Status")
    if status is None:
        raise S3Fault("IllegalVersioningConfigurationException")
    if status not in (ENABLED, SUSPENDED):
        raise S3Fault("MalformedXML")
    try:
        ask.store.set_versioning(found, status)
    except WrongBucketState:
        # Terraform knows these words, and leaves such a bucket's versioning alone.
        raise S3Fault(
            "InvalidBucketState",
            "An Object Lock configuration is present on this bucket, so the versioning state "
            "cannot be changed.",
        ) from None
    return Reply()
