"""Copies through boto3 and as single headers."""

import hashlib
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError

from gateway.s3.faults import S3Fault
from gateway.s3.objects import sources
from gateway.s3.protocol.content import LARGEST_PUT
from tests.gateway.s3.raw import send, signed, signed_v2
from tests.gateway.s3.sent import DATA, Sent, spelled
from tests.gateway.s3.servers import Server

LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)


@pytest.fixture
def client(server: Server, bucket: str) -> Any:
    """Alice's client; her bucket holds one object."""
    made = server.client()
    made.put_object(
        Bucket=bucket, Key="from", Body=b"data", ContentType="text/plain", Metadata={"a": "1"}
    )
    return made


def test_a_copy_has_the_content_and_the_attributes_of_its_source(client: Any, bucket: str) -> None:
    result = client.copy_object(
        Bucket=bucket, Key="to", CopySource=f"{bucket}/from", ContentType="x/y"
    )
    found = client.get_object(Bucket=bucket, Key="to")
    assert found["Body"].read() == b"data"
    assert (found["ContentType"], found["Metadata"]) == ("text/plain", {"a": "1"})
    assert found["ETag"] == result["CopyObjectResult"]["ETag"]


def test_a_copy_may_have_attributes_of_its_own(client: Any, bucket: str) -> None:
    client.copy_object(
        Bucket=bucket,
        Key="from",
        CopySource=f"/{bucket}/from",
        MetadataDirective="REPLACE",
        ContentType="x/y",
        Metadata={"b": "2"},
        ChecksumAlgorithm="SHA256",
    )
    found = client.head_object(Bucket=bucket, Key="from", ChecksumMode="ENABLED")
    assert (found["ContentType"], found["Metadata"]) == ("x/y", {"b": "2"})
    assert "ChecksumSHA256" in found


def test_a_copy_onto_itself_must_change_something(client: Any, bucket: str) -> None:
    with pytest.raises(ClientError, match="InvalidRequest"):
        client.copy_object(Bucket=bucket, Key="from", CopySource=f"{bucket}/from")
    client.copy_object(
        Bucket=bucket, Key="from", CopySource=f"{bucket}/from", StorageClass="STANDARD_IA"
    )
    assert client.head_object(Bucket=bucket, Key="from")["StorageClass"] == "STANDARD_IA"


@pytest.mark.parametrize(
    ("conditions", "goes"),
    [
        ({"CopySourceIfMatch": "{etag}"}, True),
        ({"CopySourceIfMatch": "other"}, False),
        ({"CopySourceIfNoneMatch": "other"}, True),
        ({"CopySourceIfNoneMatch": "{etag}"}, False),
        ({"CopySourceIfModifiedSince": LONG_AGO}, True),
        ({"CopySourceIfUnmodifiedSince": LONG_AGO}, False),
        ({"CopySourceIfMatch": "{etag}", "CopySourceIfUnmodifiedSince": LONG_AGO}, True),
        ({"IfNoneMatch": "*"}, False),
    ],
)
def test_conditions_of_a_copy(
    client: Any, bucket: str, conditions: dict[str, Any], goes: bool
) -> None:
    etag = client.put_object(Bucket=bucket, Key="to", Body=b"former")["ETag"]
    etag = client.head_object(Bucket=bucket, Key="from")["ETag"]
    given = {n: etag if value == "{etag}" else value for n, value in conditions.items()}
    if goes:
        client.copy_object(Bucket=bucket, Key="to", CopySource=f"{bucket}/from", **given)
    else:
        with pytest.raises(ClientError, match="PreconditionFailed"):
            client.copy_object(Bucket=bucket, Key="to", CopySource=f"{bucket}/from", **given)
    expected = b"data" if goes else b"former"
    assert client.get_object(Bucket=bucket, Key="to")["Body"].read() == expected


