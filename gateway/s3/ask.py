"""What an operation has at hand besides its own parameters, and how it asks for leave.

Every operation on a bucket or an object begins with :meth:`Ask.bucket` (or :meth:`Ask.object`),
which finds the bucket and refuses callers who may not do what the operation declares as its action.
Leave that an operation needs besides is asked for with :meth:`Ask.require`.
"""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

from gateway import ids
from gateway.credentials import Caller
from gateway.policy.evaluate import Verdict
from gateway.s3.access import acl, actions
from gateway.s3.access.decisions import Access, Thing
from gateway.s3.faults import S3Fault
from gateway.s3.options import Options
from gateway.s3.protocol.content import Content
from s3store import faults as store_faults
from s3store.opened import Opened
from s3store.records import Bucket, Version
from s3store.store import Store


@dataclass(frozen=True)
class Ask:
    """One call.

    Args:
        content: the body, not read yet; its signatures and digests are checked as it is.
        expected_owner: the account the caller believes to own the bucket, if they said so.
        access: decides what the caller may do.
        action: what a policy calls leave to do what is asked.
        key: of the object it is asked of; None when it is the bucket.
        version_id: as the caller named it.
    """

    store: Store
    caller: Caller
    options: Options
    content: Content
    expected_owner: str | None
    access: Access
    action: str
    key: str | None = None
    version_id: str | None = None
    _buckets: dict[str, Bucket] = field(default_factory=dict, init=False, repr=False)

    # -- leave for what is asked -----------------------------------------------------------------

    def bucket(self, name: str) -> Bucket:
        """The bucket that the request is about, once the caller may do there what they ask.

        Where that depends on the object, the object is looked at.

        Raises:
            S3Fault: NoSuchBucket, AccessDenied, NoSuchKey, NoSuchVersion.
            TypeError: the action is one on objects and there is no key; such operations use
                :meth:`named` and ask for each key.
        """
        found = self.named(name)
        if self.key is None and actions.ACTIONS[self.action.lower()] == actions.OBJECT:
            raise TypeError(f"{self.action} is about an object, and the request names none")
        self.require(found, self.action, self.key, self.version_id)
        return found

    def object(self, name: str, key: str, version_id: str | None) -> tuple[Bucket, Version]:
        """The version that the request is about, once the caller may do to it what they ask.

        Bucket and version are one question to the index, and leave is decided on what it answers.

        Raises:
            S3Fault: as :meth:`bucket`.
            StoreFault: NoSuchKey, NoSuchVersion, where the caller has leave.
        """
        with self._missing(name, self.action, key, version_id, self.expected_owner):
            found, version = self.store.find(name, key, version_id)
        self._seen(found, self.expected_owner)
        self.require(found, self.action, key, version_id, version)
        return found, version

    def opened(self, name: str, key: str, version_id: str | None) -> tuple[Bucket, Opened]:
        """As :meth:`object`, with the content, which the caller closes."""
        return self._open(name, self.action, key, version_id, self.expected_owner)

    def source(
        self, name: str, key: str, version_id: str | None, expected_owner: str | None
    ) -> tuple[Bucket, Opened]:
        """An object that is to be copied, once the caller may read it; the caller closes it.

        Raises:
            As :meth:`object`.
        """
        return self._open(name, "s3:GetObject", key, version_id, expected_owner)

    def named(self, name: str) -> Bucket:
        """A bucket, whatever the caller may do there; the operation asks before it does anything.

        Raises:
            S3Fault: NoSuchBucket; AccessDenied when it is not whose the caller believes.
        """
        bucket = self._buckets.get(name)
        if bucket is None:
            try:
                bucket = self.store.bucket(name)
            except store_faults.NoSuchBucket:
                raise _no_bucket(name) from None
        self._seen(bucket, self.expected_owner)
        return bucket

    def account(self) -> str:
        """The caller's account, for what only those can ask who say who they are.

        Raises:
            S3Fault: AccessDenied.
        """
        if self.caller.anonymous:
            raise S3Fault("AccessDenied")
        return self.caller.account_id

    # -- leave for what goes with it -------------------------------------------------------------

    def may(
        self, bucket: Bucket, action: str, key: str | None = None, version_id: str | None = None
    ) -> bool:
        """Whether the caller may do something to a bucket, or to an object or version in it."""
        name = action if version_id is None else actions.of_version(action)
        return self.access.allows(name, Thing(bucket, key, version_id))

    def require(
        self,
        bucket: Bucket,
        action: str,
        key: str | None = None,
        version_id: str | None = None,
        version: Version | None = None,
    ) -> None:
        """Refuse what the caller may not do to a bucket, or to an object or version in it.

        Raises:
            S3Fault: AccessDenied, NoSuchKey, NoSuchVersion.
        """
        name = action if version_id is None else actions.of_version(action)
        self.access.require(name, Thing(bucket, key, version_id, version))

    def deed(self, bucket: Bucket, key: str, given: Mapping[str, Any]) -> tuple[str, Any]:
        """Whose an object is that the caller writes, and its access control list.

        Args:
            given: all that the request says of the object, in the model's words; tags and locks
                need leave of their own.

        Raises:
            S3Fault: AccessDenied, AccessControlListNotSupported, and for lists that are none.
        """
        if given.get("Tagging"):
            self.require(bucket, "s3:PutObjectTagging", key)
        if "ObjectLockMode" in given or "ObjectLockRetainUntilDate" in given:
            self.require(bucket, "s3:PutObjectRetention", key)
        if "ObjectLockLegalHoldStatus" in given:
            self.require(bucket, "s3:PutObjectLegalHold", key)
        ownership, writer = acl.ownership(bucket), self.caller.account_id
        if ownership == acl.ENFORCED:
            acl.check_enforced(given, writer, bucket.owner)
            return bucket.owner, None
        yields = ownership == acl.PREFERRED and given.get("ACL") == acl.TO_BUCKET_OWNER
        owner = bucket.owner if yields else writer
        document = acl.of_headers(given, owner, bucket.owner)
        if acl.says(given):
            self._check_list(bucket, key, document)
        return owner, document

    def _check_list(self, bucket: Bucket, key: str, document: acl.Document) -> None:
        """A writer may say who gets in, unless that is refused."""
        thing = Thing(bucket, key)
        if self.access.says("s3:PutObjectAcl", thing) is Verdict.DENY:
            raise S3Fault("AccessDenied")
        acl.check_public(bucket, document)

    # -- the rest --------------------------------------------------------------------------------

    def hidden(self, fault: S3Fault) -> S3Fault:
        """A refusal as the caller may hear it: who may not list does not learn what is missing."""
        if fault.code not in ("NoSuchKey", "NoSuchVersion"):
            return fault
        known = all(map(self.access.may_know, self._buckets.values()))
        return fault if known else S3Fault("AccessDenied")

    @property
    def secure(self) -> bool:
        """Whether the request came over TLS."""
        return self.access.facts.secure

    @property
    def owner(self) -> dict[str, str]:
        """The caller's account as S3 names an owner."""
        return {"ID": self.caller.account_id, "DisplayName": self.caller.account}

    def _open(
        self, name: str, action: str, key: str, version_id: str | None, expected_owner: str | None
    ) -> tuple[Bucket, Opened]:
        with self._missing(name, action, key, version_id, expected_owner):
            found, opened = self.store.find_open(name, key, version_id)
        with ExitStack() as closed_on_refusal:
            closed_on_refusal.enter_context(opened)
            self._seen(found, expected_owner)
            self.require(found, action, key, version_id, opened.version)
            closed_on_refusal.pop_all()
        return found, opened

    @contextmanager
    def _missing(
        self, name: str, action: str, key: str, version_id: str | None, expected_owner: str | None
    ) -> Iterator[None]:
        """What is not there is missing for those only who have leave to look."""
        try:
            yield
        except store_faults.NoSuchBucket:
            raise _no_bucket(name) from None
        except (store_faults.NoSuchKey, store_faults.NoSuchVersion):
            bucket = self.store.bucket(name)
            self._seen(bucket, expected_owner)
            self.require(bucket, action, key, version_id)
            raise

    def _seen(self, bucket: Bucket, expected_owner: str | None) -> None:
        self._buckets[bucket.name] = bucket
        if expected_owner is None:
            return
        if expected_owner not in (bucket.owner, ids.owner(bucket.owner)):
            raise S3Fault("AccessDenied")


def _no_bucket(name: str) -> S3Fault:
    return S3Fault("NoSuchBucket", extras={"BucketName": name})
