"""Who may do what: the one place where it is decided.

Three things have a say, in this order:

1. What the bucket's policy refuses is refused, to its owner's account too (but never the handling
   of that policy: nobody can lock themselves out).
2. Whose it is: the account that owns a bucket may do everything to it and to its own objects in
   it. Objects may be other accounts' where the bucket's ownership setting lets them; those accounts
   then may do everything to their objects, and the bucket's owner only remove them.
3. What is granted: by the bucket's policy, for the bucket and for the objects of its owner; and by
   access control lists, of the bucket and of the object, where there are such.

The public access block takes out of the third what would let everyone in. Nothing else lets anyone
in. A user can do what their account can; policies may refuse things to single users.
"""

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field

from gateway.credentials import Caller
from gateway.policy.evaluate import Question, Verdict, evaluate
from gateway.policy.language import MalformedPolicy, Policy
from gateway.policy.publicity import is_public
from gateway.s3.access import acl, actions
from gateway.s3.access.conditionkeys import TELLING, Facts
from gateway.s3.faults import S3Fault
from s3store import faults
from s3store.records import Bucket, Version

Find = Callable[[Bucket, str, str | None], Version]

LIST = "s3:ListBucket"

# What the account that owns a bucket can do whatever the policy says.
_NEVER_LOST = frozenset({"s3:getbucketpolicy", "s3:putbucketpolicy", "s3:deletebucketpolicy"})
# What is done to a bucket even though it is said of a key, its object being there or not.
_OF_PLACES = frozenset(
    {
        *("s3:putobject", "s3:deleteobject", "s3:deleteobjectversion"),
        *("s3:abortmultipartupload", "s3:listmultipartuploadparts"),
        *("s3:getobjectretention", "s3:putobjectretention", "s3:bypassgovernanceretention"),
        *("s3:getobjectlegalhold", "s3:putobjectlegalhold"),
    }
)
# What lists grant: rights on a bucket, and rights on an object.
_BY_BUCKET = {
    "s3:listbucket": acl.READ,
    "s3:listbucketversions": acl.READ,
    "s3:listbucketmultipartuploads": acl.READ,
    "s3:putobject": acl.WRITE,
    "s3:deleteobject": acl.WRITE,
    "s3:abortmultipartupload": acl.WRITE,
    "s3:listmultipartuploadparts": acl.WRITE,
    "s3:getbucketacl": acl.READ_ACP,
    "s3:putbucketacl": acl.WRITE_ACP,
}
_BY_OBJECT = {
    "s3:getobject": acl.READ,
    "s3:getobjectversion": acl.READ,
    "s3:getobjectattributes": acl.READ,
    "s3:getobjectversionattributes": acl.READ,
    "s3:getobjectacl": acl.READ_ACP,
    "s3:getobjectversionacl": acl.READ_ACP,
    "s3:putobjectacl": acl.WRITE_ACP,
    "s3:putobjectversionacl": acl.WRITE_ACP,
}


@dataclass
class Thing:
    """What something is to be done to: a bucket, or an object in it.

    Args:
        version_id: as the caller named it; None for what the key shows.
        version: the object, when it is known already.
    """

    bucket: Bucket
    key: str | None = None
    version_id: str | None = None
    version: Version | None = None
    _looked: bool = field(default=False, init=False)

    @property
    def arn(self) -> str:
        """Its name for policies."""
        return actions.arn(self.bucket.name, self.key)

    def look(self, find: Find) -> Version | None:
        """The object; None where there is none. It is looked up once at most."""
        if self.version is None and self.key is not None and not self._looked:
            self._looked = True
            with suppress(faults.NoSuchKey, faults.NoSuchVersion):
                self.version = find(self.bucket, self.key, self.version_id)
        return self.version


