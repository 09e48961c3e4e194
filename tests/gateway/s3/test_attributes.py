"""GetObjectAttributes, and reads of single parts."""

import base64
import hashlib
import os
from typing import Any

import pytest

from tests.gateway.s3.raw import send, signed
from tests.gateway.s3.refusals import refused
from tests.gateway.s3.servers import Server

LEAST = 5 << 20
PARTS = {1: os.urandom(LEAST), 3: os.urandom(LEAST), 4: b"end"}
EVERYTHING = ["ETag", "Checksum", "ObjectParts", "StorageClass", "ObjectSize"]


@pytest.fixture
def client(server: Server) -> Any:
    """Alice's client."""
    return server.client()


@pytest.fixture
def place(client: Any, bucket: str) -> dict[str, str]:
    """An object that came in three parts, numbered 1, 3 and 4."""
    upload = {"Bucket": bucket, "Key": "k"}
    upload["UploadId"] = client.create_multipart_upload(**upload, ChecksumAlgorithm="SHA256")[
        "UploadId"
    ]
    chosen = []
    for number, data in PARTS.items():
        part = client.upload_part(
            **upload, PartNumber=number, Body=data, ChecksumAlgorithm="SHA256"
        )
        chosen.append({n: part[n] for n in ("ETag", "ChecksumSHA256")} | {"PartNumber": number})
    client.complete_multipart_upload(**upload, MultipartUpload={"Parts": chosen})
    del upload["UploadId"]
    return upload


def sha256(data: bytes) -> str:
    return base64.b64encode(hashlib.sha256(data).digest()).decode()


def test_all_attributes_of_a_plain_object(client: Any, bucket: str) -> None:
    put = client.put_object(Bucket=bucket, Key="k", Body=b"data", StorageClass="STANDARD_IA")
    found = client.get_object_attributes(Bucket=bucket, Key="k", ObjectAttributes=EVERYTHING)
    assert found["ETag"] == put["ETag"].strip('"')
    assert found["Checksum"] == {
        "ChecksumCRC32": put["ChecksumCRC32"],
        "ChecksumType": "FULL_OBJECT",
    }
    assert (found["StorageClass"], found["ObjectSize"]) == ("STANDARD_IA", 4)
    assert "ObjectParts" not in found
    assert found["LastModified"] == client.head_object(Bucket=bucket, Key="k")["LastModified"]


def test_only_what_was_asked_for_is_said(client: Any, bucket: str) -> None:
    client.put_object(Bucket=bucket, Key="k", Body=b"data")
    found = client.get_object_attributes(Bucket=bucket, Key="k", ObjectAttributes=["ObjectSize"])
    assert found.keys() - {"ResponseMetadata", "LastModified"} == {"ObjectSize"}
    with refused(400, "InvalidArgument"):
        client.get_object_attributes(Bucket=bucket, Key="k", ObjectAttributes=["Colour"])
    with refused(404, "NoSuchKey"):
        client.get_object_attributes(Bucket=bucket, Key="absent", ObjectAttributes=["ETag"])


def test_parts_are_shown_in_pages(client: Any, place: dict[str, str]) -> None:
    found = client.get_object_attributes(**place, ObjectAttributes=EVERYTHING)
    assert found["ETag"].endswith("-3")
    assert found["Checksum"]["ChecksumType"] == "COMPOSITE"
    assert found["ObjectSize"] == 2 * LEAST + 3
    parts = found["ObjectParts"]
    assert (parts["TotalPartsCount"], parts["IsTruncated"]) == (3, False)
    assert [(e["PartNumber"], e["Size"]) for e in parts["Parts"]] == [
        (number, len(data)) for number, data in PARTS.items()
    ]
    assert parts["Parts"][2]["ChecksumSHA256"] == sha256(b"end")
    page = client.get_object_attributes(
        **place, ObjectAttributes=["ObjectParts"], MaxParts=1, PartNumberMarker=1
    )["ObjectParts"]
    assert [each["PartNumber"] for each in page["Parts"]] == [3]
    assert (page["IsTruncated"], page["NextPartNumberMarker"], page["MaxParts"]) == (True, 3, 1)


def test_a_single_part_is_read_with_its_own_checksum(client: Any, place: dict[str, str]) -> None:
    start = 0
    for number, data in PARTS.items():
        found = client.get_object(**place, PartNumber=number, ChecksumMode="ENABLED")
        assert found["Body"].read() == data
        assert found["ResponseMetadata"]["HTTPStatusCode"] == 206
        last = start + len(data) - 1
        assert found["ContentRange"] == f"bytes {start}-{last}/{2 * LEAST + 3}"
        assert (found["PartsCount"], found["ChecksumSHA256"]) == (3, sha256(data))
        head = client.head_object(**place, PartNumber=number)
        assert (head["PartsCount"], head["ContentLength"]) == (3, len(data))
        assert head["ResponseMetadata"]["HTTPStatusCode"] == 206
        start += len(data)


@pytest.mark.parametrize(
    ("number", "status", "code"),
    [
        (2, 416, "InvalidPartNumber"),
        (5, 416, "InvalidPartNumber"),
        (0, 400, "InvalidArgument"),
        (10001, 400, "InvalidArgument"),
    ],
)
def test_a_part_that_is_not_there_is_refused(
    client: Any, place: dict[str, str], number: int, status: int, code: str
) -> None:
    with refused(status, code):
        client.get_object(**place, PartNumber=number)
    with refused(status, str(status)):
        client.head_object(**place, PartNumber=number)


def test_a_plain_object_is_one_part(client: Any, bucket: str) -> None:
    client.put_object(Bucket=bucket, Key="k", Body=b"data")
    found = client.get_object(Bucket=bucket, Key="k", PartNumber=1)
    assert (found["Body"].read(), found["ContentRange"]) == (b"data", "bytes 0-3/4")
    assert "PartsCount" not in found
    with refused(416, "InvalidPartNumber"):
        client.get_object(Bucket=bucket, Key="k", PartNumber=2)
    with refused(400, "InvalidRequest"):
        client.get_object(Bucket=bucket, Key="k", PartNumber=1, Range="bytes=0-1")
    client.put_object(Bucket=bucket, Key="empty", Body=b"")
    assert client.get_object(Bucket=bucket, Key="empty", PartNumber=1)["Body"].read() == b""


def test_a_range_has_no_checksum_and_the_whole_has(
    server: Server, client: Any, bucket: str
) -> None:
    client.put_object(Bucket=bucket, Key="k", Body=b"data")
    for span, shown in (
        ({}, True),
        ({"Range": "bytes=0-1"}, False),
        ({"Range": "bytes=0-3"}, False),
    ):
        said = {"x-amz-checksum-mode": "ENABLED", **span}
        for method in ("GET", "HEAD"):
            path = f"/{bucket}/k"
            answer = send(server, method, path, signed(server, method, path, said))
            assert ("x-amz-checksum-crc32" in answer.headers) is shown
