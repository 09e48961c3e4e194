"""Objects through boto3: everything that is said of one comes back."""

import base64
import hashlib
import json
import os
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.gateway.s3.raw import send, signed, signed_v2
from tests.gateway.s3.servers import Server

LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)


@pytest.fixture
def client(server: Server) -> Any:
    """Alice's client."""
    return server.client()


def refusal(error: pytest.ExceptionInfo[ClientError]) -> tuple[int, str]:
    answer = error.value.response
    return answer["ResponseMetadata"]["HTTPStatusCode"], answer["Error"]["Code"]


def test_everything_said_about_an_object_comes_back(client: Any, bucket: str) -> None:
    said = {
        "CacheControl": "no-cache",
        "ContentDisposition": 'attachment; filename="a b.txt"',
        "ContentEncoding": "gzip",
        "ContentLanguage": "de",
        "ContentType": "text/plain; charset=utf-8",
        "WebsiteRedirectLocation": "/elsewhere",
        "StorageClass": "STANDARD_IA",
        "Metadata": {"a": "1", "a_b": "x  y", "c-d": "", "e": "!'()*=,;"},
    }
    client.put_object(Bucket=bucket, Key="k", Body=b"data", Expires=LONG_AGO, **said)
    for found in (
        client.get_object(Bucket=bucket, Key="k"),
        client.head_object(Bucket=bucket, Key="k"),
    ):
        assert {name: found[name] for name in said} == said
        assert found["Expires"] == LONG_AGO
        assert found["ContentLength"] == 4
        assert abs(datetime.now(UTC) - found["LastModified"]) < timedelta(minutes=1)


def wire(text: str) -> str:
    """UTF-8 text as it stands in a header, byte by byte."""
    return text.encode().decode("latin-1")


def test_text_beyond_ascii_comes_back_as_it_was(server: Server, bucket: str) -> None:
    said = {
        "Expires": "next week",
        "x-amz-meta-utf8": "Jürgen €",
        "x-amz-meta-under_score": "ß",
        "Content-Disposition": "inline; filename=ü",
    }
    headers = signed(server, "PUT", f"/{bucket}/k", said, "UNSIGNED-PAYLOAD")
    sent = {name: wire(value) for name, value in headers.items()}
    assert send(server, "PUT", f"/{bucket}/k", sent, b"x").status == 200
    found = send(server, "GET", f"/{bucket}/k", signed(server, "GET", f"/{bucket}/k")).headers
    assert {name: found[name.lower()] for name in said} == {n: wire(v) for n, v in said.items()}


def test_bytes_that_are_no_text_come_back_as_they_were(server: Server, bucket: str) -> None:
    headers = signed_v2(server, "PUT", f"/{bucket}/k", {"x-amz-meta-stray": "\xff\xfe"})
    assert send(server, "PUT", f"/{bucket}/k", headers, b"x").status == 200
    found = send(server, "GET", f"/{bucket}/k", signed(server, "GET", f"/{bucket}/k")).headers
    assert found["x-amz-meta-stray"] == "\xff\xfe"


def test_the_defaults_of_what_was_not_said(client: Any, bucket: str) -> None:
    client.put_object(Bucket=bucket, Key="k", Body=b"")
    found = client.get_object(Bucket=bucket, Key="k")
    assert (found["ContentType"], found["ContentLength"]) == ("binary/octet-stream", 0)
    assert found["Metadata"] == {}
    assert "StorageClass" not in found
    assert found["ETag"] == '"d41d8cd98f00b204e9800998ecf8427e"'


def test_a_large_object_comes_back_whole_and_in_ranges(
    server: Server, client: Any, bucket: str
) -> None:
    data = os.urandom((5 << 20) + 7)
    client.put_object(Bucket=bucket, Key="k", Body=data)
    assert client.get_object(Bucket=bucket, Key="k")["Body"].read() == data
    for asked, start, end in (
        ("bytes=0-0", 0, 1),
        ("bytes=100-3000000", 100, 3000001),
        ("bytes=5000000-", 5000000, len(data)),
        ("bytes=-1000000", len(data) - 1000000, len(data)),
        ("bytes=5-999999999999", 5, len(data)),
        (f"bytes=-{len(data) * 2}", 0, len(data)),
    ):
        found = client.get_object(Bucket=bucket, Key="k", Range=asked)
        assert found["Body"].read() == data[start:end]
        assert found["ContentRange"] == f"bytes {start}-{end - 1}/{len(data)}"
        assert found["ResponseMetadata"]["HTTPStatusCode"] == 206
        assert "ChecksumCRC32" not in found


@pytest.mark.parametrize("asked", ["bytes=4-", "bytes=9-10", "bytes=-0"])
def test_a_range_outside_the_object_is_refused(client: Any, bucket: str, asked: str) -> None:
    client.put_object(Bucket=bucket, Key="k", Body=b"data")
    with pytest.raises(ClientError) as refused:
        client.get_object(Bucket=bucket, Key="k", Range=asked)
    assert refusal(refused) == (416, "InvalidRange")
    assert refused.value.response["ResponseMetadata"]["HTTPHeaders"]["content-range"] == "bytes */4"


