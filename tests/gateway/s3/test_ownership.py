"""Whose the objects in a bucket are, what a bucket begins with, and the public access block."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest

from tests.gateway.s3.leave import (
    EVERYONE,
    OWN,
    allow,
    block,
    grants,
    made,
    nobody,
    number,
    owned,
    rule,
)
from tests.gateway.s3.refusals import refused
from tests.gateway.s3.servers import ALICE, BOB, GUIDE, Server

Call = Callable[[], object]

# -- as buckets are made ---------------------------------------------------------------------------


def test_a_new_bucket_has_no_lists_and_blocks_the_public(server: Server) -> None:
    bucket, alice = made(server), server.client()
    rules = alice.get_bucket_ownership_controls(Bucket=bucket)["OwnershipControls"]["Rules"]
    assert rules == [{"ObjectOwnership": "BucketOwnerEnforced"}]
    flags = alice.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"]
    assert set(flags.values()) == {True}
    assert len(flags) == 4
    alice.put_object(Bucket=bucket, Key="k", Body=b"x")
    assert grants(alice.get_bucket_acl(Bucket=bucket)) == [OWN]
    assert grants(alice.get_object_acl(Bucket=bucket, Key="k")) == [OWN]
    calls: tuple[Call, ...] = (
        lambda: alice.put_bucket_acl(Bucket=bucket, ACL="private"),
        lambda: alice.put_object_acl(Bucket=bucket, Key="k", ACL="public-read"),
        lambda: alice.put_object(Bucket=bucket, Key="k", Body=b"y", ACL="public-read"),
        lambda: alice.put_object(Bucket=bucket, Key="k", GrantRead=f'uri="{EVERYONE}"'),
        lambda: alice.copy_object(
            Bucket=bucket, Key="c", CopySource=f"{bucket}/k", ACL="public-read"
        ),
        lambda: alice.create_multipart_upload(Bucket=bucket, Key="k", ACL="authenticated-read"),
    )
    for call in calls:
        with refused(400, "AccessControlListNotSupported"):
            call()
    assert alice.get_object(Bucket=bucket, Key="k")["Body"].read() == b"x"


@pytest.mark.parametrize("canned", ["private", "bucket-owner-full-control"])
def test_a_list_that_says_what_holds_anyway_is_let_pass(server: Server, canned: str) -> None:
    bucket, alice = made(server), server.client()
    alice.put_object(Bucket=bucket, Key="k", Body=b"x", ACL=canned)
    alice.put_object(Bucket=bucket, Key="k", Body=b"x", GrantFullControl=f"id={ALICE.account_id}")


def test_lists_at_birth_need_an_ownership_that_has_lists(server: Server) -> None:
    alice, name = server.client(), f"bucket-{uuid4().hex[:12]}"
    reader = f'id="{number(BOB)}"'
    with refused(400, "InvalidBucketAclWithObjectOwnership"):
        alice.create_bucket(Bucket=name, GrantRead=reader)
    with refused(403, "AccessDenied"):  # since a new bucket blocks the public
        alice.create_bucket(Bucket=name, ACL="public-read", ObjectOwnership="ObjectWriter")
    with refused(400, "InvalidArgument"):
        alice.create_bucket(Bucket=name, ObjectOwnership="Everybody")
    with refused(404, "404"):
        alice.head_bucket(Bucket=name)
    alice.create_bucket(Bucket=name, GrantRead=reader, ObjectOwnership="ObjectWriter")
    assert grants(alice.get_bucket_acl(Bucket=name)) == [(number(BOB), "READ")]
    server.client(BOB).list_objects_v2(Bucket=name)


def test_lists_can_be_switched_off_only_when_they_let_nobody_in(server: Server) -> None:
    bucket, alice = made(server, "ObjectWriter"), server.client()
    alice.put_bucket_acl(Bucket=bucket, GrantRead=f'id="{BOB.account_id}"')
    with refused(400, "InvalidBucketAclWithObjectOwnership"):
        owned(server, bucket, "BucketOwnerEnforced")
    alice.put_bucket_acl(Bucket=bucket, ACL="private")
    owned(server, bucket, "BucketOwnerEnforced")
    alice.delete_bucket_ownership_controls(Bucket=bucket)
    with refused(404, "OwnershipControlsNotFoundError"):
        alice.get_bucket_ownership_controls(Bucket=bucket)
    alice.put_bucket_acl(Bucket=bucket, ACL="private")  # without a setting there are lists


def test_the_public_access_block_can_go_and_come(server: Server) -> None:
    bucket, alice = made(server), server.client()
    alice.delete_public_access_block(Bucket=bucket)
    with refused(404, "NoSuchPublicAccessBlockConfiguration"):
        alice.get_public_access_block(Bucket=bucket)
    block(server, bucket, "BlockPublicAcls")
    assert alice.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"] == {
        "BlockPublicAcls": True,
        "IgnorePublicAcls": False,
        "BlockPublicPolicy": False,
        "RestrictPublicBuckets": False,
    }


# -- objects of others -----------------------------------------------------------------------------


def shared(server: Server, ownership: str) -> str:
    """A bucket of Alice's that Bob may write to."""
    bucket = made(server, ownership)
    allow(server, bucket, rule(bucket, ["PutObject", "DeleteObject"], who=BOB))
    return bucket


def owner(server: Server, bucket: str, key: str = "k") -> str:
    listed = server.client().list_objects_v2(Bucket=bucket, Prefix=key, FetchOwner=True)
    return str(listed["Contents"][0]["Owner"]["ID"])