@pytest.mark.parametrize(
    ("source", "status", "code"),
    [
        ("{b}/absent", 404, "NoSuchKey"),
        ("no-such-bucket/k", 404, "NoSuchBucket"),
        ("{b}", 400, "InvalidArgument"),
        ("", 400, "InvalidArgument"),
        ("{b}/from?versionId=1", 400, "InvalidArgument"),
        (f"{{b}}/from?versionId={0:032}", 404, "NoSuchVersion"),
        ("{b}/%FF", 400, "InvalidURI"),
    ],
)
def test_a_source_that_is_not_there_is_refused(
    server: Server, client: Any, bucket: str, source: str, status: int, code: str
) -> None:
    given = {"x-amz-copy-source": source.format(b=bucket)}
    headers = signed(server, "PUT", f"/{bucket}/to", given)
    answer = send(server, "PUT", f"/{bucket}/to", headers)
    assert (answer.status, answer.code) == (status, code)


@pytest.mark.parametrize(
    ("key", "spelled"),
    [
        ("a b", "a%20b"),
        ("a+b", "a+b"),
        ("a%25b", "a%2525b"),
        ("a%b", "a%25b"),
        ("a?versionId=1", "a%3FversionId=1"),
        ("é/ü", "%C3%A9/%C3%BC"),
        ("//", "//"),
    ],
)
def test_a_source_is_decoded_exactly_once(
    server: Server, client: Any, bucket: str, key: str, spelled: str
) -> None:
    client.put_object(Bucket=bucket, Key=key, Body=key.encode())
    given = {"x-amz-copy-source": f"/{bucket}/{spelled}?versionId=null"}
    headers = signed(server, "PUT", f"/{bucket}/to", given)
    assert send(server, "PUT", f"/{bucket}/to", headers).status == 200
    assert client.get_object(Bucket=bucket, Key="to")["Body"].read() == key.encode()


@pytest.mark.parametrize("key", ["漢", "%E6%BC%A2"])
def test_a_source_may_be_spelled_in_plain_utf_8(server: Server, bucket: str, key: str) -> None:
    server.client().put_object(Bucket=bucket, Key="漢", Body=b"data")
    header = f"{bucket}/{key}".encode().decode("latin-1")
    sent = {"x-amz-copy-source": header}
    answer = send(server, "PUT", f"/{bucket}/to", signed_v2(server, "PUT", f"/{bucket}/to", sent))
    assert answer.status == 200


def test_a_source_that_is_no_text_is_refused(server: Server, bucket: str) -> None:
    sent = {"x-amz-copy-source": f"{bucket}/\xff"}
    answer = send(server, "PUT", f"/{bucket}/to", signed_v2(server, "PUT", f"/{bucket}/to", sent))
    assert (answer.status, answer.code) == (400, "InvalidURI")


def test_a_copy_of_an_object_that_came_in_parts_is_one_that_came_whole(
    client: Any, bucket: str
) -> None:
    sent = Sent(client, bucket, "parts", ChecksumAlgorithm="SHA256")
    sent.part(1, DATA, ChecksumAlgorithm="SHA256")
    sent.part(2, b"end", ChecksumAlgorithm="SHA256")
    sent.complete()
    client.copy_object(Bucket=bucket, Key="to", CopySource=f"{bucket}/parts")
    found = client.get_object(Bucket=bucket, Key="to", ChecksumMode="ENABLED")
    assert found["Body"].read() == DATA + b"end"
    assert found["ETag"] == f'"{hashlib.md5(DATA + b"end").hexdigest()}"'
    assert found["ChecksumSHA256"] == spelled(hashlib.sha256(DATA + b"end").digest())
    assert found["ChecksumType"] == "FULL_OBJECT"


def test_a_redirect_is_not_inherited_and_may_be_all_that_a_copy_changes(
    client: Any, bucket: str
) -> None:
    said = {"CopySource": f"{bucket}/from", "WebsiteRedirectLocation": "/elsewhere"}
    client.copy_object(Bucket=bucket, Key="from", **said)
    client.copy_object(Bucket=bucket, Key="to", CopySource=f"{bucket}/from")
    first, second = (client.head_object(Bucket=bucket, Key=key) for key in ("from", "to"))
    assert first["WebsiteRedirectLocation"] == "/elsewhere"
    assert "WebsiteRedirectLocation" not in second
    assert (first["ContentType"], first["Metadata"]) == ("text/plain", {"a": "1"})


def test_what_is_larger_than_an_upload_may_be_is_not_copied_at_once() -> None:
    sources.check_size(LARGEST_PUT)
    with pytest.raises(S3Fault, match="InvalidRequest"):
        sources.check_size(LARGEST_PUT + 1)
