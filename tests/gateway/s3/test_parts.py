"""The parts of uploads through boto3: parts that are copies, and listings."""

import hashlib
from typing import Any

import pytest

from tests.gateway.s3.refusals import refused
from tests.gateway.s3.sent import DATA, LEAST, Sent, spelled
from tests.gateway.s3.servers import Server


@pytest.fixture
def client(server: Server) -> Any:
    """Alice's client, which sends no checksums of its own accord."""
    return server.client(request_checksum_calculation="when_required")


def test_a_part_may_be_a_copy_of_a_range(client: Any, bucket: str) -> None:
    client.put_object(Bucket=bucket, Key="a%25b +ü", Body=DATA)
    source = {"Bucket": bucket, "Key": "a%25b +ü"}
    sent = Sent(client, bucket)
    for number, span in ((1, None), (2, "bytes=1-3")):
        said = {"CopySourceRange": span} if span else {}
        answer = client.upload_part_copy(**sent.place, PartNumber=number, CopySource=source, **said)
        sent.parts.append({"PartNumber": number, "ETag": answer["CopyPartResult"]["ETag"]})
    sent.complete()
    assert client.get_object(Bucket=bucket, Key="k")["Body"].read() == DATA + DATA[1:4]


def test_a_part_may_be_a_copy_of_an_object_that_came_in_parts(client: Any, bucket: str) -> None:
    first = Sent(client, bucket, "from")
    first.part(1, DATA)
    first.part(2, b"0123456789")
    first.complete()
    sent = Sent(client, bucket)
    answer = client.upload_part_copy(
        **sent.place,
        PartNumber=1,
        CopySource=f"{bucket}/from",
        CopySourceRange=f"bytes={LEAST - 2}-{LEAST + 2}",
    )
    sent.complete([{"PartNumber": 1, "ETag": answer["CopyPartResult"]["ETag"]}])
    assert client.get_object(Bucket=bucket, Key="k")["Body"].read() == DATA[-2:] + b"012"


@pytest.mark.parametrize(
    "span",
    [
        "0-2",
        "bytes=0",
        "bytes=-2",
        "bytes=hello",
        "bytes=2-",
        "bytes=3-2",
        "bytes=0-1,2-3",
        "bytes=0-4",
        "bytes=4-9",
    ],
)
def test_a_copied_range_must_be_whole_and_inside(client: Any, bucket: str, span: str) -> None:
    client.put_object(Bucket=bucket, Key="from", Body=b"data")
    sent = Sent(client, bucket)
    with refused(400, "InvalidArgument"):
        client.upload_part_copy(
            **sent.place, PartNumber=1, CopySource=f"{bucket}/from", CopySourceRange=span
        )
    assert "Parts" not in client.list_parts(**sent.place)


def test_conditions_of_a_copied_part(client: Any, bucket: str) -> None:
    etag = client.put_object(Bucket=bucket, Key="from", Body=b"data")["ETag"]
    sent = Sent(client, bucket)
    said = {**sent.place, "PartNumber": 1, "CopySource": f"{bucket}/from"}
    with refused(412, "PreconditionFailed"):
        client.upload_part_copy(**said, CopySourceIfNoneMatch=etag)
    client.upload_part_copy(**said, CopySourceIfMatch=etag)


# -- listings --------------------------------------------------------------------------------------


def test_parts_are_listed_in_pages(client: Any, bucket: str) -> None:
    sent = Sent(client, bucket, ChecksumAlgorithm="SHA1", ChecksumType="COMPOSITE")
    for number in (1, 3, 9, 10000):
        sent.part(number, b"x" * number)
    first = client.list_parts(**sent.place, MaxParts=2)
    assert [each["PartNumber"] for each in first["Parts"]] == [1, 3]
    assert (first["IsTruncated"], first["NextPartNumberMarker"]) == (True, 3)
    assert (first["ChecksumAlgorithm"], first["ChecksumType"]) == ("SHA1", "COMPOSITE")
    assert first["Owner"]["ID"] == first["Initiator"]["ID"] == "account-alice"
    assert first["StorageClass"] == "STANDARD"
    rest = client.list_parts(**sent.place, PartNumberMarker=3)
    assert rest["IsTruncated"] is False
    assert [(e["PartNumber"], e["Size"]) for e in rest["Parts"]] == [(9, 9), (10000, 10000)]
    assert rest["Parts"][0]["ChecksumSHA1"] == spelled(hashlib.sha1(b"x" * 9).digest())


def test_uploads_are_listed_by_key_and_then_by_age(client: Any, bucket: str) -> None:
    keys = ["b", "a/1", "b", "a/2", "é", "a b+c", "b"]
    begun = [(key, Sent(client, bucket, key).place["UploadId"]) for key in keys]
    expected = sorted(begun, key=lambda each: each[0].encode())
    pages = client.get_paginator("list_multipart_uploads").paginate(
        Bucket=bucket, PaginationConfig={"PageSize": 2}
    )
    found = [(e["Key"], e["UploadId"]) for page in pages for e in page["Uploads"]]
    assert found == expected
    grouped = client.list_multipart_uploads(Bucket=bucket, Delimiter="/", Prefix="a")
    assert [each["Key"] for each in grouped["Uploads"]] == ["a b+c"]
    assert grouped["CommonPrefixes"] == [{"Prefix": "a/"}]
    alone = client.list_multipart_uploads(Bucket=bucket, UploadIdMarker=begun[0][1])
    assert len(alone["Uploads"]) == len(keys)
    behind = client.list_multipart_uploads(Bucket=bucket, KeyMarker="b")
    assert [each["Key"] for each in behind["Uploads"]] == ["é"]


def test_a_bucket_with_open_uploads_can_be_removed(client: Any, bucket: str) -> None:
    sent = Sent(client, bucket)
    sent.part(1, b"x")
    client.delete_bucket(Bucket=bucket)
    with refused(404, "NoSuchBucket"):
        client.list_parts(**sent.place)
