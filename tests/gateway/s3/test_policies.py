"""Policies of buckets: kept, refused, and what they let whom do."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.gateway.s3.leave import allow, block, nobody, number, policy, rule, user
from tests.gateway.s3.raw import send, signed
from tests.gateway.s3.refusals import refused
from tests.gateway.s3.servers import ALICE, BOB, GUIDE, Server


def test_a_policy_is_given_back_as_it_was_sent(server: Server, bucket: str) -> None:
    alice = server.client()
    with refused(404, "NoSuchBucketPolicy"):
        alice.get_bucket_policy(Bucket=bucket)
    text = policy(rule(bucket, "GetObject", who=BOB)).replace(",", " ,\n")
    answer = alice.put_bucket_policy(Bucket=bucket, Policy=text)
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 204
    path = f"/{bucket}?policy"
    raw = send(server, "GET", path, signed(server, "GET", path))
    assert (raw.headers["content-type"], raw.body.decode()) == ("application/json", text)
    assert alice.get_bucket_policy(Bucket=bucket)["Policy"] == text
    alice.delete_bucket_policy(Bucket=bucket)
    alice.delete_bucket_policy(Bucket=bucket)
    with refused(404, "NoSuchBucketPolicy"):
        alice.get_bucket_policy_status(Bucket=bucket)


def test_an_old_client_sends_no_digest(server: Server, bucket: str) -> None:
    path, text = f"/{bucket}?policy", policy(rule(bucket, "GetObject")).encode()
    headers = signed(server, "PUT", path, digest="UNSIGNED-PAYLOAD")
    assert send(server, "PUT", path, headers, text).status == 204


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ("hello", "first byte must be"),
        ("{}", "Statement"),
        (b"\xff".decode("latin-1"), "first byte"),
        ({"Effect": "Maybe"}, "Invalid effect: Maybe"),
        ({"Action": "s3:Dance"}, "invalid action: s3:Dance"),
        ({"Action": "ec2:*"}, "invalid action: ec2:*"),
        ({"Action": "s3:ListBucket"}, "does not apply to any resource"),
        ({"Action": "s3:ListAllMyBuckets"}, "does not apply to any resource"),
        ({"Resource": "arn:aws:s3:::another/*"}, "invalid resource: arn:aws:s3:::another/*"),
        ({"Resource": "arn:aws:s3:::{bucket}"}, "does not apply to any resource"),
        ({"Principal": {"AWS": "arn:aws:iam::1:root"}}, "Invalid principal"),
        ({"Principal": {"AWS": "arn:aws:iam::123456789012:user/*"}}, "Invalid principal"),
        ({"Principal": {"Federated": "www.example.com"}}, "Invalid principal"),
        ({"Condition": {"StringSimilar": {"aws:UserAgent": "a"}}}, "StringSimilar"),
        ({"Condition": {"StringEquals": {"s3:colour": "red"}}}, "condition key: s3:colour"),
        ({"Condition": {"IpAddress": {"aws:SourceIp": "10.0.0.0/40"}}}, "10.0.0.0/40"),
        ({"Sid": "x" * 21000}, "20480 bytes"),
    ],
)
def test_what_is_wrong_is_named_and_nothing_is_stored(
    server: Server, bucket: str, wrong: str | dict[str, Any], said: str
) -> None:
    alice = server.client()
    before = policy(rule(bucket, "GetObject"))
    alice.put_bucket_policy(Bucket=bucket, Policy=before)
    text = wrong if isinstance(wrong, str) else policy(rule(bucket, "GetObject") | wrong)
    with pytest.raises(alice.exceptions.ClientError) as error:
        alice.put_bucket_policy(Bucket=bucket, Policy=text.replace("{bucket}", bucket))
    assert error.value.response["Error"]["Code"] == "MalformedPolicy"
    assert said in error.value.response["Error"]["Message"]
    assert alice.get_bucket_policy(Bucket=bucket)["Policy"] == before


def test_a_body_that_is_no_text_is_no_policy(server: Server, bucket: str) -> None:
    path = f"/{bucket}?policy"
    for body in (b"\xff\xfe{}", b"{" * 60000):
        headers = signed(server, "PUT", path, digest="UNSIGNED-PAYLOAD")
        answer = send(server, "PUT", path, headers, body)
        assert answer.status == 400
        assert answer.code in ("MalformedPolicy", "MaxMessageLengthExceeded")


@pytest.mark.parametrize(
    "who",
    [
        number(BOB),
        BOB.account_id,
        f"arn:aws:iam::{number(BOB)}:root",
        user(BOB),
    ],
)
def test_another_account_gets_in_by_any_of_its_names(server: Server, bucket: str, who: str) -> None:
    server.client().put_object(Bucket=bucket, Key="k", Body=b"data")
    allow(server, bucket, rule(bucket, "GetObject", who={"AWS": who}))
    assert server.client(BOB).get_object(Bucket=bucket, Key="k")["Body"].read() == b"data"
    for other in (server.client(GUIDE), nobody(server)):
        with refused(403, "AccessDenied"):
            other.get_object(Bucket=bucket, Key="k")
    with refused(403, "AccessDenied"):
        server.client(BOB).put_object(Bucket=bucket, Key="k", Body=b"mine")


def test_everyone_gets_in_where_everyone_may(server: Server, bucket: str) -> None:
    server.client().put_object(Bucket=bucket, Key="public/k", Body=b"data")
    server.client().put_object(Bucket=bucket, Key="k", Body=b"data")
    allow(server, bucket, rule(bucket, "GetObject", on="/public/*"))
    for someone in (nobody(server), server.client(BOB)):
        assert someone.get_object(Bucket=bucket, Key="public/k")["Body"].read() == b"data"
        assert someone.head_object(Bucket=bucket, Key="public/k")["ContentLength"] == 4
        with refused(403, "AccessDenied"):
            someone.get_object(Bucket=bucket, Key="k")
        with refused(403, "AccessDenied"):
            someone.list_objects_v2(Bucket=bucket)


EVERYTHING: list[tuple[str, str, Callable[[Any, str], object]]] = [
    ("ListBucket", "", lambda c, b: c.list_objects(Bucket=b)),
    ("ListBucket", "", lambda c, b: c.list_objects_v2(Bucket=b)),
    ("ListBucket", "", lambda c, b: c.head_bucket(Bucket=b)),
    ("ListBucketVersions", "", lambda c, b: c.list_object_versions(Bucket=b)),
    ("ListBucketMultipartUploads", "", lambda c, b: c.list_multipart_uploads(Bucket=b)),
    ("GetBucketLocation", "", lambda c, b: c.get_bucket_location(Bucket=b)),
    ("GetBucketVersioning", "", lambda c, b: c.get_bucket_versioning(Bucket=b)),
    ("GetBucketAcl", "", lambda c, b: c.get_bucket_acl(Bucket=b)),
    ("GetBucketPolicyStatus", "", lambda c, b: c.get_bucket_policy_status(Bucket=b)),
    (
        "PutBucketVersioning",
        "",
        lambda c, b: c.put_bucket_versioning(
            Bucket=b, VersioningConfiguration={"Status": "Suspended"}
        ),
    ),
    (
        "PutBucketTagging",
        "",
        lambda c, b: c.put_bucket_tagging(
            Bucket=b, Tagging={"TagSet": [{"Key": "a", "Value": "b"}]}
        ),
    ),
    ("PutBucketTagging", "", lambda c, b: c.delete_bucket_tagging(Bucket=b)),
    ("GetObject", "/*", lambda c, b: c.get_object(Bucket=b, Key="k")),
    ("GetObject", "/*", lambda c, b: c.head_object(Bucket=b, Key="k")),
    ("GetObjectVersion", "/*", lambda c, b: c.get_object(Bucket=b, Key="k", VersionId="null")),
    ("GetObjectTagging", "/*", lambda c, b: c.get_object_tagging(Bucket=b, Key="k")),
    ("GetObjectAcl", "/*", lambda c, b: c.get_object_acl(Bucket=b, Key="k")),
    (
        "GetObjectVersionAcl",
        "/*",
        lambda c, b: c.get_object_acl(Bucket=b, Key="k", VersionId="null"),
    ),
    (
        "PutObjectTagging",
        "/*",
        lambda c, b: c.put_object_tagging(
            Bucket=b, Key="k", Tagging={"TagSet": [{"Key": "a", "Value": "b"}]}
        ),
    ),
    ("DeleteObjectTagging", "/*", lambda c, b: c.delete_object_tagging(Bucket=b, Key="k")),
    ("PutObject", "/*", lambda c, b: c.put_object(Bucket=b, Key="new", Body=b"x")),
    ("PutObject", "/*", lambda c, b: c.create_multipart_upload(Bucket=b, Key="new")),
    (
        "DeleteObjectVersion",
        "/*",
        lambda c, b: c.delete_object(Bucket=b, Key="k", VersionId="null"),
    ),
    ("DeleteObject", "/*", lambda c, b: c.delete_object(Bucket=b, Key="k")),
    ("DeleteBucket", "", lambda c, b: c.delete_bucket(Bucket=b)),
]


@pytest.mark.parametrize(("action", "on", "call"), EVERYTHING)
def test_each_right_is_one_of_its_own(
    server: Server, bucket: str, action: str, on: str, call: Callable[[Any, str], object]
) -> None:
    """Without it, and with every other one, Bob is refused; with it alone he is not."""
    alice, bob = server.client(), server.client(BOB)
    alice.put_object(Bucket=bucket, Key="k", Body=b"data")
    others = {"Action": None, "NotAction": f"s3:{action}", "Resource": "*"}
    without = {n: v for n, v in (rule(bucket, action, who=BOB) | others).items() if v}
    allow(server, bucket, without)
    with refused(403, "403" if "head_" in call.__code__.co_names[0] else "AccessDenied"):
        call(bob, bucket)
    allow(server, bucket, rule(bucket, action, on=on, who=BOB))
    if action == "DeleteBucket":
        alice.delete_object(Bucket=bucket, Key="k")
    call(bob, bucket)


@pytest.mark.parametrize(("action", "on", "call"), EVERYTHING)
def test_the_owner_is_refused_what_the_policy_refuses(
    server: Server, bucket: str, action: str, on: str, call: Callable[[Any, str], object]
) -> None:
    alice = server.client()
    alice.put_object(Bucket=bucket, Key="k", Body=b"data")
    allow(server, bucket, rule(bucket, action, on=on, effect="Deny"))
    with refused(403, "403" if "head_" in call.__code__.co_names[0] else "AccessDenied"):
        call(alice, bucket)


def test_nobody_can_lock_themselves_out(server: Server, bucket: str) -> None:
    alice = server.client()
    walls = (
        rule(bucket, "*", on="", effect="Deny"),
        rule(bucket, "*", on="/*", effect="Deny"),
    )
    allow(server, bucket, *walls)
    with refused(403, "AccessDenied"):
        alice.list_objects_v2(Bucket=bucket)
    assert len(json.loads(alice.get_bucket_policy(Bucket=bucket)["Policy"])["Statement"]) == 2
    alice.put_bucket_policy(
        Bucket=bucket, Policy=policy(*walls), ConfirmRemoveSelfBucketAccess=True
    )
    alice.delete_bucket_policy(Bucket=bucket)
    alice.list_objects_v2(Bucket=bucket)


def test_a_policy_is_the_affair_of_the_buckets_own_account(server: Server, bucket: str) -> None:
    bob, everything = server.client(BOB), rule(bucket, "*Policy", on="", who=BOB)
    for status, code in ((403, "AccessDenied"), (405, "MethodNotAllowed")):
        with refused(status, code):
            bob.get_bucket_policy(Bucket=bucket)
        with refused(status, code):
            bob.put_bucket_policy(Bucket=bucket, Policy=policy(everything))
        with refused(status, code):
            bob.delete_bucket_policy(Bucket=bucket)
        allow(server, bucket, everything)


def test_a_policy_that_cannot_be_read_any_more_lets_nobody_in_but_its_mender(
    server: Server, bucket: str
) -> None:
    store, alice = server.store(), server.client()
    store.set_setting(store.bucket(bucket), "policy", '{"Statement": "from another age"}')
    for client in (alice, nobody(server)):
        with refused(403, "AccessDenied"):
            client.list_objects_v2(Bucket=bucket)
    assert "another age" in alice.get_bucket_policy(Bucket=bucket)["Policy"]
    alice.delete_bucket_policy(Bucket=bucket)
    alice.list_objects_v2(Bucket=bucket)


@pytest.mark.parametrize(
    ("statement", "public"),
    [
        ({}, True),
        ({"Principal": {"AWS": number(BOB)}}, False),
        ({"Condition": {"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}}, False),
        ({"Condition": {"IpAddress": {"aws:SourceIp": "0.0.0.0/1"}}}, True),
        ({"Condition": {"StringLike": {"aws:Referer": "https://example.com/*"}}}, True),
        ({"Effect": "Deny"}, False),
    ],
)
def test_a_public_policy_is_told_and_can_be_blocked(
    server: Server, bucket: str, statement: dict[str, Any], public: bool
) -> None:
    alice = server.client()
    text = policy(rule(bucket, "GetObject") | statement)
    alice.put_bucket_policy(Bucket=bucket, Policy=text)
    status = alice.get_bucket_policy_status(Bucket=bucket)
    assert status["PolicyStatus"] == {"IsPublic": public}
    block(server, bucket, "BlockPublicPolicy")
    alice.delete_bucket_policy(Bucket=bucket)
    if not public:
        alice.put_bucket_policy(Bucket=bucket, Policy=text)
        return
    with refused(403, "AccessDenied"):
        alice.put_bucket_policy(Bucket=bucket, Policy=text)


def test_a_restricted_public_policy_lets_only_the_owners_account_in(
    server: Server, bucket: str
) -> None:
    server.client().put_object(Bucket=bucket, Key="k", Body=b"data")
    allow(server, bucket, rule(bucket, "GetObject"), rule(bucket, "PutObject", who=BOB))
    block(server, bucket, "RestrictPublicBuckets")
    server.client().get_object(Bucket=bucket, Key="k")
    for someone in (nobody(server), server.client(BOB)):
        with refused(403, "AccessDenied"):
            someone.get_object(Bucket=bucket, Key="k")
    with refused(403, "AccessDenied"):
        server.client(BOB).put_object(Bucket=bucket, Key="k", Body=b"data")
    allow(server, bucket, rule(bucket, "PutObject", who=BOB))  # not public any more
    server.client(BOB).put_object(Bucket=bucket, Key="k", Body=b"data")
    assert number(ALICE) != number(BOB)
