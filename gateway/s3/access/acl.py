"""Access control lists: who is granted what on one bucket or one object, apart from all policies.

A list is kept as a document ``{"Grants": […]}`` in the model's words; None is the list that every
bucket and object has by itself, by which its owner alone has every right.

Protocol source: "Access control list (ACL) overview" of the S3 user guide.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, TypedDict, cast

from gateway import ids
from gateway.credentials import Caller
from gateway.s3.faults import S3Fault
from s3store.records import Bucket

Grant = Mapping[str, Any]
Document = Mapping[str, Any] | None

ENFORCED, PREFERRED, WRITER = "BucketOwnerEnforced", "BucketOwnerPreferred", "ObjectWriter"
"""Whose objects in a bucket are: the bucket owner's; or theirs if the writer says so; or their
writer's. With the first there are no lists at all."""

READ, WRITE, READ_ACP, WRITE_ACP, FULL = "READ", "WRITE", "READ_ACP", "WRITE_ACP", "FULL_CONTROL"

FLAGS = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")
"""The public access block of a bucket. The first and the third refuse to store what would let
everyone in, the second and the fourth make it count for nothing where it is stored."""

TO_BUCKET_OWNER = "bucket-owner-full-control"
"""The canned list by which a writer hands an object over, where the bucket has it so."""

_GROUPS = "http://acs.amazonaws.com/groups/"
_EVERYONE, _SIGNED = f"{_GROUPS}global/AllUsers", f"{_GROUPS}global/AuthenticatedUsers"
_LOGS = f"{_GROUPS}s3/LogDelivery"
_PUBLIC = (_EVERYONE, _SIGNED)
_MOST = 100
_ID = re.compile(r"[A-Za-z0-9-]{1,64}\Z")
_NAMED = re.compile(r'\s*(\w+)\s*=\s*(?:"([^"]*)"|([^",\s]*))\s*(?:,|\Z)')
_HEADERS = {
    "GrantFullControl": FULL,
    "GrantRead": READ,
    "GrantReadACP": READ_ACP,
    "GrantWrite": WRITE,
    "GrantWriteACP": WRITE_ACP,
}
_CANNED: Mapping[str, tuple[tuple[str, str], ...]] = {
    "private": (),
    "public-read": ((_EVERYONE, READ),),
    "public-read-write": ((_EVERYONE, READ), (_EVERYONE, WRITE)),
    "authenticated-read": ((_SIGNED, READ),),
    "aws-exec-read": (),
    "log-delivery-write": ((_LOGS, WRITE), (_LOGS, READ_ACP)),
}
_GRANTEES = {
    "id": ("CanonicalUser", "ID"),
    "uri": ("Group", "URI"),
    "emailAddress": ("AmazonCustomerByEmail", "EmailAddress"),
}
_TO_BUCKET_OWNERS = {"bucket-owner-read": READ, TO_BUCKET_OWNER: FULL}


class Grants(TypedDict, total=False):
    """What a writer of an object may say of its list."""

    ACL: str
    GrantFullControl: str
    GrantRead: str
    GrantReadACP: str
    GrantWriteACP: str


class BucketGrants(Grants, total=False):
    """What may be said of a bucket's list, or of any list that is set afterwards."""

    GrantWrite: str


# -- how a list is said ----------------------------------------------------------------------------


def says(given: Mapping[str, Any]) -> bool:
    """Whether a request says anything of a list."""
    return not given.keys().isdisjoint(BucketGrants.__annotations__)


def of_headers(given: Mapping[str, Any], owner: str, bucket_owner: str) -> Document:
    """The list that a request's headers ask for.

    Args:
        given: the members of :class:`BucketGrants` among others.
        owner: of the bucket or object that gets it.

    Raises:
        S3Fault: InvalidRequest, InvalidArgument, UnresolvableGrantByEmailAddress.
    """
    granted = {name: given[name] for name in _HEADERS if name in given}
    if "ACL" not in given and not granted:
        return None
    if "ACL" not in given:
        found = [grant for name, text in granted.items() for grant in _named(text, _HEADERS[name])]
        return _kept(found, owner)
    if granted:
        raise S3Fault(
            "InvalidRequest", "Specifying both Canned ACLs and Header Grants is not allowed"
        )
    return _kept(_canned(given["ACL"], owner, bucket_owner), owner)