@pytest.mark.parametrize("asked", ["bytes=2-1", "bytes=0-1,3-3", "bytes=-", "lines=1-2", "x"])
def test_a_range_nobody_can_read_is_ignored(client: Any, bucket: str, asked: str) -> None:
    client.put_object(Bucket=bucket, Key="k", Body=b"data")
    found = client.get_object(Bucket=bucket, Key="k", Range=asked)
    assert (found["Body"].read(), found["ResponseMetadata"]["HTTPStatusCode"]) == (b"data", 200)


def test_head_knows_ranges_too(client: Any, bucket: str) -> None:
    client.put_object(Bucket=bucket, Key="k", Body=b"data")
    found = client.head_object(Bucket=bucket, Key="k", Range="bytes=1-2")
    assert (found["ContentLength"], found["ContentRange"]) == (2, "bytes 1-2/4")


TOMORROW = datetime.now(UTC) + timedelta(days=1)


@pytest.mark.parametrize(
    ("conditions", "status"),
    [
        ({"IfMatch": "{etag}"}, 200),
        ({"IfMatch": '"other", {etag}'}, 200),
        ({"IfMatch": "*"}, 200),
        ({"IfMatch": '"other"'}, 412),
        ({"IfNoneMatch": '"other"'}, 200),
        ({"IfNoneMatch": "{etag}"}, 304),
        ({"IfNoneMatch": "*"}, 304),
        ({"IfModifiedSince": LONG_AGO}, 200),
        ({"IfModifiedSince": "{modified}"}, 304),
        ({"IfModifiedSince": TOMORROW}, 200),
        ({"IfUnmodifiedSince": LONG_AGO}, 412),
        ({"IfUnmodifiedSince": "{modified}"}, 200),
        ({"IfMatch": "{etag}", "IfUnmodifiedSince": LONG_AGO}, 200),
        ({"IfNoneMatch": "{etag}", "IfModifiedSince": LONG_AGO}, 304),
        ({"IfNoneMatch": '"other"', "IfModifiedSince": "{modified}"}, 200),
    ],
)
def test_conditions_of_a_read(
    client: Any, bucket: str, conditions: dict[str, Any], status: int
) -> None:
    etag = client.put_object(Bucket=bucket, Key="k", Body=b"data")["ETag"]
    modified = client.head_object(Bucket=bucket, Key="k")["LastModified"]
    given = {
        name: modified
        if value == "{modified}"
        else value.replace("{etag}", etag)
        if isinstance(value, str)
        else value
        for name, value in conditions.items()
    }
    for call in (client.get_object, client.head_object):
        if status == 200:
            assert call(Bucket=bucket, Key="k", **given)["ETag"] == etag
            continue
        with pytest.raises(ClientError) as refused:
            call(Bucket=bucket, Key="k", **given)
        assert refusal(refused)[0] == status


def test_writes_under_conditions(client: Any, bucket: str) -> None:
    first = client.put_object(Bucket=bucket, Key="k", Body=b"1", IfNoneMatch="*")["ETag"]
    with pytest.raises(ClientError) as refused:
        client.put_object(Bucket=bucket, Key="k", Body=b"2", IfNoneMatch="*")
    assert refusal(refused) == (412, "PreconditionFailed")
    client.put_object(Bucket=bucket, Key="k", Body=b"2", IfMatch=first)
    with pytest.raises(ClientError) as refused:
        client.put_object(Bucket=bucket, Key="k", Body=b"3", IfMatch=first)
    assert refusal(refused) == (412, "PreconditionFailed")
    with pytest.raises(ClientError) as refused:
        client.delete_object(Bucket=bucket, Key="k", IfMatch=first)
    assert refusal(refused) == (412, "PreconditionFailed")
    assert client.get_object(Bucket=bucket, Key="k")["Body"].read() == b"2"


def test_headers_of_the_answer_may_be_asked_for(client: Any, bucket: str) -> None:
    client.put_object(Bucket=bucket, Key="k", Body=b"data", ContentType="text/plain")
    asked = {
        "CacheControl": "max-age=1",
        "ContentDisposition": "attachment; filename=ü+ä.txt",
        "ContentEncoding": "br",
        "ContentLanguage": "fr",
        "ContentType": "a/b; c=d",
    }
    overrides = {f"Response{name}": value for name, value in asked.items()}
    found = client.get_object(Bucket=bucket, Key="k", **overrides)
    asked["ContentDisposition"] = asked["ContentDisposition"].encode().decode("latin-1")
    assert {name: found[name] for name in asked} == asked


def test_an_asked_header_cannot_end_the_headers(client: Any, bucket: str) -> None:
    client.put_object(Bucket=bucket, Key="k", Body=b"data")
    with pytest.raises(ClientError) as refused:
        client.get_object(Bucket=bucket, Key="k", ResponseContentType="a/b\r\nSet-Cookie: x")
    assert refusal(refused) == (400, "InvalidArgument")