@dataclass(frozen=True)
class Access:
    """Decides for one request.

    Args:
        find: looks an object up, for decisions that depend on it.
    """

    facts: Facts
    find: Find

    def require(self, action: str, thing: Thing) -> None:
        """Refuse what the caller may not do.

        Raises:
            S3Fault: AccessDenied; NoSuchKey or NoSuchVersion instead, where leave depends on an
                object that is not there and the caller may know that.
        """
        if self.allows(action, thing):
            return
        looked = thing.key is not None and _of_object(action, thing.bucket)
        if looked and thing.look(self.find) is None and self.may_know(thing.bucket):
            raise S3Fault("NoSuchKey" if thing.version_id is None else "NoSuchVersion")
        raise S3Fault("AccessDenied")

    def may_know(self, bucket: Bucket) -> bool:
        """Whether the caller may know which keys a bucket does not have."""
        return self.allows(LIST, Thing(bucket))

    def allows(self, action: str, thing: Thing) -> bool:
        """Whether the caller may do this.

        Args:
            action: the one of the version where ``thing`` is named by a version's id.
        """
        verdict = self.says(action, thing)
        owns = self._is(thing.bucket.owner)
        if verdict is Verdict.DENY:
            return owns and action.lower() in _NEVER_LOST
        if thing.key is not None and _of_object(action, thing.bucket):
            return self._allows_object(action, thing, verdict)
        return owns or verdict is Verdict.ALLOW or self._by_bucket(action, thing.bucket)

    def says(self, action: str, thing: Thing) -> Verdict:
        """What the bucket's policy says of it."""
        text = thing.bucket.settings.get("policy")
        if not text:
            return Verdict.SILENT
        try:
            policy = actions.bucket_policy(text, thing.bucket.name)
        except MalformedPolicy:  # kept by an edition that understood more; its owner can replace it
            return Verdict.DENY

        def tags() -> Mapping[str, str] | None:
            version = thing.look(self.find)
            return None if version is None else version.tags

        lookup = self.facts.lookup(thing.bucket, thing.version_id, tags)
        question = Question(action, thing.arn, self.facts.principals, lookup)
        verdict = evaluate((policy,), question)
        if verdict is Verdict.ALLOW and self._shut_out(policy, thing.bucket):
            return Verdict.SILENT
        return verdict

    def _shut_out(self, policy: Policy, bucket: Bucket) -> bool:
        """Whether a public policy counts for nothing to this caller."""
        restricted = acl.blocks(bucket, "RestrictPublicBuckets")
        return restricted and not self._is(bucket.owner) and is_public(policy, TELLING)

    def _allows_object(self, action: str, thing: Thing, verdict: Verdict) -> bool:
        """For objects that may be another account's than the bucket's."""
        version, bucket = thing.look(self.find), thing.bucket
        if version is None:
            return self._is(bucket.owner) or verdict is Verdict.ALLOW
        owner = version.owner or bucket.owner
        if self._is(owner) or (verdict is Verdict.ALLOW and owner == bucket.owner):
            return True
        right = _BY_OBJECT.get(action.lower())
        return right is not None and self._granted(version.acl, owner, right, bucket)

    def _by_bucket(self, action: str, bucket: Bucket) -> bool:
        right = _BY_BUCKET.get(action.lower())
        if right is None or acl.ownership(bucket) == acl.ENFORCED:
            return False
        return self._granted(bucket.settings.get("acl"), bucket.owner, right, bucket)

    def _granted(self, document: acl.Document, owner: str, right: str, bucket: Bucket) -> bool:
        ignored = acl.blocks(bucket, "IgnorePublicAcls")
        return acl.allows(document, owner, self._caller, right, ignore_public=ignored)

    def _is(self, account: str) -> bool:
        return not self._caller.anonymous and self._caller.account_id == account

    @property
    def _caller(self) -> Caller:
        return self.facts.caller


def _of_object(action: str, bucket: Bucket) -> bool:
    """Whether leave depends on the object itself, by its owner and its list."""
    return acl.ownership(bucket) != acl.ENFORCED and action.lower() not in _OF_PLACES
