"""Who gets in, where more than one thing has a say."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from tests.gateway.s3.leave import allow, nobody, number, policy, rule
from tests.gateway.s3.refusals import refused
from tests.gateway.s3.servers import ALICE, BOB, GUIDE, Server


@pytest.fixture
def enforced(server: Server) -> str:
    """Alice's bucket as CreateBucket makes it."""
    name = f"bucket-{uuid4().hex[:12]}"
    server.client().create_bucket(Bucket=name)
    return name


@pytest.mark.parametrize("made", ["bucket", "enforced"])
def test_what_is_missing_is_missing_for_those_only_who_may_list(
    server: Server, request: pytest.FixtureRequest, made: str
) -> None:
    bucket, bob = request.getfixturevalue(made), server.client(BOB)
    server.client().delete_public_access_block(Bucket=bucket)
    allow(server, bucket, rule(bucket, ["GetObject", "GetObjectVersion"]))
    for someone in (bob, nobody(server)):
        with refused(403, "AccessDenied"):
            someone.get_object(Bucket=bucket, Key="absent")
        with refused(403, "403"):
            someone.head_object(Bucket=bucket, Key="absent")
        with refused(403, "AccessDenied"):
            someone.get_object(Bucket=bucket, Key="absent", VersionId="0" * 32)
    reading = rule(bucket, ["GetObject", "GetObjectVersion"])
    allow(server, bucket, reading, rule(bucket, "ListBucket", on=""))
    for someone in (bob, nobody(server)):
        with refused(404, "NoSuchKey"):
            someone.get_object(Bucket=bucket, Key="absent")
        with refused(404, "404"):
            someone.head_object(Bucket=bucket, Key="absent")
        with refused(404, "NoSuchVersion"):
            someone.get_object(Bucket=bucket, Key="absent", VersionId="0" * 32)
    with refused(404, "NoSuchKey"):
        server.client().get_object(Bucket=bucket, Key="absent")


def test_a_deleted_object_is_as_hidden_as_one_that_never_was(server: Server, enforced: str) -> None:
    alice, bob = server.client(), server.client(BOB)
    alice.put_bucket_versioning(Bucket=enforced, VersioningConfiguration={"Status": "Enabled"})
    alice.put_object(Bucket=enforced, Key="k", Body=b"data")
    alice.delete_object(Bucket=enforced, Key="k")
    allow(server, enforced, rule(enforced, "GetObject", who=BOB))
    with refused(403, "AccessDenied"):
        bob.get_object(Bucket=enforced, Key="k")
    with refused(404, "NoSuchKey"):
        alice.get_object(Bucket=enforced, Key="k")


def test_a_bucket_that_is_not_there_is_not_there_for_anyone(server: Server) -> None:
    for someone in (server.client(), server.client(BOB), nobody(server)):
        with refused(404, "NoSuchBucket"):
            someone.list_objects_v2(Bucket="no-such-bucket-at-all")


def test_nobody_has_no_buckets(server: Server) -> None:
    with refused(403, "AccessDenied"):
        nobody(server).list_buckets()
    with refused(403, "AccessDenied"):
        nobody(server).create_bucket(Bucket=f"bucket-{uuid4().hex[:12]}")


def test_many_deletions_are_decided_one_by_one(server: Server, enforced: str) -> None:
    alice, bob = server.client(), server.client(BOB)
    for key in ("a/1", "a/2", "b/1"):
        alice.put_object(Bucket=enforced, Key=key, Body=b"x")
    allow(
        server,
        enforced,
        rule(enforced, "DeleteObject", on="/a/*", who=BOB),
        rule(enforced, "DeleteObject", on="/a/2", effect="Deny"),
    )
    wanted = [{"Key": key} for key in ("a/1", "a/2", "b/1")]
    wanted += [{"Key": "a/1", "VersionId": "null"}]
    answer = bob.delete_objects(Bucket=enforced, Delete={"Objects": wanted})
    assert [each["Key"] for each in answer["Deleted"]] == ["a/1"]
    assert [(e["Key"], e["Code"]) for e in answer["Errors"]] == [
        ("a/2", "AccessDenied"),
        ("b/1", "AccessDenied"),
        ("a/1", "AccessDenied"),
    ]
    assert [e["Key"] for e in alice.list_objects_v2(Bucket=enforced)["Contents"]] == ["a/2", "b/1"]


def test_a_stranger_deletes_nothing(server: Server, enforced: str) -> None:
    server.client().put_object(Bucket=enforced, Key="k", Body=b"x")
    for someone in (server.client(BOB), nobody(server)):
        answer = someone.delete_objects(Bucket=enforced, Delete={"Objects": [{"Key": "k"}]})
        assert [each["Code"] for each in answer["Errors"]] == ["AccessDenied"]
    assert server.client().get_object(Bucket=enforced, Key="k")["Body"].read() == b"x"