def as_headers(grants: Iterable[Grant]) -> Grants:
    """A writer's headers that ask for a list of these grants, as far as objects can have them."""
    names = {right: name for name, right in _HEADERS.items() if name in Grants.__annotations__}
    found = dict[str, str]()
    for grant in grants:
        name, grantee = names.get(grant["Permission"]), grant["Grantee"]
        if name is not None:
            kind, field = ("uri", "URI") if grantee["Type"] == "Group" else ("id", "ID")
            found[name] = ", ".join(filter(None, (found.get(name), f'{kind}="{grantee[field]}"')))
    return cast(Grants, found)


def of_document(policy: Mapping[str, Any], owner: str) -> Document:
    """The list that an ``AccessControlPolicy`` document asks for.

    Raises:
        S3Fault: MalformedACLError, InvalidArgument, AccessDenied (it names another owner),
            UnresolvableGrantByEmailAddress.
    """
    named = policy.get("Owner", {}).get("ID", "")
    if not named or "Grants" not in policy:
        raise S3Fault("MalformedACLError")
    if named not in (owner, ids.owner(owner)):
        raise S3Fault("AccessDenied")
    return _kept([_checked(grant) for grant in policy["Grants"]], owner)


def _kept(grants: list[Grant], owner: str) -> Document:
    if len(grants) > _MOST:
        raise S3Fault("MalformedACLError", f"An ACL has at most {_MOST} grants.")
    own = {owner, ids.owner(owner)}
    spelled = [
        _to(owner, grant["Permission"]) if grant["Grantee"].get("ID") in own else grant
        for grant in grants
    ]
    return None if spelled == [_to(owner, FULL)] else {"Grants": spelled}


def _canned(name: str, owner: str, bucket_owner: str) -> list[Grant]:
    grants = [_to(owner, FULL)]
    if name in _TO_BUCKET_OWNERS:
        if bucket_owner != owner:
            grants.append(_to(bucket_owner, _TO_BUCKET_OWNERS[name]))
        return grants
    if name not in _CANNED:
        extras = {"ArgumentName": "x-amz-acl", "ArgumentValue": name}
        raise S3Fault("InvalidArgument", None, extras)
    return grants + [_to_group(uri, right) for uri, right in _CANNED[name]]


def _named(text: str, right: str) -> Iterator[Grant]:
    """The grants of one header: ``id="…", uri="…"``."""
    at = 0
    while at < len(text):
        found = _NAMED.match(text, at)
        if found is None:
            raise S3Fault("InvalidArgument", "Argument format not recognized")
        kind, value, at = found[1], found[2] or found[3] or "", found.end()
        if kind not in _GRANTEES:
            raise S3Fault("InvalidArgument", "Argument format not recognized")
        type_, field = _GRANTEES[kind]
        yield _checked({"Grantee": {"Type": type_, field: value}, "Permission": right})


def _checked(grant: Grant) -> Grant:
    """A grant as it is kept, if its grantee can be one."""
    grantee, right = grant.get("Grantee") or {}, grant.get("Permission")
    if right not in (READ, WRITE, READ_ACP, WRITE_ACP, FULL):
        raise S3Fault("MalformedACLError")
    kind = grantee.get("Type")
    if kind == "Group":
        uri = grantee.get("URI", "")
        if uri not in (*_PUBLIC, _LOGS):
            raise _invalid("Invalid group uri", "uri", uri)
        return _to_group(uri, right)
    if kind == "AmazonCustomerByEmail":
        raise S3Fault("UnresolvableGrantByEmailAddress")
    if kind != "CanonicalUser":
        raise _invalid("Argument format not recognized", "grantee", str(kind))
    if not _ID.match(grantee.get("ID", "")):
        raise _invalid("Invalid id", "CanonicalUser/ID", grantee.get("ID", ""))
    return _to(grantee["ID"], right)


def _invalid(text: str, name: str, value: str) -> S3Fault:
    return S3Fault("InvalidArgument", text, {"ArgumentName": name, "ArgumentValue": value[:256]})


def _to(account: str, right: str) -> Grant:
    return {"Grantee": {"Type": "CanonicalUser", "ID": account}, "Permission": right}


def _to_group(uri: str, right: str) -> Grant:
    return {"Grantee": {"Type": "Group", "URI": uri}, "Permission": right}


