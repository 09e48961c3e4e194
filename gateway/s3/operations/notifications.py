"""Whom a bucket's events are told, and that they hear of it."""

from typing import Any

from gateway.s3.ask import Ask
from gateway.s3.background.events import test_event
from gateway.s3.background.trace import present
from gateway.s3.documents import check_shape, notification
from gateway.s3.faults import S3Fault
from gateway.s3.operations.settings import document_shape
from gateway.s3.protocol.reply import Reply
from gateway.s3.registry import s3_operation
from s3store.outbox import Outbox
from s3store.witness import Message

_NAME = "PutBucketNotificationConfiguration"


@s3_operation(_NAME, action="s3:PutBucketNotification")
def put_bucket_notification_configuration(
    ask: Ask,
    bucket: str,
    document: dict[str, Any] | None = None,
    skip_destination_validation: bool = False,
) -> Reply:
    """Set what is told to whom; every receiver gets a test event, unless the caller skips that.

    It comes like every other event, later and without word of whether it arrived: whoever was told
    that could have us look which ports of which machines answer.
    """
    found = ask.bucket(bucket)
    if document is None:
        raise S3Fault("MalformedXML")
    check_shape(document_shape(_NAME), document)
    kept = notification.check(document)
    ask.store.set_setting(found, "notification", kept)
    if kept and not skip_destination_validation:
        body = test_event(bucket, present())
        Outbox(ask.store).add(Message(url, body) for url in notification.receivers(kept))
    return Reply()
