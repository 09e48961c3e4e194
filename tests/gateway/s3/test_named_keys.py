"""Encryption under named keys (SSE-KMS), and what a bucket asks for by default."""

import base64
import json
from typing import Any

import pytest
from botocore import UNSIGNED

from gateway import ids
from tests.gateway.s3.kinds import (
    KINDS,
    LARGE,
    PART,
    PLAIN,
    SMALL,
    Kind,
    Pairs,
    customer,
    name_key,
    refusal,
    source,
    upload,
)
from tests.gateway.s3.servers import ALICE, BOB, Server


def test_a_key_is_named_by_id_alias_and_arn(server: Server, secure: Any, bucket: str) -> None:
    name_key(server, "payroll-1", aliases=["alias/payroll"])
    arn = f"arn:aws:kms:us-east-1:{ids.owner('')}:key/payroll-1"
    for name in ("payroll-1", "alias/payroll", arn):
        put = secure.put_object(
            Bucket=bucket,
            Key="k",
            Body=SMALL,
            ServerSideEncryption="aws:kms",
            SSEKMSKeyId=name,
            BucketKeyEnabled=True,
        )
        assert (put["SSEKMSKeyId"], put["BucketKeyEnabled"]) == (arn, True)
        got = secure.get_object(Bucket=bucket, Key="k")
        assert (got["SSEKMSKeyId"], got["BucketKeyEnabled"]) == (arn, True)
        assert got["Body"].read() == SMALL


def test_keys_that_cannot_be_used_are_refused_by_name(
    server: Server, secure: Any, bucket: str
) -> None:
    name_key(server, "of-bob", account="account-bob")
    name_key(server, "closing", enabled=True)
    put = {"Bucket": bucket, "Key": "k", "Body": SMALL, "ServerSideEncryption": "aws:kms"}
    for name in ("nobody", "of-bob", "alias/none", "arn:aws:kms:us-east-1:1:key/none"):
        assert refusal(secure.put_object, **put, SSEKMSKeyId=name) == (400, "KMS.NotFoundException")
    secure.put_object(**put, SSEKMSKeyId="closing")
    name_key(server, "closing", enabled=False)
    disabled = (400, "KMS.DisabledException")
    assert refusal(secure.put_object, **put, SSEKMSKeyId="closing") == disabled
    assert refusal(secure.get_object, Bucket=bucket, Key="k") == disabled
    assert secure.head_object(Bucket=bucket, Key="k")["ContentLength"] == len(SMALL)
    name_key(server, "closing", enabled=True)
    assert secure.get_object(Bucket=bucket, Key="k")["Body"].read() == SMALL


def allowing(who: str, *actions: str, **more: Any) -> Pairs:
    """A key's policy."""
    said = {"Effect": "Allow", "Principal": {"AWS": who}, "Action": list(actions), "Resource": "*"}
    return {"Version": "2012-10-17", "Statement": [said | more]}


def share(secure: Any, bucket: str) -> None:
    """Let Bob do everything with the objects of a bucket."""
    everything = {
        "Effect": "Allow",
        "Principal": {"AWS": BOB.account_id},
        "Action": "s3:*",
        "Resource": f"arn:aws:s3:::{bucket}/*",
    }
    secure.put_bucket_policy(
        Bucket=bucket, Policy=json.dumps({"Version": "2012-10-17", "Statement": everything})
    )