# -- what a list says ------------------------------------------------------------------------------


def grants_of(document: Document, owner: str) -> Iterable[Grant]:
    """All that a list grants."""
    return [_to(owner, FULL)] if document is None else document["Grants"]


def is_public(document: Document) -> bool:
    """Whether it grants anything to people nobody knows."""
    return any(_is_public(grant) for grant in grants_of(document, ""))


def allows(
    document: Document, owner: str, caller: Caller, right: str, *, ignore_public: bool
) -> bool:
    """Whether a list grants a caller a right.

    Args:
        owner: of what the list is of.
        ignore_public: whether what it grants to everyone counts for nothing.
    """
    return any(
        grant["Permission"] in (right, FULL) and _is_for(grant["Grantee"], caller)
        for grant in grants_of(document, owner)
        if not (ignore_public and _is_public(grant))
    )


def _is_public(grant: Grant) -> bool:
    return grant["Grantee"].get("URI") in _PUBLIC


def _is_for(grantee: Mapping[str, str], caller: Caller) -> bool:
    if grantee["Type"] == "Group":
        return grantee["URI"] == _EVERYONE or (grantee["URI"] == _SIGNED and not caller.anonymous)
    account = caller.account_id
    return not caller.anonymous and grantee["ID"] in (account, ids.owner(account))


def members_of(document: Document, owner: Mapping[str, str]) -> dict[str, Any]:
    """A list as members of a reply; of its owner more may be known than the id."""
    grants = [
        {"Grantee": {**grant["Grantee"], **owner}, "Permission": grant["Permission"]}
        if grant["Grantee"].get("ID") == owner["ID"]
        else grant
        for grant in grants_of(document, owner["ID"])
    ]
    return {"Owner": owner, "Grants": grants}


# -- a bucket's word on lists ----------------------------------------------------------------------


def ownership(bucket: Bucket) -> str:
    """Whose the objects in a bucket are: one of the three settings."""
    rules = (bucket.settings.get("ownership") or {}).get("Rules") or ()
    return str(rules[0]["ObjectOwnership"]) if rules else WRITER


def blocks(bucket: Bucket, what: str) -> bool:
    """Whether one of the four flags of the bucket's public access block is set."""
    return bool((bucket.settings.get("publicaccess") or {}).get(what))


def of_new_bucket(given: Mapping[str, Any], setting: str, owner: str) -> dict[str, Any]:
    """The settings about access that a bucket begins with: nobody else gets in, in any way.

    Args:
        given: the members of :class:`BucketGrants`.
        setting: of ownership.

    Raises:
        S3Fault: InvalidArgument, InvalidBucketAclWithObjectOwnership, AccessDenied.
    """
    settings = {"publicaccess": dict.fromkeys(FLAGS, True), "ownership": of_ownership(setting)}
    document = of_headers(given, owner, owner)
    if document is None:
        return settings
    if setting == ENFORCED:
        raise S3Fault("InvalidBucketAclWithObjectOwnership")
    if is_public(document):
        raise _blocked()
    return settings | {"acl": document}


def of_ownership(setting: str) -> dict[str, Any]:
    """An ownership setting as a document.

    Raises:
        S3Fault: InvalidArgument.
    """
    if setting not in (ENFORCED, PREFERRED, WRITER):
        raise _invalid(
            f"Invalid x-amz-object-ownership header: {setting[:64]}",
            "x-amz-object-ownership",
            setting,
        )
    return {"Rules": [{"ObjectOwnership": setting}]}


def check_enforced(given: Mapping[str, Any], writer: str, owner: str) -> None:
    """Refuse lists where there are none; one that says what holds anyway is let pass.

    Raises:
        S3Fault: AccessControlListNotSupported, and as :func:`of_headers`.
    """
    if given.get("ACL") == TO_BUCKET_OWNER:
        return
    if says(given) and (writer != owner or of_headers(given, owner, owner) is not None):
        raise S3Fault("AccessControlListNotSupported")


def check_public(bucket: Bucket, document: Document) -> None:
    """Refuse public lists where the bucket blocks them.

    Raises:
        S3Fault: AccessDenied.
    """
    if is_public(document) and blocks(bucket, "BlockPublicAcls"):
        raise _blocked()


def _blocked() -> S3Fault:
    return S3Fault("AccessDenied", "Public access control lists are blocked for this bucket.")