def test_an_object_is_its_writers_where_the_bucket_has_it_so(server: Server) -> None:
    bucket, alice, bob = shared(server, "ObjectWriter"), server.client(), server.client(BOB)
    bob.put_object(Bucket=bucket, Key="k", Body=b"bobs")
    assert owner(server, bucket) == BOB.account_id
    assert bob.get_object(Bucket=bucket, Key="k")["Body"].read() == b"bobs"
    bob.put_object_tagging(Bucket=bucket, Key="k", Tagging={"TagSet": [{"Key": "a", "Value": "b"}]})
    assert grants(bob.get_object_acl(Bucket=bucket, Key="k")) == [(BOB.account_id, "FULL_CONTROL")]
    calls: tuple[Call, ...] = (
        lambda: alice.get_object(Bucket=bucket, Key="k"),
        lambda: alice.get_object_acl(Bucket=bucket, Key="k"),
        lambda: alice.get_object_tagging(Bucket=bucket, Key="k"),
        lambda: alice.put_object_acl(Bucket=bucket, Key="k", ACL="private"),
        lambda: alice.copy_object(Bucket=bucket, Key="c", CopySource=f"{bucket}/k"),
    )
    for call in calls:
        with refused(403, "AccessDenied"):
            call()
    bob.put_object_acl(Bucket=bucket, Key="k", ACL="bucket-owner-read")
    assert alice.get_object(Bucket=bucket, Key="k")["Body"].read() == b"bobs"
    allow(server, bucket, rule(bucket, "GetObject", who=GUIDE))
    with refused(403, "AccessDenied"):  # a bucket's policy gives away its owner's objects only
        server.client(GUIDE).get_object(Bucket=bucket, Key="k")
    allow(server, bucket, rule(bucket, "GetObject", who=BOB, effect="Deny"))
    with refused(403, "AccessDenied"):
        bob.get_object(Bucket=bucket, Key="k")
    alice.delete_object(Bucket=bucket, Key="k")


def test_a_writer_may_hand_an_object_over(server: Server) -> None:
    bucket, alice, bob = shared(server, "BucketOwnerPreferred"), server.client(), server.client(BOB)
    bob.put_object(Bucket=bucket, Key="k", Body=b"x")
    assert owner(server, bucket) == BOB.account_id
    bob.put_object(Bucket=bucket, Key="k", Body=b"x", ACL="bucket-owner-full-control")
    assert owner(server, bucket) == ALICE.account_id
    alice.get_object(Bucket=bucket, Key="k")
    with refused(403, "AccessDenied"):
        bob.get_object(Bucket=bucket, Key="k")
    owned(server, bucket, "ObjectWriter")
    bob.put_object(Bucket=bucket, Key="k", Body=b"x", ACL="bucket-owner-full-control")
    assert owner(server, bucket) == BOB.account_id
    assert grants(alice.get_object_acl(Bucket=bucket, Key="k")) == [
        (BOB.account_id, "FULL_CONTROL"),
        (ALICE.account_id, "FULL_CONTROL"),
    ]


def test_everything_is_the_bucket_owners_where_lists_are_off(server: Server) -> None:
    bucket, alice, bob = shared(server, "ObjectWriter"), server.client(), server.client(BOB)
    bob.put_object(Bucket=bucket, Key="old", Body=b"x")
    owned(server, bucket, "BucketOwnerEnforced")
    bob.put_object(Bucket=bucket, Key="k", Body=b"x", ACL="bucket-owner-full-control")
    assert owner(server, bucket) == ALICE.account_id
    with refused(400, "AccessControlListNotSupported"):
        bob.put_object(Bucket=bucket, Key="k", Body=b"x", ACL="private")
    for key in ("old", "k"):
        alice.get_object(Bucket=bucket, Key=key)
        assert grants(alice.get_object_acl(Bucket=bucket, Key=key)) == [OWN]
        with refused(403, "AccessDenied"):
            bob.get_object(Bucket=bucket, Key=key)


def test_a_bucket_may_insist_on_being_handed_its_objects(server: Server) -> None:
    bucket, bob = made(server, "BucketOwnerPreferred"), server.client(BOB)
    handed = {"StringEquals": {"s3:x-amz-acl": "bucket-owner-full-control"}}
    allow(server, bucket, rule(bucket, "PutObject", who=BOB, Condition=handed))
    for more in ({}, {"ACL": "private"}, {"GrantRead": f"id={number(BOB)}"}):
        with refused(403, "AccessDenied"):
            bob.put_object(Bucket=bucket, Key="k", Body=b"x", **more)
    bob.put_object(Bucket=bucket, Key="k", Body=b"x", ACL="bucket-owner-full-control")
    allow(
        server,
        bucket,
        rule(bucket, "PutObject", who=BOB),
        rule(bucket, "PutObjectAcl", effect="Deny"),
    )
    bob.put_object(Bucket=bucket, Key="k", Body=b"x")
    with refused(403, "AccessDenied"):
        bob.put_object(Bucket=bucket, Key="k", Body=b"x", GrantRead=f"id={number(GUIDE)}")


def test_an_upload_in_parts_keeps_the_list_it_began_with(server: Server, bucket: str) -> None:
    alice = server.client()
    upload = alice.create_multipart_upload(Bucket=bucket, Key="k", ACL="public-read")["UploadId"]
    this: dict[str, Any] = {"Bucket": bucket, "Key": "k", "UploadId": upload}
    etag = alice.upload_part(**this, PartNumber=1, Body=b"data")["ETag"]
    alice.complete_multipart_upload(
        **this, MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": etag}]}
    )
    assert nobody(server).get_object(Bucket=bucket, Key="k")["Body"].read() == b"data"
    alice.copy_object(Bucket=bucket, Key="copy", CopySource=f"{bucket}/k")
    with refused(403, "AccessDenied"):  # a copy's list is its own
        nobody(server).get_object(Bucket=bucket, Key="copy")