def test_a_keys_policy_says_who_encrypts_and_who_reads(
    server: Server, secure: Any, bucket: str
) -> None:
    share(secure, bucket)
    bob, denied = server.client(BOB), (403, "AccessDenied")
    put = {"Bucket": bucket, "Body": SMALL, "ServerSideEncryption": "aws:kms"}
    named: Pairs = {"SSEKMSKeyId": "ruled"}
    name_key(server, "ruled", policy=allowing(ALICE.account_id, "kms:*"))
    secure.put_object(**put, Key="k", **named)
    assert refusal(bob.put_object, **put, Key="b", **named) == denied
    begin = {name: value for name, value in put.items() if name != "Body"}
    assert refusal(bob.create_multipart_upload, **begin, Key="b", **named) == denied
    assert refusal(bob.get_object, Bucket=bucket, Key="k") == denied
    assert refusal(bob.copy_object, Bucket=bucket, Key="c", CopySource=f"{bucket}/k") == denied
    name_key(server, "ruled", policy=allowing(ids.owner(BOB.account_id), "kms:Decrypt"))
    assert bob.get_object(Bucket=bucket, Key="k")["Body"].read() == SMALL
    assert refusal(bob.put_object, **put, Key="b", **named) == denied
    assert refusal(secure.get_object, Bucket=bucket, Key="k") == denied
    assert secure.head_object(Bucket=bucket, Key="k")["ContentLength"] == len(SMALL)
    name_key(server, "ruled", policy={"Statement": "nonsense"})
    assert refusal(secure.get_object, Bucket=bucket, Key="k") == denied
    assert refusal(secure.head_object, Bucket=bucket, Key="b")[0] == 404


def test_a_keys_policy_may_ask_for_an_encryption_context(
    server: Server, secure: Any, bucket: str
) -> None:
    asked = {"StringEquals": {"kms:EncryptionContext:team": "pay"}}
    policy = allowing(ALICE.account_id, "kms:GenerateDataKey", "kms:Decrypt", Condition=asked)
    name_key(server, "for-pay", policy=policy)
    put = {
        **{"Bucket": bucket, "Key": "k", "Body": SMALL},
        **{"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": "for-pay"},
    }
    assert refusal(secure.put_object, **put) == (403, "AccessDenied")
    context = base64.b64encode(b'{"team": "pay"}').decode()
    secure.put_object(**put, SSEKMSEncryptionContext=context)
    assert secure.get_object(Bucket=bucket, Key="k")["Body"].read() == SMALL


def test_an_encryption_context_is_kept_and_told(secure: Any, bucket: str) -> None:
    context = base64.b64encode(json.dumps({"team": "pay", "a": "ü"}).encode()).decode()
    put = {"Bucket": bucket, "Key": "k", "Body": SMALL, "ServerSideEncryption": "aws:kms"}
    made = secure.put_object(**put, SSEKMSEncryptionContext=context)
    told = json.loads(base64.b64decode(made["SSEKMSEncryptionContext"]))
    assert told == {"team": "pay", "a": "ü"}
    assert secure.get_object(Bucket=bucket, Key="k")["Body"].read() == SMALL
    for wrong in (
        "!",
        "e30",
        base64.b64encode(b"[]").decode(),
        base64.b64encode(b'{"a":1}').decode(),
    ):
        assert (
            refusal(secure.put_object, **put, SSEKMSEncryptionContext=wrong)[1] == "InvalidArgument"
        )


@pytest.mark.parametrize(
    ("asked", "refused"),
    [
        ({"ServerSideEncryption": "aws:kms:dsse"}, (501, "NotImplemented")),
        ({"ServerSideEncryption": "rot13"}, (400, "InvalidArgument")),
        ({"ServerSideEncryption": "AES256", "SSEKMSKeyId": "k"}, (400, "InvalidArgument")),
        ({"SSEKMSKeyId": "k"}, (400, "InvalidArgument")),
        ({"SSEKMSEncryptionContext": "e30="}, (400, "InvalidArgument")),
    ],
)
def test_what_makes_no_sense_is_refused(
    secure: Any, bucket: str, asked: Pairs, refused: tuple[int, str]
) -> None:
    assert refusal(secure.put_object, Bucket=bucket, Key="k", Body=SMALL, **asked) == refused
    assert refusal(secure.create_multipart_upload, Bucket=bucket, Key="k", **asked) == refused
    assert refusal(secure.head_object, Bucket=bucket, Key="k")[0] == 404


