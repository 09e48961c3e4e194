"""The settings of buckets that are a document each: put, read and removed alike.

A row of :data:`SETTINGS` is all there is to one of them. What its document may say is decided in
its room of :mod:`gateway.s3.documents`.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from gateway.s3.access import acl
from gateway.s3.ask import Ask
from gateway.s3.documents import (
    Document,
    check_shape,
    encryption,
    lifecycle,
    lock,
    website,
)
from gateway.s3.faults import S3Fault
from gateway.s3.objects import tagging
from gateway.s3.protocol import model
from gateway.s3.protocol.reply import Reply
from gateway.s3.registry import s3_operation
from gateway.s3.web import cors
from s3store.records import Bucket

Check = Callable[[Ask, Bucket, Document], Document | None]

_NO_MOVES = {"TransitionDefaultMinimumObjectSize": "all_storage_classes_128K"}


@dataclass(frozen=True)
class Setting:
    """One document of a bucket.

    Args:
        name: its key in :attr:`Bucket.settings`.
        get: the operation that reads it.
        reads: what a policy calls leave to do so.
        missing: the code of the refusal where there is none, or the document that stands for it.
        root: element of the reply's document.
        put, delete: the operations that change it, where there are such.
        writes: what a policy calls leave to do so.
        check: see :mod:`gateway.s3.documents`.
        fixed, ignores: of the put, see :func:`s3_operation`.
        besides: further members of replies.
        undigested: clients older than the demand for digests put it without one.
    """

    name: str
    get: str
    reads: str
    missing: str | Document
    root: str
    put: str = ""
    delete: str = ""
    writes: str = ""
    check: Check = lambda ask, bucket, document: document
    fixed: Mapping[str, Collection[str]] = field(default_factory=dict)
    ignores: Mapping[str, str] = field(default_factory=dict)
    besides: Document = field(default_factory=dict)
    undigested: bool = False

    def declare(self) -> None:
        """Make its operations."""
        s3_operation(self.get, action=self.reads, root=self.root)(self._getter())
        if self.put:
            s3_operation(
                self.put,
                action=self.writes,
                fixed=self.fixed,
                ignores=self.ignores,
                undigested=self.undigested,
            )(self._putter())
        if self.delete:
            s3_operation(self.delete, action=self.writes)(self._deleter())

    def _getter(self) -> Callable[..., Reply]:
        output = model.operation(self.get).output_shape
        payload = output.serialization.get("payload") if output else None

        def get(ask: Ask, bucket: str) -> Reply:
            document = ask.bucket(bucket).settings.get(self.name)
            if document is None:
                document = self._absent(bucket)
            members = {payload: document} if payload else document
            return Reply({**members, **self.besides})

        return get

    def _absent(self, bucket: str) -> Document:
        if isinstance(self.missing, str):
            raise S3Fault(self.missing, extras={"BucketName": bucket})
        return self.missing

    def _putter(self) -> Callable[..., Reply]:
        shape = document_shape(self.put)

        def put(ask: Ask, bucket: str, document: dict[str, Any] | None = None) -> Reply:
            found = ask.bucket(bucket)
            if document is None:
                raise S3Fault("MalformedXML")
            check_shape(shape, document)
            ask.store.set_setting(found, self.name, self.check(ask, found, document))
            return Reply(self.besides)

        return put

    def _deleter(self) -> Callable[..., Reply]:
        def delete(ask: Ask, bucket: str) -> Reply:
            ask.store.set_setting(ask.bucket(bucket), self.name, None)
            return Reply()

        return delete


def document_shape(operation: str) -> Any:
    """The shape of the document that an operation takes.

    Raises:
        TypeError: it takes none.
    """
    shape = model.operation(operation).input_shape
    if shape is None:
        raise TypeError(f"{operation} takes nothing")
    return shape.members[shape.serialization["payload"]]


# -- checks that look beyond the document ----------------------------------------------------------


def _alone(check: Callable[[Document], Document | None]) -> Check:
    return lambda ask, bucket, document: check(document)


def _cors(ask: Ask, bucket: Bucket, document: Document) -> Document:
    cors.check(document)
    return document


def _tagging(ask: Ask, bucket: Bucket, document: Document) -> Document:
    return {"TagSet": tagging.members_of(tagging.of_bucket(document["TagSet"]))}


def _logging(ask: Ask, bucket: Bucket, document: Document) -> Document | None:
    enabled = document.get("LoggingEnabled")
    if enabled is None:
        return None
    name = enabled["TargetBucket"]
    target = next((each for each in ask.store.buckets(bucket.owner) if each.name == name), None)
    if target is None:
        raise S3Fault(
            "InvalidTargetBucketForLogging",
            "The target bucket for logging does not exist or is not owned by the same account",
            {"TargetBucket": name[:63]},
        )
    if "TargetGrants" in enabled:
        _check_grants(target, enabled["TargetGrants"])
    return document


def _check_grants(target: Bucket, grants: Sequence[acl.Grant]) -> None:
    """Whether all objects of a bucket may have these."""
    if acl.ownership(target) == acl.ENFORCED:
        raise S3Fault("AccessControlListNotSupported")
    owner = {"Owner": {"ID": target.owner}}
    acl.check_public(target, acl.of_document({**owner, "Grants": grants}, target.owner))


def _encryption(ask: Ask, bucket: Bucket, document: Document) -> Document:
    checked = encryption.check(document)
    if ask.options.keys is None:
        raise S3Fault("NotImplemented", "This service has no keys to encrypt with.")
    name = encryption.named_key(checked)
    if name is not None:
        ask.options.keys.find(name, bucket.owner)
    return checked


SETTINGS = (
    Setting(
        name="lifecycle",
        get="GetBucketLifecycleConfiguration",
        put="PutBucketLifecycleConfiguration",
        delete="DeleteBucketLifecycle",
        reads="s3:GetLifecycleConfiguration",
        writes="s3:PutLifecycleConfiguration",
        missing="NoSuchLifecycleConfiguration",
        root="LifecycleConfiguration",
        check=_alone(lifecycle.check),
        fixed={name: (value,) for name, value in _NO_MOVES.items()},
        besides=_NO_MOVES,
    ),
    Setting(
        name="cors",
        get="GetBucketCors",
        put="PutBucketCors",
        delete="DeleteBucketCors",
        reads="s3:GetBucketCORS",
        writes="s3:PutBucketCORS",
        missing="NoSuchCORSConfiguration",
        root="CORSConfiguration",
        check=_cors,
    ),
    Setting(
        name="website",
        get="GetBucketWebsite",
        put="PutBucketWebsite",
        delete="DeleteBucketWebsite",
        reads="s3:GetBucketWebsite",
        writes="s3:PutBucketWebsite",
        missing="NoSuchWebsiteConfiguration",
        root="WebsiteConfiguration",
        check=_alone(website.check),
        undigested=True,
    ),
    Setting(
        name="logging",
        get="GetBucketLogging",
        put="PutBucketLogging",
        reads="s3:GetBucketLogging",
        writes="s3:PutBucketLogging",
        missing={},
        root="BucketLoggingStatus",
        check=_logging,
        undigested=True,
    ),
    Setting(
        name="notification",
        get="GetBucketNotificationConfiguration",
        reads="s3:GetBucketNotification",
        missing={},
        root="NotificationConfiguration",
    ),
    Setting(
        name="encryption",
        get="GetBucketEncryption",
        put="PutBucketEncryption",
        delete="DeleteBucketEncryption",
        reads="s3:GetEncryptionConfiguration",
        writes="s3:PutEncryptionConfiguration",
        missing="ServerSideEncryptionConfigurationNotFoundError",
        root="ServerSideEncryptionConfiguration",
        check=_encryption,
    ),
    Setting(
        name="tagging",
        get="GetBucketTagging",
        put="PutBucketTagging",
        delete="DeleteBucketTagging",
        reads="s3:GetBucketTagging",
        writes="s3:PutBucketTagging",
        missing="NoSuchTagSet",
        root="Tagging",
        check=_tagging,
    ),
    Setting(
        name="requestpayment",
        get="GetBucketRequestPayment",
        put="PutBucketRequestPayment",
        reads="s3:GetBucketRequestPayment",
        writes="s3:PutBucketRequestPayment",
        missing={"Payer": "BucketOwner"},
        root="RequestPaymentConfiguration",
        undigested=True,
    ),
    Setting(
        name="lock",
        get="GetObjectLockConfiguration",
        put="PutObjectLockConfiguration",
        reads="s3:GetBucketObjectLockConfiguration",
        writes="s3:PutBucketObjectLockConfiguration",
        missing="ObjectLockConfigurationNotFoundError",
        root="ObjectLockConfiguration",
        check=_alone(lock.check),
        ignores={"Token": "an existing bucket needs no leave of ours to be locked"},
    ),
    # Never set here; clients that look at everything a bucket has are told so in S3's words.
    Setting(
        name="accelerate",
        get="GetBucketAccelerateConfiguration",
        reads="s3:GetAccelerateConfiguration",
        missing={},
        root="AccelerateConfiguration",
    ),
    Setting(
        name="replication",
        get="GetBucketReplication",
        reads="s3:GetReplicationConfiguration",
        missing="ReplicationConfigurationNotFoundError",
        root="ReplicationConfiguration",
    ),
)

for _setting in SETTINGS:
    _setting.declare()