def test_a_copy_needs_leave_at_both_ends(server: Server, enforced: str) -> None:
    alice, bob, other = server.client(), server.client(BOB), f"{enforced}-bob"
    alice.put_object(Bucket=enforced, Key="k", Body=b"data")
    bob.create_bucket(Bucket=other)
    source = {"Bucket": enforced, "Key": "k"}
    with refused(403, "AccessDenied"):
        bob.copy_object(Bucket=other, Key="k", CopySource=source)
    upload = bob.create_multipart_upload(Bucket=other, Key="k")["UploadId"]
    part: dict[str, Any] = {"Bucket": other, "Key": "k", "PartNumber": 1, "UploadId": upload}
    with refused(403, "AccessDenied"):
        bob.upload_part_copy(**part, CopySource=source)
    allow(server, enforced, rule(enforced, "GetObject", who=BOB))
    bob.copy_object(Bucket=other, Key="k", CopySource=source)
    bob.upload_part_copy(**part, CopySource=source)
    with refused(403, "AccessDenied"):
        bob.copy_object(Bucket=other, Key="k", CopySource=source | {"VersionId": "null"})
    with refused(403, "AccessDenied"):
        bob.copy_object(Bucket=enforced, Key="copy", CopySource=source)
    with refused(403, "AccessDenied"):
        bob.copy_object(Bucket=other, Key="k", CopySource=source | {"Key": "absent"})


def test_the_account_believed_to_own_a_bucket_must(server: Server, enforced: str) -> None:
    alice = server.client()
    for mine in (ALICE.account_id, number(ALICE)):
        alice.put_object(Bucket=enforced, Key="k", Body=b"x", ExpectedBucketOwner=mine)
        alice.copy_object(
            Bucket=enforced,
            Key="copy",
            CopySource=f"{enforced}/k",
            ExpectedSourceBucketOwner=mine,
        )
    for other in (BOB.account_id, number(BOB), "000000000000"):
        with refused(403, "AccessDenied"):
            alice.get_object(Bucket=enforced, Key="k", ExpectedBucketOwner=other)
        with refused(403, "AccessDenied"):
            alice.list_objects_v2(Bucket=enforced, ExpectedBucketOwner=other)
        with refused(403, "AccessDenied"):
            alice.copy_object(
                Bucket=enforced,
                Key="copy",
                CopySource=f"{enforced}/k",
                ExpectedSourceBucketOwner=other,
            )


def test_tags_and_locks_of_a_new_object_need_leave_of_their_own(server: Server) -> None:
    alice, bob, bucket = server.client(), server.client(BOB), f"bucket-{uuid4().hex[:12]}"
    alice.create_bucket(Bucket=bucket, ObjectLockEnabledForBucket=True)
    until = datetime.now(UTC) + timedelta(hours=1)
    lock: dict[str, Any] = {"ObjectLockMode": "GOVERNANCE", "ObjectLockRetainUntilDate": until}
    said: dict[str, dict[str, Any]] = {
        "PutObjectTagging": {"Tagging": "a=b"},
        "PutObjectRetention": lock,
        "PutObjectLegalHold": {"ObjectLockLegalHoldStatus": "ON"},
    }
    for action, more in said.items():
        allow(server, bucket, rule(bucket, "PutObject", who=BOB))
        with refused(403, "AccessDenied"):
            bob.put_object(Bucket=bucket, Key="k", Body=b"x", **more)
        with refused(403, "AccessDenied"):
            bob.create_multipart_upload(Bucket=bucket, Key="k", **more)
        allow(server, bucket, rule(bucket, ["PutObject", action], who=BOB))
        bob.put_object(Bucket=bucket, Key="k", Body=b"x", **more)
        allow(server, bucket, rule(bucket, action, effect="Deny"))
        with refused(403, "AccessDenied"):
            alice.put_object(Bucket=bucket, Key="k", Body=b"x", **more)


