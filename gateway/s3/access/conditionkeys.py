"""What the condition keys of policies stand for in a request to S3.

A key that a policy may name and that a request says nothing under is absent, as those are that only
other services or identities of another make would fill. Nothing here is taken from a header that
only a proxy could vouch for.

Protocol source: "Condition keys for Amazon S3" and "AWS global condition context keys".
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Self

from gateway import ids
from gateway.credentials import Caller
from gateway.policy.language import Principal
from gateway.policy.patterns import Lookup
from gateway.s3.access.gate import Admission, Proof
from gateway.s3.objects import tagging
from gateway.s3.protocol import codec, target
from gateway.s3.protocol.target import Target
from gateway.sign.request import Request
from s3store.records import Bucket

Values = Sequence[str] | None
Tags = Callable[[], Mapping[str, str] | None]
"""The tags of the object that a request is about; None where there is none."""

_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Facts:
    """What a request shows of itself.

    Args:
        address: the other end of the connection.
        headers: by lower-case name.
        query: decoded.
        members: by the model's names, the request's document among them.
    """

    caller: Caller
    proof: Proof
    address: str
    secure: bool
    region: str
    headers: Mapping[str, str]
    query: Mapping[str, str]
    members: Mapping[str, Any]
    now: datetime

    @classmethod
    def of(
        cls,
        request: Request,
        about: Target,
        admission: Admission,
        members: Mapping[str, Any],
        region: str,
    ) -> Self:
        """What a request shows that was admitted."""
        return cls(
            caller=admission.caller,
            proof=admission.proof,
            address=request.address,
            secure=request.scheme == "https",
            region=region,
            headers=admission.headers,
            query=about.query,
            members=members,
            now=datetime.now(UTC),
        )

    @property
    def principals(self) -> frozenset[Principal]:
        """All the names that the caller goes by; none for nobody."""
        if self.caller.anonymous:
            return frozenset()
        account = self.caller.account_id
        number = ids.owner(account)
        names = (account, number, f"arn:aws:iam::{number}:root", arn_of(self.caller))
        return frozenset({("AWS", name) for name in names} | {("CanonicalUser", account)})

    def said(self, key: str) -> Values:
        """What it says under a lower-case key, whatever bucket or object it is about."""
        return _KEYS[key](self) if key in _KEYS else None

    def lookup(self, bucket: Bucket, version_id: str | None, tags: Tags) -> Lookup:
        """The request's values by lower-case key, when it is about this bucket."""

        def values(key: str) -> Values:
            if key.startswith(_EXISTING):
                return _tag(tags(), key.removeprefix(_EXISTING))
            if key.startswith(_REQUESTED):
                return _tag(_tags_sent(self), key.removeprefix(_REQUESTED))
            if key == "s3:versionid":
                return _one(version_id)
            if key in _OWNER:
                return [ids.owner(bucket.owner)]
            return self.said(key)

        return values


def arn_of(caller: Caller) -> str:
    """A user's name for policies."""
    return f"arn:aws:iam::{ids.owner(caller.account_id)}:user/{caller.username}"


def known(key: str) -> bool:
    """Whether a policy may name a key, given in lower case."""
    if key in _KEYS or key in _OWNER or key in _NEVER or key == "s3:versionid":
        return True
    return any(key.startswith(each) and key != each for each in (_EXISTING, _REQUESTED, *_TAGGED))


def _one(value: str | None) -> Values:
    return None if value is None else [value]


def _tag(tags: Mapping[str, str] | None, name: str) -> Values:
    """The value of a tag; condition keys do not tell cases apart, so neither do names of tags."""
    found = [value for key, value in (tags or {}).items() if key.lower() == name]
    return found or None


def _tags_sent(facts: Facts) -> Mapping[str, str]:
    document = facts.members.get("Tagging")
    if isinstance(document, dict):
        return {each["Key"]: each["Value"] for each in document.get("TagSet", ())}
    return tagging.of_header(document)


def _header(name: str) -> Callable[[Facts], Values]:
    def value(facts: Facts) -> Values:
        found = facts.headers.get(name)
        return None if found is None else [codec.text(found)]

    return value


def _query(name: str) -> Callable[[Facts], Values]:
    return lambda facts: _one(facts.query.get(name))


def _of_known(value: Callable[[Facts], str]) -> Callable[[Facts], Values]:
    """Of callers who said who they are."""
    return lambda facts: None if facts.caller.anonymous else [value(facts)]


def _copy_source(facts: Facts) -> Values:
    """In one spelling, whatever the header's: no way of encoding it leads past a policy."""
    header = facts.members.get("CopySource")
    if header is None:
        return None
    bucket, key, _ = target.copy_source(header)
    return [f"{bucket}/{key}"]


def _location(facts: Facts) -> Values:
    configuration = facts.members.get("CreateBucketConfiguration") or {}
    return _one(configuration.get("LocationConstraint"))


def _retention(name: str, member: str) -> Callable[[Facts], Values]:
    """From the header of a write, or from the document that changes a lock."""

    def value(facts: Facts) -> Values:
        document = facts.members.get("Retention") or facts.members.get("LegalHold") or {}
        return _one(document.get(member)) or _header(f"x-amz-object-lock-{name}")(facts)

    return value