@pytest.mark.parametrize(
    "algorithm",
    [
        "CRC32",
        "CRC32C",
        "CRC64NVME",
        "SHA1",
        "SHA256",
        "SHA512",
        "XXHASH64",
        "XXHASH3",
        "XXHASH128",
    ],
)
def test_boto3_agrees_about_every_checksum(client: Any, bucket: str, algorithm: str) -> None:
    put = client.put_object(Bucket=bucket, Key="k", Body=b"data", ChecksumAlgorithm=algorithm)
    found = client.get_object(Bucket=bucket, Key="k", ChecksumMode="ENABLED")
    assert found["Body"].read() == b"data"
    assert found[f"Checksum{algorithm}"] == put[f"Checksum{algorithm}"]
    assert found["ChecksumType"] == "FULL_OBJECT"


def test_a_missing_object_is_missing_and_its_removal_a_success(client: Any, bucket: str) -> None:
    with pytest.raises(client.exceptions.NoSuchKey):
        client.get_object(Bucket=bucket, Key="absent")
    assert (
        client.delete_object(Bucket=bucket, Key="absent")["ResponseMetadata"]["HTTPStatusCode"]
        == 204
    )


def test_many_objects_are_removed_at_once(client: Any, bucket: str) -> None:
    keys = [f"k{number:04}<&\r" for number in range(20)]
    for key in keys[:10]:
        client.put_object(Bucket=bucket, Key=key, Body=b"")
    wanted = {"Objects": [{"Key": key} for key in keys]}
    answer = client.delete_objects(Bucket=bucket, Delete=wanted)
    assert [each["Key"] for each in answer["Deleted"]] == keys
    assert "Contents" not in client.list_objects_v2(Bucket=bucket)
    quiet = client.delete_objects(Bucket=bucket, Delete={**wanted, "Quiet": True})
    assert "Deleted" not in quiet


def test_of_many_removals_each_has_its_own_condition(client: Any, bucket: str) -> None:
    etag = client.put_object(Bucket=bucket, Key="a", Body=b"1")["ETag"]
    client.put_object(Bucket=bucket, Key="b", Body=b"2")
    wanted = {"Objects": [{"Key": "a", "ETag": etag}, {"Key": "b", "ETag": etag}]}
    answer = client.delete_objects(Bucket=bucket, Delete=wanted)
    assert [each["Key"] for each in answer["Deleted"]] == ["a"]
    assert [(each["Key"], each["Code"]) for each in answer["Errors"]] == [
        ("b", "PreconditionFailed")
    ]


@pytest.mark.parametrize("count", [0, 1001])
def test_a_removal_of_none_or_too_many_is_malformed(
    server: Server, bucket: str, count: int
) -> None:
    body = b"<Delete>" + b"<Object><Key>k</Key></Object>" * count + b"</Delete>"
    headers = {"x-amz-checksum-sha256": base64.b64encode(hashlib.sha256(body).digest()).decode()}
    given = signed(server, "POST", f"/{bucket}?delete", headers, "UNSIGNED-PAYLOAD")
    assert send(server, "POST", f"/{bucket}?delete", given, body).code == "MalformedXML"


def test_a_removal_without_a_digest_is_refused(server: Server, bucket: str) -> None:
    body = b"<Delete><Object><Key>k</Key></Object></Delete>"
    given = signed(server, "POST", f"/{bucket}?delete", {}, "UNSIGNED-PAYLOAD")
    answer = send(server, "POST", f"/{bucket}?delete", given, body)
    assert (answer.status, answer.code) == (400, "InvalidRequest")


@pytest.mark.parametrize(
    ("call", "said"),
    [
        ("put_object", {"WriteOffsetBytes": 0, "Body": b""}),
        ("delete_object", {"IfMatchSize": 1}),
        ("delete_object", {"IfMatchLastModifiedTime": LONG_AGO}),
        ("rename_object", {"RenameSource": "other"}),
    ],
)
def test_what_only_directory_buckets_have_is_refused_by_name(
    client: Any, bucket: str, call: str, said: dict[str, Any]
) -> None:
    client.put_object(Bucket=bucket, Key="k", Body=b"1")
    with pytest.raises(ClientError) as refused:
        getattr(client, call)(Bucket=bucket, Key="k", **said)
    assert refusal(refused) == (501, "NotImplemented")
    assert client.get_object(Bucket=bucket, Key="k")["Body"].read() == b"1"


def test_nobody_may_ask_for_headers_of_the_answer(server: Server, client: Any, bucket: str) -> None:
    client.put_object(Bucket=bucket, Key="k", Body=b"data")
    client.delete_public_access_block(Bucket=bucket)
    everyone = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": "*",
                "Action": "s3:GetObject",
                "Resource": f"arn:aws:s3:::{bucket}/*",
            }
        ],
    }
    client.put_bucket_policy(Bucket=bucket, Policy=json.dumps(everyone))
    plain = send(server, "GET", f"/{bucket}/k", {"Host": server.host})
    assert (plain.status, plain.body) == (200, b"data")
    path = f"/{bucket}/k?response-content-type=text/html"
    for method in ("GET", "HEAD"):
        answer = send(server, method, path, {"Host": server.host})
        assert answer.status == 400
    assert send(server, "GET", path, {"Host": server.host}).code == "InvalidRequest"