def test_tags_go_along_with_a_copy_only_with_leave_at_both_ends(
    server: Server, enforced: str
) -> None:
    alice, bob, other = server.client(), server.client(BOB), f"{enforced}-bob"
    alice.put_object(Bucket=enforced, Key="k", Body=b"data", Tagging="secret=tag")
    bob.create_bucket(Bucket=other)
    copy: dict[str, Any] = {"Bucket": other, "Key": "k", "CopySource": f"{enforced}/k"}
    reading = rule(enforced, "GetObject", who=BOB)
    allow(server, enforced, reading)
    with refused(403, "AccessDenied"):
        bob.copy_object(**copy)
    bob.copy_object(**copy, TaggingDirective="REPLACE")
    assert bob.get_object_tagging(Bucket=other, Key="k")["TagSet"] == []
    allow(server, enforced, reading, rule(enforced, "GetObjectTagging", who=BOB))
    bob.copy_object(**copy)
    tags = [{"Key": "secret", "Value": "tag"}]
    assert bob.get_object_tagging(Bucket=other, Key="k")["TagSet"] == tags
    allow(server, enforced, rule(enforced, ["GetObject*", "PutObject"], who=BOB))
    with refused(403, "AccessDenied"):
        bob.copy_object(**copy | {"Bucket": enforced, "Key": "copy"})


def test_a_lock_is_bypassed_only_with_leave(server: Server) -> None:
    alice, bucket = server.client(), f"bucket-{uuid4().hex[:12]}"
    alice.create_bucket(Bucket=bucket, ObjectLockEnabledForBucket=True)
    until = datetime.now(UTC) + timedelta(hours=1)
    lock = {"Mode": "GOVERNANCE", "RetainUntilDate": until}
    version = alice.put_object(Bucket=bucket, Key="k", Body=b"x")["VersionId"]
    this: dict[str, Any] = {"Bucket": bucket, "Key": "k", "VersionId": version}
    alice.put_object_retention(**this, Retention=lock)
    allow(server, bucket, rule(bucket, "BypassGovernanceRetention", effect="Deny"))
    for _ in range(2):
        with refused(403, "AccessDenied"):
            alice.delete_object(**this, BypassGovernanceRetention=True)
        with refused(403, "AccessDenied"):
            alice.put_object_retention(**this, Retention={}, BypassGovernanceRetention=True)
        answer = alice.delete_objects(
            Bucket=bucket,
            Delete={"Objects": [{"Key": "k", "VersionId": version}]},
            BypassGovernanceRetention=True,
        )
        assert [each["Code"] for each in answer["Errors"]] == ["AccessDenied"]
        allow(
            server,
            bucket,
            rule(bucket, ["DeleteObjectVersion", "PutObjectRetention"], who=BOB),
        )
        alice = server.client(BOB)  # who may do all but bypass
    server.client().delete_object(**this, BypassGovernanceRetention=True)


def test_attributes_of_an_object_need_leave_to_read_it(server: Server, enforced: str) -> None:
    server.client().put_object(Bucket=enforced, Key="k", Body=b"data")
    bob = server.client(BOB)
    wanted: dict[str, Any] = {"Bucket": enforced, "Key": "k", "ObjectAttributes": ["ObjectSize"]}
    for actions in (["GetObject"], ["GetObjectAttributes"]):
        allow(server, enforced, rule(enforced, actions, who=BOB))
        with refused(403, "AccessDenied"):
            bob.get_object_attributes(**wanted)
    allow(server, enforced, rule(enforced, ["GetObject", "GetObjectAttributes"], who=BOB))
    assert bob.get_object_attributes(**wanted)["ObjectSize"] == 4


def test_nobody_uploads_where_everyone_may(server: Server, enforced: str) -> None:
    alice = server.client()
    alice.delete_public_access_block(Bucket=enforced)
    alice.put_bucket_policy(
        Bucket=enforced, Policy=policy(rule(enforced, ["PutObject", "AbortMultipartUpload"]))
    )
    someone = nobody(server)
    someone.put_object(Bucket=enforced, Key="k", Body=b"data")
    upload = someone.create_multipart_upload(Bucket=enforced, Key="big")["UploadId"]
    part = someone.upload_part(
        Bucket=enforced, Key="big", UploadId=upload, PartNumber=1, Body=b"part"
    )
    someone.complete_multipart_upload(
        Bucket=enforced,
        Key="big",
        UploadId=upload,
        MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]},
    )
    assert alice.get_object(Bucket=enforced, Key="k")["Body"].read() == b"data"
    assert alice.get_object(Bucket=enforced, Key="big")["Body"].read() == b"part"
    listed = alice.list_objects_v2(Bucket=enforced, FetchOwner=True)["Contents"]
    assert {each["Owner"]["ID"] for each in listed} == {ALICE.account_id}


def test_what_one_user_may_not_their_account_may(server: Server, enforced: str) -> None:
    only = {"StringNotEquals": {"aws:username": "alice"}}
    allow(server, enforced, rule(enforced, "GetObject", effect="Deny", Condition=only))
    server.client().put_object(Bucket=enforced, Key="k", Body=b"x")
    server.client().get_object(Bucket=enforced, Key="k")
    with refused(403, "AccessDenied"):
        server.client(GUIDE).get_object(Bucket=enforced, Key="k")
