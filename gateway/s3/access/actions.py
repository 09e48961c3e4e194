"""The actions of S3 as policies name them, and what in a bucket's policy may be spoken of.

The table is that of the service, not of what is built here: policies written elsewhere name actions
that nothing of ours ever asks for, and are none the worse for it.

Protocol source: "Actions, resources, and condition keys for Amazon S3".
"""

import re
from functools import lru_cache

from gateway.policy.language import Policy, Principal, Vocabulary, parse
from gateway.policy.patterns import Pattern
from gateway.s3.access import conditionkeys

BUCKET, OBJECT, SERVICE = "bucket", "object", "service"

_ARN = "arn:aws:s3:::"

_OF_OBJECTS = (
    *("AbortMultipartUpload", "BypassGovernanceRetention", "ListMultipartUploadParts"),
    *(f"{verb}Object{version}" for verb in ("Get", "Delete") for version in ("", "Version")),
    *("PutObject", "RestoreObject", "ReplicateObject", "ReplicateDelete", "ReplicateTags"),
    *("GetObjectVersionForReplication", "ObjectOwnerOverrideToBucketOwner", "InitiateReplication"),
    *(f"{verb}Object{v}Acl" for verb in ("Get", "Put") for v in ("", "Version")),
    *(f"{verb}Object{v}Tagging" for verb in ("Get", "Put", "Delete") for v in ("", "Version")),
    *(f"GetObject{v}{what}" for v in ("", "Version") for what in ("Attributes", "Torrent")),
    *(f"{verb}Object{what}" for verb in ("Get", "Put") for what in ("Retention", "LegalHold")),
)
_OF_BUCKETS = (
    *("CreateBucket", "DeleteBucket", "DeleteBucketPolicy", "DeleteBucketWebsite"),
    *("ListBucket", "ListBucketVersions", "ListBucketMultipartUploads"),
    *("GetBucketLocation", "GetBucketPolicyStatus"),
    *(
        f"{verb}Bucket{what}"
        for verb in ("Get", "Put")
        for what in (
            *("Acl", "CORS", "Logging", "Notification", "ObjectLockConfiguration"),
            *("OwnershipControls", "Policy", "PublicAccessBlock", "RequestPayment"),
            *("Tagging", "Versioning", "Website"),
        )
    ),
    *(
        f"{verb}{what}Configuration"
        for verb in ("Get", "Put")
        for what in (
            *("Accelerate", "Analytics", "Encryption", "IntelligentTiering"),
            *("Inventory", "Lifecycle", "Metrics", "Replication"),
        )
    ),
)

ACTIONS = {
    "s3:listallmybuckets": SERVICE,
    **{f"s3:{name.lower()}": OBJECT for name in _OF_OBJECTS},
    **{f"s3:{name.lower()}": BUCKET for name in _OF_BUCKETS},
}
"""What each action is done to, by its lower-case name."""

_VERSIONED = frozenset(
    name.replace("objectversion", "object", 1)
    for name in ACTIONS
    if name.replace("objectversion", "object", 1) != name
)
_NUMBER = r"[0-9]{12}"
_ACCOUNT = re.compile(rf"[A-Za-z0-9-]{{1,64}}\Z|arn:aws:iam::{_NUMBER}:(root|user/[^*?\s]+)\Z")
_NAMED = {
    "AWS": _ACCOUNT,
    "CanonicalUser": re.compile(r"[A-Za-z0-9-]{1,64}\Z"),
    "Service": re.compile(r"[a-z0-9.-]+\.amazonaws\.com\Z"),
}


def of_version(action: str) -> str:
    """What an action is called when it is done to a version by its id."""
    if action.lower() not in _VERSIONED:
        return action
    return action.replace("Object", "ObjectVersion", 1)


def arn(bucket: str, key: str | None = None) -> str:
    """A bucket's name for policies, or an object's."""
    return f"{_ARN}{bucket}" if key is None else f"{_ARN}{bucket}/{key}"


@lru_cache(1024)
def bucket_policy(text: str, bucket: str) -> Policy:
    """A bucket's policy, read once for all requests that it decides on.

    Raises:
        MalformedPolicy: it is none, or speaks of something other than this bucket.
    """
    return parse(text, _vocabulary(bucket))


def _vocabulary(bucket: str) -> Vocabulary:
    def resources(pattern: Pattern) -> frozenset[str]:
        found = set[str]()
        if pattern.may_begin(f"{arn(bucket)}/"):
            found.add(OBJECT)
        if pattern.matches(arn(bucket), lambda key: None):
            found.add(BUCKET)
        return frozenset(found)

    return Vocabulary(_kinds, resources, conditionkeys.known, principal)


def _kinds(pattern: Pattern) -> frozenset[str]:
    if pattern.literal:
        kind = ACTIONS.get(pattern.text.lower())
        return frozenset() if kind is None else frozenset({kind})
    return frozenset(
        kind for name, kind in ACTIONS.items() if pattern.matches(name, lambda key: None)
    )


def principal(named: Principal) -> bool:
    """Whether a policy may name a principal, as far as its form tells."""
    kind, name = named
    return kind in _NAMED and _NAMED[kind].match(name) is not None
