"""What each condition key of a policy stands for, seen from outside: who is let in and who not."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from gateway.s3.access.conditionkeys import known
from tests.gateway.s3.leave import allow, number, owned, policy, rule, user
from tests.gateway.s3.raw import send, signed
from tests.gateway.s3.refusals import refused
from tests.gateway.s3.servers import ALICE, BOB, GUIDE, Server

Do = Callable[[Any, str], object]
PAST, FUTURE = "2020-01-01T00:00:00Z", "2090-01-01T00:00:00Z"


def get(client: Any, bucket: str) -> object:
    """What most conditions are tried on."""
    return client.get_object(Bucket=bucket, Key="k")


def put(**more: Any) -> Do:
    return lambda client, bucket: client.put_object(Bucket=bucket, Key="k", Body=b"x", **more)


def listing(**more: Any) -> Do:
    return lambda client, bucket: client.list_objects_v2(Bucket=bucket, **more)


def copying(**more: Any) -> Do:
    return lambda client, bucket: client.copy_object(
        Bucket=bucket, Key="copy", CopySource=f"{bucket}/k", **more
    )


SAME: list[tuple[str, str, str, bool]] = [
    ("IpAddress", "aws:SourceIp", "127.0.0.0/8", True),
    ("IpAddress", "aws:SourceIp", "10.0.0.0/8", False),
    ("NotIpAddress", "aws:SourceIp", "127.0.0.1", False),
    ("Bool", "aws:SecureTransport", "false", True),
    ("Bool", "aws:SecureTransport", "true", False),
    ("StringLike", "aws:UserAgent", "Boto3/*", True),
    ("StringLike", "aws:UserAgent", "curl/*", False),
    ("StringLike", "aws:Referer", "*", False),
    ("DateGreaterThan", "aws:CurrentTime", PAST, True),
    ("DateGreaterThan", "aws:CurrentTime", FUTURE, False),
    ("NumericLessThan", "aws:EpochTime", "4000000000", True),
    ("DateLessThan", "aws:EpochTime", PAST, False),
    ("ArnEquals", "aws:PrincipalArn", user(BOB), True),
    ("ArnLike", "aws:PrincipalArn", "arn:aws:iam::*:user/b?b", True),
    ("ArnEquals", "aws:PrincipalArn", user(ALICE), False),
    ("StringEquals", "aws:PrincipalAccount", number(BOB), True),
    ("StringEquals", "aws:PrincipalAccount", number(ALICE), False),
    ("StringEquals", "aws:PrincipalType", "User", True),
    ("StringEquals", "aws:userid", BOB.user_id, True),
    ("StringEquals", "aws:username", "bob", True),
    ("StringEquals", "AWS:UserName", "bob", True),
    ("StringEquals", "aws:username", "alice", False),
    ("StringEquals", "aws:RequestedRegion", "us-east-1", True),
    ("StringEquals", "aws:ResourceAccount", number(ALICE), True),
    ("StringEquals", "s3:ResourceAccount", number(BOB), False),
    ("Bool", "aws:ViaAWSService", "false", True),
    ("Bool", "aws:PrincipalIsAWSService", "false", True),
    ("StringEquals", "s3:signatureversion", "AWS4-HMAC-SHA256", True),
    ("StringEquals", "s3:signatureversion", "AWS", False),
    ("StringEquals", "s3:authType", "REST-HEADER", True),
    ("StringEquals", "s3:authType", "REST-QUERY-STRING", False),
    ("NumericLessThan", "s3:signatureAge", "600000", False),
    ("StringNotEquals", "s3:x-amz-content-sha256", "UNSIGNED-PAYLOAD", True),
    ("StringEquals", "s3:x-amz-content-sha256", "UNSIGNED-PAYLOAD", False),
    ("Null", "aws:MultiFactorAuthPresent", "true", True),
    ("NumericGreaterThan", "s3:TlsVersion", "1.1", False),
    ("StringEquals", "aws:SourceVpc", "vpc-1", False),
    ("StringEquals", "aws:PrincipalOrgID", "o-1", False),
]


@pytest.mark.parametrize(("operator", "key", "value", "expected"), SAME)
def test_who_and_whence(
    server: Server, bucket: str, operator: str, key: str, value: str, expected: bool
) -> None:
    server.client().put_object(Bucket=bucket, Key="k", Body=b"x")
    condition = {operator: {key: value}}
    allow(server, bucket, rule(bucket, "GetObject", Condition=condition))
    decide(server, bucket, get, expected)


def decide(server: Server, bucket: str, do: Do, expected: bool) -> None:
    """Bob is let in, or is not."""
    if expected:
        do(server.client(BOB), bucket)
        return
    with refused(403, "AccessDenied"):
        do(server.client(BOB), bucket)


LISTING: list[tuple[str, str, Any, Do, bool]] = [
    ("StringEquals", "s3:prefix", "a/", listing(Prefix="a/"), True),
    ("StringEquals", "s3:prefix", "a/", listing(Prefix="b/"), False),
    ("StringEquals", "s3:prefix", ["", "a/"], listing(), False),
    ("StringEquals", "s3:prefix", ["", "a/"], listing(Prefix=""), True),
    ("StringLike", "s3:prefix", "home/${aws:username}/*", listing(Prefix="home/bob/x"), True),
    ("StringLike", "s3:prefix", "home/${aws:username}/*", listing(Prefix="home/eve/x"), False),
    ("StringEquals", "s3:delimiter", "/", listing(Delimiter="/"), True),
    ("StringEquals", "s3:delimiter", "/", listing(), False),
    ("NumericLessThanEquals", "s3:max-keys", "10", listing(MaxKeys=10), True),
    ("NumericLessThanEquals", "s3:max-keys", "10", listing(MaxKeys=11), False),
    ("NumericLessThanEquals", "s3:max-keys", "10", listing(), False),
    (
        "StringEquals",
        "s3:prefix",
        "a/",
        lambda client, bucket: client.list_object_versions(Bucket=bucket, Prefix="a/"),
        True,
    ),
    (
        "StringEquals",
        "s3:prefix",
        "a/",
        lambda client, bucket: client.list_object_versions(Bucket=bucket),
        False,
    ),
]


@pytest.mark.parametrize(("operator", "key", "value", "do", "expected"), LISTING)
def test_what_is_listed(
    server: Server, bucket: str, operator: str, key: str, value: Any, do: Do, expected: bool
) -> None:
    condition = {operator: {key: value}}
    listing_ = rule(bucket, ["ListBucket", "ListBucketVersions"], on="", Condition=condition)
    allow(server, bucket, listing_)
    decide(server, bucket, do, expected)


WRITING: list[tuple[str, str, Any, Do, bool]] = [
    ("StringEquals", "s3:x-amz-acl", "public-read", put(ACL="public-read"), True),
    ("StringEquals", "s3:x-amz-acl", "public-read", put(ACL="private"), False),
    ("StringEquals", "s3:x-amz-acl", "public-read", put(), False),
    ("StringEquals", "s3:x-amz-grant-read", "id=x", put(GrantRead="id=x"), True),
    ("StringEquals", "s3:x-amz-grant-read-acp", "id=x", put(GrantReadACP="id=x"), True),
    ("StringEquals", "s3:x-amz-grant-write-acp", "id=x", put(GrantWriteACP="id=x"), True),
    ("StringEquals", "s3:x-amz-grant-full-control", "id=x", put(GrantFullControl="id=x"), True),
    ("StringEquals", "s3:x-amz-grant-full-control", "id=x", put(GrantFullControl="id=y"), False),
    (
        "StringEquals",
        "s3:x-amz-storage-class",
        "STANDARD_IA",
        put(StorageClass="STANDARD_IA"),
        True,
    ),
    ("StringEquals", "s3:x-amz-storage-class", "STANDARD_IA", put(), False),
    ("StringEquals", "s3:RequestObjectTag/team", "red", put(Tagging="team=red"), True),
    ("StringEquals", "s3:RequestObjectTag/team", "red", put(Tagging="team=blue"), False),
    ("StringEquals", "s3:RequestObjectTag/team", "red", put(), False),
    (
        "ForAllValues:StringEquals",
        "s3:RequestObjectTagKeys",
        ["team", "use"],
        put(Tagging="team=red&use=x"),
        True,
    ),
    (
        "ForAllValues:StringEquals",
        "s3:RequestObjectTagKeys",
        ["team"],
        put(Tagging="team=red&use=x"),
        False,
    ),
    ("ForAnyValue:StringEquals", "s3:RequestObjectTagKeys", ["team"], put(), False),
    (
        "StringEquals",
        "s3:x-amz-website-redirect-location",
        "/x",
        put(WebsiteRedirectLocation="/x"),
        True,
    ),
    ("Null", "s3:x-amz-server-side-encryption", "true", put(), True),
    ("StringEquals", "s3:x-amz-server-side-encryption", "AES256", put(), False),
    ("StringEquals", "s3:if-none-match", "*", put(), False),
    ("Null", "s3:if-none-match", "true", put(), True),
    ("StringLike", "s3:x-amz-copy-source", "bucket-*/k", copying(), True),
    ("StringLike", "s3:x-amz-copy-source", "bucket-*/other", copying(), False),
    ("StringNotLike", "s3:x-amz-copy-source", "*/k", copying(), False),
    (
        "StringEquals",
        "s3:x-amz-metadata-directive",
        "REPLACE",
        copying(MetadataDirective="REPLACE"),
        True,
    ),
    ("StringEquals", "s3:x-amz-metadata-directive", "REPLACE", copying(), False),
]


@pytest.mark.parametrize(("operator", "key", "value", "do", "expected"), WRITING)
def test_what_is_written(
    server: Server, bucket: str, operator: str, key: str, value: Any, do: Do, expected: bool
) -> None:
    server.client().put_object(Bucket=bucket, Key="k", Body=b"x", ACL="public-read")
    condition = {operator: {key: value}}
    allow(
        server,
        bucket,
        rule(bucket, "PutObject", Condition=condition),
        rule(bucket, "PutObjectTagging"),
    )
    decide(server, bucket, do, expected)


def test_no_spelling_of_a_copy_source_leads_past_a_policy(server: Server, bucket: str) -> None:
    server.client().put_object(Bucket=bucket, Key="k", Body=b"x", ACL="public-read")
    wall = {"StringLike": {"s3:x-amz-copy-source": f"{bucket}/k"}}
    allow(
        server,
        bucket,
        rule(bucket, ["PutObject", "GetObjectVersion"]),
        rule(bucket, "PutObject", effect="Deny", Condition=wall),
    )
    path = f"/{bucket}/copy"
    for source in (f"{bucket}/k", f"/{bucket}/k", f"/{bucket}/%6b", f"{bucket}/k?versionId=null"):
        more = {"x-amz-copy-source": source}
        answer = send(server, "PUT", path, signed(server, "PUT", path, more, who=BOB))
        assert (answer.status, answer.code) == (403, "AccessDenied")
    server.client().put_object(Bucket=bucket, Key="other", Body=b"x", ACL="public-read")
    more = {"x-amz-copy-source": f"/{bucket}/%6fther"}
    assert send(server, "PUT", path, signed(server, "PUT", path, more, who=BOB)).status == 200


def test_tags_that_are_there_and_tags_to_come(server: Server, bucket: str) -> None:
    alice, bob = server.client(), server.client(BOB)
    for setting in ("ObjectWriter", "BucketOwnerEnforced"):
        owned(server, bucket, setting)
        alice.put_object(Bucket=bucket, Key="red", Body=b"x", Tagging="Team=red")
        alice.put_object(Bucket=bucket, Key="blue", Body=b"x", Tagging="Team=blue")
        alice.put_object(Bucket=bucket, Key="bare", Body=b"x")
        there = {"StringEquals": {"s3:ExistingObjectTag/team": "red"}}
        come = {"StringEquals": {"s3:RequestObjectTag/colour": "green"}}
        allow(
            server,
            bucket,
            rule(bucket, ["GetObject", "GetObjectVersion"], who=BOB, Condition=there),
            rule(bucket, "PutObjectTagging", who=BOB, Condition=come),
        )
        bob.get_object(Bucket=bucket, Key="red")
        bob.get_object(Bucket=bucket, Key="red", VersionId="null")
        bob.head_object(Bucket=bucket, Key="red")
        for key in ("blue", "bare", "absent"):
            with refused(403, "AccessDenied"):
                bob.get_object(Bucket=bucket, Key=key)
        for value in ("green", "grey"):
            tagging = {"TagSet": [{"Key": "colour", "Value": value}]}
            if value == "green":
                bob.put_object_tagging(Bucket=bucket, Key="red", Tagging=tagging)
            else:
                with refused(403, "AccessDenied"):
                    bob.put_object_tagging(Bucket=bucket, Key="red", Tagging=tagging)
        with refused(403, "AccessDenied"):  # the tag that opened it is gone
            bob.get_object(Bucket=bucket, Key="red")


def test_versions_by_their_ids(server: Server, bucket: str) -> None:
    alice, bob = server.client(), server.client(BOB)
    alice.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    one = alice.put_object(Bucket=bucket, Key="k", Body=b"1")["VersionId"]
    two = alice.put_object(Bucket=bucket, Key="k", Body=b"2")["VersionId"]
    only = {"StringEquals": {"s3:VersionId": one}}
    allow(server, bucket, rule(bucket, "GetObjectVersion", who=BOB, Condition=only))
    assert bob.get_object(Bucket=bucket, Key="k", VersionId=one)["Body"].read() == b"1"
    for more in ({"VersionId": two}, {}):
        with refused(403, "AccessDenied"):
            bob.get_object(Bucket=bucket, Key="k", **more)


def test_locks(server: Server) -> None:
    alice, bob, bucket = server.client(), server.client(BOB), f"bucket-{uuid4().hex[:12]}"
    alice.create_bucket(Bucket=bucket, ObjectLockEnabledForBucket=True)
    days = {
        "NumericLessThanEquals": {"s3:object-lock-remaining-retention-days": "10"},
        "StringEquals": {"s3:object-lock-mode": "GOVERNANCE"},
        "DateLessThan": {"s3:object-lock-retain-until-date": FUTURE},
    }
    hold = {"StringEquals": {"s3:object-lock-legal-hold": "ON"}}
    allow(
        server,
        bucket,
        rule(bucket, "PutObject", who=BOB),
        rule(bucket, "PutObjectRetention", who=BOB, Condition=days),
        rule(bucket, "PutObjectLegalHold", who=BOB, Condition=hold),
    )

    def lock(days: int, mode: str = "GOVERNANCE") -> dict[str, Any]:
        until = datetime.now(UTC) + timedelta(days=days)
        return {"ObjectLockMode": mode, "ObjectLockRetainUntilDate": until}

    for more, expected in (
        (lock(10), True),
        (lock(11), False),
        (lock(5, "COMPLIANCE"), False),
        ({"ObjectLockLegalHoldStatus": "ON"}, True),
        ({"ObjectLockLegalHoldStatus": "OFF"}, False),
    ):
        decide(server, bucket, put(**more), expected)
    for days_, expected in ((9, True), (11, False)):
        until = {"Mode": "GOVERNANCE", "RetainUntilDate": datetime.now(UTC) + timedelta(days=days_)}
        if expected:
            bob.put_object_retention(Bucket=bucket, Key="k", Retention=until)
        else:
            with refused(403, "AccessDenied"):
                bob.put_object_retention(Bucket=bucket, Key="k", Retention=until)
    with refused(403, "AccessDenied"):
        bob.put_object_legal_hold(Bucket=bucket, Key="k", LegalHold={"Status": "OFF"})


def test_what_a_header_says_in_the_query_is_not_said(server: Server, bucket: str) -> None:
    """A condition must see what the operation sees."""
    public = {"StringEquals": {"s3:x-amz-acl": "public-read"}}
    allow(server, bucket, rule(bucket, "PutObject", Condition=public))
    path = f"/{bucket}/k?x-amz-acl=public-read"
    headers = signed(server, "PUT", path, digest="UNSIGNED-PAYLOAD", who=BOB)
    answer = send(server, "PUT", path, headers, b"x")
    assert answer.status in (403, 501)
    with refused(404, "NoSuchKey"):
        server.client().get_object(Bucket=bucket, Key="k")


def test_the_newest_policy_counts_at_once(server: Server, bucket: str) -> None:
    server.client().put_object(Bucket=bucket, Key="k", Body=b"x")
    for _ in range(3):
        allow(server, bucket, rule(bucket, "GetObject", who=GUIDE))
        with refused(403, "AccessDenied"):
            get(server.client(BOB), bucket)
        server.client().put_bucket_policy(
            Bucket=bucket, Policy=policy(rule(bucket, "GetObject", who=BOB))
        )
        get(server.client(BOB), bucket)


def test_keys_are_known_whatever_their_case() -> None:
    for _, key, _, _ in SAME:
        assert known(key.lower())
    assert known("s3:existingobjecttag/x")
    assert not known("s3:existingobjecttag/")
    assert not known("s3:existingobjecttags/x")
    assert not known("aws:colour")
