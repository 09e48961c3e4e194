"""S3 through boto3 and its transfer manager, over HTTP and over TLS, where it sends trailers."""

import io
import os
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import boto3
import pytest
from boto3.s3.transfer import TransferConfig
from botocore.config import Config

from tests.clients.programs import new_bucket
from tests.gateway.s3.servers import ALICE, Server

PARTS = TransferConfig(multipart_threshold=5 << 20, multipart_chunksize=5 << 20)
CONTENT = os.urandom((12 << 20) + 7)


@pytest.fixture(params=["s3", "s3_over_tls"])
def server(request: pytest.FixtureRequest) -> Server:
    """A running server, once without TLS and once with it."""
    running: Server = request.getfixturevalue(request.param)
    return running


@pytest.fixture
def client(server: Server, authority: tuple[Path, Path]) -> Any:
    """Alice's client, as it comes."""
    return boto3.client(
        "s3",
        endpoint_url=server.url,
        aws_access_key_id=ALICE.access_key,
        aws_secret_access_key=ALICE.secret,
        region_name="us-east-1",
        verify=str(authority[0]),
        config=Config(retries={"max_attempts": 1}, read_timeout=30),
    )


@pytest.fixture
def bucket(server: Server) -> str:
    """Alice's new, empty bucket."""
    return new_bucket(server)


def test_a_stream_of_unknown_kind_is_stored_with_its_checksum(client: Any, bucket: str) -> None:
    client.put_object(Bucket=bucket, Key="k", Body=io.BytesIO(CONTENT))
    found = client.get_object(Bucket=bucket, Key="k")
    assert found["Body"].read() == CONTENT
    assert "ChecksumCRC32" in found


@pytest.mark.parametrize("algorithm", ["CRC32", "CRC32C", "CRC64NVME", "SHA1", "SHA256"])
def test_every_checksum_is_verified_there_and_back(
    client: Any, bucket: str, algorithm: str
) -> None:
    body = io.BytesIO(b"content")
    client.put_object(Bucket=bucket, Key="k", Body=body, ChecksumAlgorithm=algorithm)
    found = client.get_object(Bucket=bucket, Key="k", ChecksumMode="ENABLED")
    assert (found["Body"].read(), f"Checksum{algorithm}" in found) == (b"content", True)


def test_large_files_go_in_parts_both_ways(client: Any, bucket: str, tmp_path: Path) -> None:
    (tmp_path / "sent").write_bytes(CONTENT)
    extra = {"Metadata": {"colour": "blue"}, "ContentType": "a/b"}
    client.upload_file(str(tmp_path / "sent"), bucket, "large", ExtraArgs=extra, Config=PARTS)
    client.download_file(bucket, "large", str(tmp_path / "back"), Config=PARTS)
    assert (tmp_path / "back").read_bytes() == CONTENT
    head = client.head_object(Bucket=bucket, Key="large")
    assert (head["ContentType"], head["ETag"][-3:]) == ("a/b", '-3"')


def test_large_objects_are_copied_in_parts(client: Any, bucket: str) -> None:
    client.upload_fileobj(io.BytesIO(CONTENT), bucket, "a +ü", Config=PARTS)
    client.copy({"Bucket": bucket, "Key": "a +ü"}, bucket, "copy", Config=PARTS)
    received = io.BytesIO()
    client.download_fileobj(bucket, "copy", received, Config=PARTS)
    assert received.getvalue() == CONTENT


def test_a_presigned_url_opens_an_object(
    client: Any, bucket: str, server: Server, authority: tuple[Path, Path]
) -> None:
    client.put_object(Bucket=bucket, Key="a b", Body=b"content")
    url = client.generate_presigned_url("get_object", {"Bucket": bucket, "Key": "a b"})
    if server.scheme == "https":
        with pytest.raises(OSError, match="CERTIFICATE_VERIFY_FAILED"):
            urlopen(url, timeout=20)  # noqa: S310
        return
    with urlopen(url, timeout=20) as answer:  # noqa: S310
        assert answer.read() == b"content"


def test_pages_waiters_and_resources_work(server: Server, client: Any, bucket: str) -> None:
    for number in range(25):
        client.put_object(Bucket=bucket, Key=f"k{number:02}", Body=b"x")
    client.get_waiter("object_exists").wait(Bucket=bucket, Key="k24")
    pages = client.get_paginator("list_objects_v2").paginate(
        Bucket=bucket, PaginationConfig={"PageSize": 10}
    )
    assert [len(page["Contents"]) for page in pages] == [10, 10, 5]
    found = [{"Key": f"k{number:02}"} for number in range(25)]
    gone = client.delete_objects(Bucket=bucket, Delete={"Objects": found})
    assert len(gone["Deleted"]) == 25
    client.delete_bucket(Bucket=bucket)
    client.get_waiter("bucket_not_exists").wait(Bucket=bucket)
