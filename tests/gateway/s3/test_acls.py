"""Access control lists: what they say, and what they let whom do."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.gateway.s3.leave import (
    EVERYONE,
    OWN,
    SIGNED,
    Grants,
    block,
    grants,
    nobody,
    number,
)
from tests.gateway.s3.raw import send, signed
from tests.gateway.s3.refusals import refused
from tests.gateway.s3.servers import ALICE, BOB, GUIDE, Server

Call = Callable[[], object]

# -- what lists say --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("canned", "more"),
    [
        ("private", []),
        ("public-read", [(EVERYONE, "READ")]),
        ("public-read-write", [(EVERYONE, "READ"), (EVERYONE, "WRITE")]),
        ("authenticated-read", [(SIGNED, "READ")]),
        ("bucket-owner-read", []),
        ("bucket-owner-full-control", []),
        ("aws-exec-read", []),
    ],
)
def test_canned_lists(server: Server, bucket: str, canned: str, more: Grants) -> None:
    alice = server.client()
    alice.put_object(Bucket=bucket, Key="k", Body=b"x", ACL=canned)
    assert grants(alice.get_object_acl(Bucket=bucket, Key="k")) == [OWN, *more]
    alice.put_object(Bucket=bucket, Key="l", Body=b"x")
    alice.put_object_acl(Bucket=bucket, Key="l", ACL=canned)
    assert grants(alice.get_object_acl(Bucket=bucket, Key="l")) == [OWN, *more]
    alice.put_bucket_acl(Bucket=bucket, ACL=canned if "owner" not in canned else "private")
    assert grants(alice.get_bucket_acl(Bucket=bucket)) == [OWN, *more]


def test_a_list_is_understood_in_headers_and_in_a_document(server: Server, bucket: str) -> None:
    alice = server.client()
    alice.put_object(
        Bucket=bucket,
        Key="k",
        Body=b"x",
        GrantFullControl=f'id="{ALICE.account_id}"',
        GrantRead=f'id="{number(BOB)}", uri="{SIGNED}"',
        GrantReadACP=f"id={GUIDE.account_id}",
    )
    expected = [
        OWN,
        (number(BOB), "READ"),
        (SIGNED, "READ"),
        (GUIDE.account_id, "READ_ACP"),
    ]
    said = alice.get_object_acl(Bucket=bucket, Key="k")
    assert grants(said) == expected
    assert said["Owner"] == {"ID": ALICE.account_id, "DisplayName": ALICE.account}
    alice.put_object(Bucket=bucket, Key="l", Body=b"x")
    document = {name: said[name] for name in ("Owner", "Grants")}
    alice.put_object_acl(Bucket=bucket, Key="l", AccessControlPolicy=document)
    assert grants(alice.get_object_acl(Bucket=bucket, Key="l")) == expected
    alice.put_bucket_acl(Bucket=bucket, AccessControlPolicy=document)
    assert grants(alice.get_bucket_acl(Bucket=bucket)) == expected
    path = f"/{bucket}?acl"
    raw = send(server, "GET", path, signed(server, "GET", path)).body
    space = b'<Grantee xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="Group">'
    assert space in raw


def to(kind: str, right: str = "READ", **grantee: str) -> dict[str, Any]:
    return {"Grantee": {"Type": kind, **grantee}, "Permission": right}


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"ACL": "public"}, "InvalidArgument"),
        ({"ACL": "private", "GrantRead": "id=x"}, "InvalidRequest"),
        ({"GrantRead": "x"}, "InvalidArgument"),
        ({"GrantRead": "id=_x"}, "InvalidArgument"),
        ({"GrantRead": "name=x"}, "InvalidArgument"),
        ({"GrantRead": 'uri="http://example.com/"'}, "InvalidArgument"),
        ({"GrantRead": 'emailAddress="a@example.com"'}, "UnresolvableGrantByEmailAddress"),
        ({}, "MissingSecurityHeader"),
        ({"AccessControlPolicy": {}}, "MalformedACLError"),
        ({"AccessControlPolicy": {"Owner": {"ID": ALICE.account_id}}}, "MalformedACLError"),
        ({"AccessControlPolicy": {"Owner": {"ID": "bob"}, "Grants": []}}, "AccessDenied"),
        ({"grants": [to("CanonicalUser", ID="x")], "ACL": "private"}, "UnexpectedContent"),
        ({"grants": [to("CanonicalUser", ID="x y")]}, "InvalidArgument"),
        ({"grants": [to("CanonicalUser")]}, "InvalidArgument"),
        ({"grants": [to("Group", URI="x")]}, "InvalidArgument"),
        ({"grants": [to("Person", ID="x")]}, "InvalidArgument"),
        ({"grants": [to("CanonicalUser", "LOOK", ID="x")]}, "MalformedACLError"),
        (
            {"grants": [to("AmazonCustomerByEmail", EmailAddress="a@example.com")]},
            "UnresolvableGrantByEmailAddress",
        ),
        ({"grants": [to("CanonicalUser", ID=f"x{n}") for n in range(101)]}, "MalformedACLError"),
    ],
)
def test_a_list_that_is_none_is_refused(
    server: Server, bucket: str, given: dict[str, Any], code: str
) -> None:
    alice = server.client()
    alice.put_object(Bucket=bucket, Key="k", Body=b"x")
    if "grants" in given:
        document = {"Owner": {"ID": ALICE.account_id}, "Grants": given["grants"]}
        given = {"AccessControlPolicy": document} | {n: given[n] for n in given if n == "ACL"}
    status = 403 if code == "AccessDenied" else 400
    with refused(status, code):
        alice.put_bucket_acl(Bucket=bucket, **given)
    with refused(status, code):
        alice.put_object_acl(Bucket=bucket, Key="k", **given)
    assert grants(alice.get_bucket_acl(Bucket=bucket)) == [OWN]
    assert grants(alice.get_object_acl(Bucket=bucket, Key="k")) == [OWN]


# -- what lists let whom do ------------------------------------------------------------------------

DOINGS: dict[str, tuple[str, Callable[[Any, str], object]]] = {
    "list": ("READ", lambda c, b: c.list_objects_v2(Bucket=b)),
    "list versions": ("READ", lambda c, b: c.list_object_versions(Bucket=b)),
    "list uploads": ("READ", lambda c, b: c.list_multipart_uploads(Bucket=b)),
    "write": ("WRITE", lambda c, b: c.put_object(Bucket=b, Key="new", Body=b"x")),
    "delete": ("WRITE", lambda c, b: c.delete_object(Bucket=b, Key="old")),
    "read list": ("READ_ACP", lambda c, b: c.get_bucket_acl(Bucket=b)),
    "location": ("", lambda c, b: c.get_bucket_location(Bucket=b)),
    "policy": ("", lambda c, b: c.get_bucket_policy(Bucket=b)),
    "get": ("", lambda c, b: c.get_object(Bucket=b, Key="k")),
}


@pytest.mark.parametrize("right", ["READ", "WRITE", "READ_ACP", "WRITE_ACP", "FULL_CONTROL"])
def test_each_right_on_a_bucket_lets_do_what_it_says(
    server: Server, bucket: str, right: str
) -> None:
    alice, bob = server.client(), server.client(BOB)
    alice.put_object(Bucket=bucket, Key="k", Body=b"x")
    name = {"READ_ACP": "ReadACP", "WRITE_ACP": "WriteACP", "FULL_CONTROL": "FullControl"}
    header = {f"Grant{name.get(right, right.capitalize())}": f"id={number(BOB)}"}
    alice.put_bucket_acl(Bucket=bucket, **header)
    for needed, call in DOINGS.values():
        if right in (needed, "FULL_CONTROL" if needed else needed):
            call(bob, bucket)
        else:
            with refused(403, "AccessDenied"):
                call(bob, bucket)
    if right in ("WRITE_ACP", "FULL_CONTROL"):
        bob.put_bucket_acl(Bucket=bucket, ACL="private")
    with refused(403, "AccessDenied"):
        bob.put_bucket_acl(Bucket=bucket, ACL="public-read")


@pytest.mark.parametrize("right", ["READ", "READ_ACP", "WRITE_ACP", "FULL_CONTROL"])
def test_each_right_on_an_object_lets_do_what_it_says(
    server: Server, bucket: str, right: str
) -> None:
    alice, bob = server.client(), server.client(BOB)
    name = {"READ_ACP": "ReadACP", "WRITE_ACP": "WriteACP", "FULL_CONTROL": "FullControl"}
    header = {f"Grant{name.get(right, right.capitalize())}": f"id={BOB.account_id}"}
    alice.put_object(Bucket=bucket, Key="k", Body=b"x", **header)
    alice.put_object(Bucket=bucket, Key="other", Body=b"x")
    doings: list[tuple[str, Callable[[], object]]] = [
        ("READ", lambda: bob.get_object(Bucket=bucket, Key="k")),
        ("READ", lambda: bob.get_object(Bucket=bucket, Key="k", VersionId="null")),
        (
            "READ",
            lambda: bob.get_object_attributes(
                Bucket=bucket, Key="k", ObjectAttributes=["ObjectSize"]
            ),
        ),
        ("READ_ACP", lambda: bob.get_object_acl(Bucket=bucket, Key="k")),
        ("", lambda: bob.get_object_tagging(Bucket=bucket, Key="k")),
        ("", lambda: bob.put_object(Bucket=bucket, Key="k", Body=b"mine")),
        ("", lambda: bob.delete_object(Bucket=bucket, Key="k")),
        ("", lambda: bob.get_object(Bucket=bucket, Key="other")),
        ("", lambda: bob.get_object(Bucket=bucket, Key="absent")),
        ("", lambda: nobody(server).get_object(Bucket=bucket, Key="k")),
        ("WRITE_ACP", lambda: bob.put_object_acl(Bucket=bucket, Key="k", ACL="private")),
    ]
    for needed, call in doings:
        if needed and right in (needed, "FULL_CONTROL"):
            call()
        else:
            with refused(403, "AccessDenied"):
                call()


def test_groups_are_everyone_and_everyone_who_signs(server: Server, bucket: str) -> None:
    alice, bob, someone = server.client(), server.client(BOB), nobody(server)
    alice.put_object(Bucket=bucket, Key="open", Body=b"x", ACL="public-read")
    alice.put_object(Bucket=bucket, Key="signed", Body=b"x", ACL="authenticated-read")
    bob.get_object(Bucket=bucket, Key="signed")
    bob.get_object(Bucket=bucket, Key="open")
    someone.get_object(Bucket=bucket, Key="open")
    with refused(403, "AccessDenied"):
        someone.get_object(Bucket=bucket, Key="signed")
    alice.put_bucket_acl(Bucket=bucket, ACL="public-read")
    someone.list_objects_v2(Bucket=bucket)
    with refused(404, "NoSuchKey"):  # who may list may know
        someone.get_object(Bucket=bucket, Key="absent")
    with refused(403, "AccessDenied"):
        someone.put_object(Bucket=bucket, Key="new", Body=b"x")
    alice.put_bucket_acl(Bucket=bucket, ACL="public-read-write")
    someone.put_object(Bucket=bucket, Key="new", Body=b"x")


def test_public_lists_can_be_ignored_and_can_be_blocked(server: Server, bucket: str) -> None:
    alice, someone = server.client(), nobody(server)
    alice.put_bucket_acl(Bucket=bucket, ACL="public-read")
    alice.put_object(Bucket=bucket, Key="k", Body=b"x", ACL="public-read")
    alice.put_object(Bucket=bucket, Key="b", Body=b"x", GrantRead=f"id={number(BOB)}")
    block(server, bucket, "IgnorePublicAcls")
    calls: tuple[Call, ...] = (
        lambda: someone.get_object(Bucket=bucket, Key="k"),
        lambda: someone.list_objects_v2(Bucket=bucket),
        lambda: server.client(BOB).get_object(Bucket=bucket, Key="k"),
    )
    for call in calls:
        with refused(403, "AccessDenied"):
            call()
    server.client(BOB).get_object(Bucket=bucket, Key="b")
    alice.put_object(Bucket=bucket, Key="l", Body=b"x", ACL="public-read")
    block(server, bucket, "BlockPublicAcls")
    someone.get_object(Bucket=bucket, Key="k")  # what is there stays
    calls = (
        lambda: alice.put_object(Bucket=bucket, Key="m", Body=b"x", ACL="public-read"),
        lambda: alice.put_object(Bucket=bucket, Key="m", GrantRead=f"uri={SIGNED}"),
        lambda: alice.put_object_acl(Bucket=bucket, Key="b", ACL="authenticated-read"),
        lambda: alice.put_bucket_acl(Bucket=bucket, ACL="public-read"),
    )
    for call in calls:
        with refused(403, "AccessDenied"):
            call()
    alice.put_object(Bucket=bucket, Key="m", Body=b"x", GrantRead=f"id={number(BOB)}")