def test_nobody_names_no_keys(server: Server, secure: Any, bucket: str) -> None:
    everybody = {
        "Effect": "Allow",
        "Principal": "*",
        "Action": "s3:PutObject",
        "Resource": f"arn:aws:s3:::{bucket}/*",
    }
    secure.delete_public_access_block(Bucket=bucket)
    secure.put_bucket_policy(
        Bucket=bucket, Policy=json.dumps({"Version": "2012-10-17", "Statement": [everybody]})
    )
    nobody = server.client(signature=UNSIGNED)
    put = {"Bucket": bucket, "Key": "k", "Body": SMALL}
    asked = {**put, "ServerSideEncryption": "aws:kms", "SSEKMSKeyId": "alias/aws/s3"}
    assert refusal(nobody.put_object, **asked) == (400, "InvalidArgument")
    by_default(secure, bucket, {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms"}})
    assert KINDS["named"].holds(nobody.put_object(**put))


# -- what the bucket asks for ----------------------------------------------------------------------


def by_default(secure: Any, bucket: str, rule: Pairs) -> None:
    """Set a bucket's default encryption."""
    secure.put_bucket_encryption(Bucket=bucket, ServerSideEncryptionConfiguration={"Rules": [rule]})


@pytest.mark.parametrize("mode", ["AES256", "aws:kms"])
def test_a_buckets_default_holds_for_puts_copies_and_uploads(
    secure: Any, bucket: str, mode: str
) -> None:
    secure.put_object(Bucket=bucket, Key="before", Body=LARGE)
    by_default(secure, bucket, {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": mode}})
    secure.put_object(Bucket=bucket, Key="put", Body=LARGE)
    secure.copy_object(Bucket=bucket, Key="copy", CopySource=f"{bucket}/before")
    upload(secure, bucket, "upload", PLAIN, LARGE[:PART], LARGE[PART:])
    for key in ("put", "copy", "upload"):
        got = secure.get_object(Bucket=bucket, Key=key)
        assert (got["ServerSideEncryption"], got["Body"].read()) == (mode, LARGE)
    assert "ServerSideEncryption" not in secure.head_object(Bucket=bucket, Key="before")
    secure.delete_bucket_encryption(Bucket=bucket)
    assert "ServerSideEncryption" not in secure.put_object(Bucket=bucket, Key="after", Body=SMALL)
    assert secure.get_object(Bucket=bucket, Key="put")["Body"].read() == LARGE


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_a_writers_own_choice_wins(server: Server, secure: Any, bucket: str, kind: Kind) -> None:
    name_key(server, "of-bucket")
    rule = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": "of-bucket"}
    by_default(
        secure, bucket, {"ApplyServerSideEncryptionByDefault": rule, "BucketKeyEnabled": True}
    )
    default = secure.put_object(Bucket=bucket, Key="d", Body=SMALL)
    assert default["SSEKMSKeyId"].endswith(":key/of-bucket")
    assert default["BucketKeyEnabled"] is True
    assert kind.holds(secure.put_object(Bucket=bucket, Key="k", Body=SMALL, **kind.write))
    assert secure.get_object(Bucket=bucket, Key="k", **kind.read)["Body"].read() == SMALL


def test_a_bucket_may_block_customers_keys(secure: Any, bucket: str) -> None:
    secure.put_object(Bucket=bucket, Key="before", Body=SMALL, **customer())
    by_default(
        secure,
        bucket,
        {
            "ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"},
            "BlockedEncryptionTypes": {"EncryptionType": ["SSE-C"]},
        },
    )
    denied = (403, "AccessDenied")
    put = {"Bucket": bucket, "Key": "k", **customer()}
    assert refusal(secure.put_object, **put, Body=SMALL) == denied
    assert refusal(secure.create_multipart_upload, **put) == denied
    assert refusal(secure.copy_object, **put, CopySource=f"{bucket}/before", **source()) == denied
    assert secure.get_object(Bucket=bucket, Key="before", **customer())["Body"].read() == SMALL


def test_without_a_document_there_is_no_default(secure: Any, bucket: str) -> None:
    code = "ServerSideEncryptionConfigurationNotFoundError"
    assert refusal(secure.get_bucket_encryption, Bucket=bucket) == (404, code)
    assert "ServerSideEncryption" not in secure.put_object(Bucket=bucket, Key="k", Body=SMALL)
