"""The one place where everything a writer says of a version to come is put together.

PutObject, CopyObject, CreateMultipartUpload and browser uploads all come through here, so whatever
a writer may say is understood in the same way by all of them.
"""

from datetime import UTC, datetime

from gateway.s3.access.acl import Grants
from gateway.s3.ask import Ask
from gateway.s3.faults import S3Fault
from gateway.s3.objects import locking, tagging
from gateway.s3.objects.attributes import Described, attributes
from gateway.s3.objects.locking import Locking
from gateway.s3.sealing import encryption
from gateway.s3.sealing.encryption import Encrypting
from s3store.records import Bucket, Draft, Lock


class Written(Described, Locking, Encrypting, Grants, total=False):
    """What may be said when an object is written."""

    Tagging: str


def draft(ask: Ask, bucket: Bucket, key: str, written: Written) -> Draft:
    """What a request says of the version it is about to write into a bucket.

    Raises:
        S3Fault: for whatever in it cannot be.
    """
    owner, acl = ask.deed(bucket, key, written)
    plain = Draft(
        attributes=attributes(written),
        owner=owner,
        tags=tagging.of_header(written.get("Tagging")),
        acl=acl,
        lock=locking.of_write(bucket, written, datetime.now(UTC)),
    )
    return encryption.encrypted(ask, bucket, key, plain, written)


def require_integrity(ask: Ask, lock: Lock) -> None:
    """Content that nobody may correct must have come with a digest of its writer's own.

    Raises:
        S3Fault: InvalidRequest.
    """
    if lock != Lock() and not ask.content.has_integrity:
        raise S3Fault(
            "InvalidRequest",
            "Content-MD5 OR x-amz-checksum- HTTP header is required for Put Object requests with "
            "Object Lock parameters",
        )