_until = _retention("retain-until-date", "RetainUntilDate")


def _days_left(facts: Facts) -> Values:
    """Whole days, rounded up."""
    try:
        until = datetime.fromisoformat((_until(facts) or [""])[0])
    except ValueError:
        return None
    left = (until if until.tzinfo else until.replace(tzinfo=UTC)) - facts.now
    return [str(-(-left // _DAY))]


def _age(facts: Facts) -> Values:
    """Milliseconds since a presigned request was signed."""
    signed = facts.proof.signed
    return None if signed is None else [str((facts.now - signed) // timedelta(milliseconds=1))]


def _digest(facts: Facts) -> Values:
    return _header("x-amz-content-sha256")(facts) or _query("X-Amz-Content-Sha256")(facts)


_EXISTING, _REQUESTED = "s3:existingobjecttag/", "s3:requestobjecttag/"
_OWNER = frozenset({"s3:resourceaccount", "aws:resourceaccount"})

_KEYS: Mapping[str, Callable[[Facts], Values]] = {
    "aws:currenttime": lambda facts: [facts.now.strftime("%Y-%m-%dT%H:%M:%SZ")],
    "aws:epochtime": lambda facts: [str(int(facts.now.timestamp()))],
    "aws:principalaccount": _of_known(lambda facts: ids.owner(facts.caller.account_id)),
    "aws:principalarn": _of_known(lambda facts: arn_of(facts.caller)),
    "aws:principalisawsservice": lambda facts: ["false"],
    "aws:principaltype": lambda facts: ["Anonymous" if facts.caller.anonymous else "User"],
    "aws:referer": _header("referer"),
    "aws:requestedregion": lambda facts: [facts.region],
    "aws:securetransport": lambda facts: ["true" if facts.secure else "false"],
    "aws:sourceip": lambda facts: [facts.address] if facts.address else None,
    "aws:useragent": _header("user-agent"),
    "aws:userid": lambda facts: [facts.caller.user_id],
    "aws:username": _of_known(lambda facts: facts.caller.username),
    "aws:viaawsservice": lambda facts: ["false"],
    "s3:authtype": lambda facts: _one(facts.proof.type or None),
    "s3:delimiter": _query("delimiter"),
    "s3:locationconstraint": _location,
    "s3:max-keys": _query("max-keys"),
    "s3:object-lock-legal-hold": _retention("legal-hold", "Status"),
    "s3:object-lock-mode": _retention("mode", "Mode"),
    "s3:object-lock-remaining-retention-days": _days_left,
    "s3:object-lock-retain-until-date": _until,
    "s3:prefix": _query("prefix"),
    "s3:requestobjecttagkeys": lambda facts: list(_tags_sent(facts)) or None,
    "s3:signatureage": _age,
    "s3:signatureversion": lambda facts: _one(facts.proof.version or None),
    "s3:x-amz-content-sha256": _digest,
    "s3:x-amz-copy-source": _copy_source,
    **{f"s3:{name}": _header(name) for name in ("if-match", "if-none-match")},
    **{
        f"s3:x-amz-{name}": _header(f"x-amz-{name}")
        for name in (
            *("acl", "metadata-directive", "object-ownership", "storage-class"),
            *(f"grant-{right}" for right in ("full-control", "read", "read-acp", "write")),
            *("grant-write-acp", "server-side-encryption", "website-redirect-location"),
            *("server-side-encryption-aws-kms-key-id",),
            *("server-side-encryption-customer-algorithm",),
        )
    },
}

# Said of no request here: there are no such networks, services, organisations or sessions, nobody
# tells us the version of TLS, and access points are not offered.
_NEVER = frozenset(
    {
        f"aws:{name}"
        for name in (
            *("calledvia", "calledviafirst", "calledvialast", "federatedprovider"),
            *("multifactorauthage", "multifactorauthpresent", "tokenissuetime", "vpcsourceip"),
            *("principalorgid", "principalorgpaths", "principalservicename"),
            *("principalservicenameslist", "resourceorgid", "resourceorgpaths", "sourceaccount"),
            *("sourcearn", "sourceidentity", "sourceorgid", "sourceorgpaths", "sourceowner"),
            *("sourcevpc", "sourcevpcarn", "sourcevpce", "tagkeys"),
        )
    }
    | {
        f"s3:{name}"
        for name in (
            *("accessgrantsinstancearn", "accesspointnetworkorigin", "dataaccesspointaccount"),
            *("dataaccesspointarn", "inventoryaccessibleoptionalfields", "tlsversion"),
        )
    }
)
_TAGGED = ("aws:principaltag/", "aws:requesttag/", "aws:resourcetag/", "s3:buckettag/")

TELLING = frozenset(
    {"aws:sourceip", "aws:userid", "aws:username", "aws:principalarn", "aws:principalaccount"}
    | {"aws:sourcearn", "aws:sourcevpc", "aws:sourcevpce", "aws:sourceowner", "aws:sourceaccount"}
    | {"aws:principalorgid", "s3:dataaccesspointarn", "s3:dataaccesspointaccount"}
    | {"s3:x-amz-server-side-encryption-aws-kms-key-id"}
)
"""The keys whose fixed values keep a policy from being public."""
