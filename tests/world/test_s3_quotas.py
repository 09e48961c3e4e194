"""Quotas of accounts in S3, set in the store while the gateway serves it."""

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from s3store.records import Quota, Usage
from s3store.store import Store
from tests.world.world import REGION, World


@pytest.fixture
def store(world: World) -> Iterator[Store]:
    """The gateway's store, as an operator's command opens it."""
    opened = Store(world.settings.home / "objects")
    yield opened
    opened.close()


@pytest.fixture
def alice(world: World, store: Store, request: pytest.FixtureRequest) -> Iterator[Any]:
    """The account's id, and a client that retries as clients do."""
    name = request.node.name
    keys = world.account(name)
    [row] = world.native().listAccounts(name=name, listall=True)["account"]
    s3 = boto3.client(
        "s3",
        endpoint_url=world.aws_url,
        region_name=REGION,
        aws_access_key_id=keys.access,
        aws_secret_access_key=keys.secret,
    )
    yield row["id"], s3
    s3.close()


def refused(call: Any, **params: Any) -> tuple[str, int, int]:
    """Code, status and how often the client tried again."""
    with pytest.raises(ClientError) as caught:
        call(**params)
    said: Any = caught.value.response
    told = said["ResponseMetadata"]
    return said["Error"]["Code"], told["HTTPStatusCode"], told["RetryAttempts"]


def test_bytes_over_the_quota_are_refused_once_and_not_stored(store: Store, alice: Any) -> None:
    ident, s3 = alice
    s3.create_bucket(Bucket="q-bytes")
    store.set_quota(ident, Quota(bytes=100_000))
    s3.put_object(Bucket="q-bytes", Key="fits", Body=b"x" * 60_000)
    over = {"Bucket": "q-bytes", "Key": "over", "Body": b"x" * 60_000}
    assert refused(s3.put_object, **over) == ("QuotaExceeded", 403, 0)
    upload = s3.create_multipart_upload(Bucket="q-bytes", Key="parts")["UploadId"]
    part = {"Bucket": "q-bytes", "Key": "parts", "UploadId": upload, "PartNumber": 1}
    assert refused(s3.upload_part, Body=b"x" * 60_000, **part)[0] == "QuotaExceeded"
    copy = {"CopySource": "q-bytes/fits", "Bucket": "q-bytes", "Key": "copy"}
    assert refused(s3.copy_object, **copy)[0] == "QuotaExceeded"
    assert [o["Key"] for o in s3.list_objects_v2(Bucket="q-bytes")["Contents"]] == ["fits"]
    assert store.usage(ident) == Usage(1, 1, 60_000)
    s3.put_object(Bucket="q-bytes", Key="fits", Body=b"x" * 90_000)
    s3.delete_object(Bucket="q-bytes", Key="fits")
    s3.put_object(**over)
    store.set_quota(ident, None)
    s3.put_object(Bucket="q-bytes", Key="more", Body=b"x" * 200_000)


def test_objects_and_buckets_have_their_quotas_too(store: Store, alice: Any) -> None:
    ident, s3 = alice
    store.set_quota(ident, Quota(buckets=1, objects=2))
    s3.create_bucket(Bucket="q-objects")
    assert refused(s3.create_bucket, Bucket="q-second") == ("TooManyBuckets", 400, 0)
    for key in ("a", "b", "b"):
        s3.put_object(Bucket="q-objects", Key=key, Body=b"")
    assert refused(s3.put_object, Bucket="q-objects", Key="c", Body=b"")[0] == "QuotaExceeded"
    assert [b["Name"] for b in s3.list_buckets()["Buckets"]] == ["q-objects"]


def test_another_accounts_quota_is_its_own(world: World, store: Store, alice: Any) -> None:
    ident, s3 = alice
    store.set_quota(ident, Quota(buckets=0))
    assert refused(s3.create_bucket, Bucket="q-none")[0] == "TooManyBuckets"
    world.aws("s3").create_bucket(Bucket="q-none")
