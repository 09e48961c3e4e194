"""Tags of objects: through boto3, and the limits of what one may be."""

from typing import Any
from urllib.parse import urlencode

import pytest

from gateway.s3.faults import S3Fault
from gateway.s3.objects import tagging
from tests.gateway.s3.refusals import refused
from tests.gateway.s3.servers import Server


@pytest.fixture
def client(server: Server) -> Any:
    """Alice's client."""
    return server.client()


def tags_of(client: Any, bucket: str, key: str = "k", **said: Any) -> dict[str, str]:
    found = client.get_object_tagging(Bucket=bucket, Key=key, **said)["TagSet"]
    return {each["Key"]: each["Value"] for each in found}


def tag_set(tags: dict[str, str]) -> dict[str, Any]:
    return {"TagSet": [{"Key": key, "Value": value} for key, value in tags.items()]}


def test_tags_are_put_read_and_removed(client: Any, bucket: str) -> None:
    client.put_object(Bucket=bucket, Key="k", Body=b"x")
    etag = client.head_object(Bucket=bucket, Key="k")["ETag"]
    assert tags_of(client, bucket) == {}
    tags = {"colour": "red", "größe": "10 m/s + = . _ : @", "empty": ""}
    client.put_object_tagging(Bucket=bucket, Key="k", Tagging=tag_set(tags))
    assert tags_of(client, bucket) == tags
    found = client.get_object(Bucket=bucket, Key="k")
    assert (found["TagCount"], found["ETag"]) == (3, etag)
    client.put_object_tagging(Bucket=bucket, Key="k", Tagging=tag_set({"a": "1"}))
    assert tags_of(client, bucket) == {"a": "1"}
    client.delete_object_tagging(Bucket=bucket, Key="k")
    assert tags_of(client, bucket) == {}
    assert "TagCount" not in client.head_object(Bucket=bucket, Key="k")


def test_an_object_may_come_with_tags(client: Any, bucket: str) -> None:
    tags = {"a b": "ü+=", "empty": ""}
    client.put_object(Bucket=bucket, Key="k", Body=b"x", Tagging=urlencode(tags) + "&bare")
    assert tags_of(client, bucket) == {**tags, "bare": ""}


def test_a_copy_takes_tags_along_or_gets_its_own(client: Any, bucket: str) -> None:
    client.put_object(Bucket=bucket, Key="k", Body=b"x", Tagging="a=1")
    source = f"{bucket}/k"
    client.copy_object(Bucket=bucket, Key="same", CopySource=source)
    client.copy_object(
        Bucket=bucket, Key="own", CopySource=source, TaggingDirective="REPLACE", Tagging="b=2"
    )
    client.copy_object(Bucket=bucket, Key="none", CopySource=source, TaggingDirective="REPLACE")
    found = [tags_of(client, bucket, key) for key in ("same", "own", "none")]
    assert found == [{"a": "1"}, {"b": "2"}, {}]
    with refused(400, "InvalidArgument"):
        client.copy_object(Bucket=bucket, Key="to", CopySource=source, TaggingDirective="MOVE")


def test_every_version_has_tags_of_its_own(server: Server, client: Any, bucket: str) -> None:
    store = server.store()
    store.set_versioning(store.bucket(bucket), "Enabled")
    first = client.put_object(Bucket=bucket, Key="k", Body=b"1")["VersionId"]
    second = client.put_object(Bucket=bucket, Key="k", Body=b"2", Tagging="b=2")["VersionId"]
    answer = client.put_object_tagging(
        Bucket=bucket, Key="k", VersionId=first, Tagging=tag_set({"a": "1"})
    )
    assert answer["VersionId"] == first
    assert tags_of(client, bucket, VersionId=first) == {"a": "1"}
    assert tags_of(client, bucket, VersionId=second) == tags_of(client, bucket) == {"b": "2"}
    marker = client.delete_object(Bucket=bucket, Key="k")["VersionId"]
    with refused(405, "MethodNotAllowed"):
        client.put_object_tagging(
            Bucket=bucket, Key="k", VersionId=marker, Tagging=tag_set({"a": "1"})
        )
    with refused(404, "NoSuchKey"):
        client.get_object_tagging(Bucket=bucket, Key="k")


@pytest.mark.parametrize(
    ("tags", "code"),
    [
        ({f"k{number}": "" for number in range(11)}, "BadRequest"),
        ({"k" * 129: ""}, "InvalidTag"),
        ({"k": "v" * 257}, "InvalidTag"),
        ({"": "v"}, "InvalidTag"),
        ({"k!": "v"}, "InvalidTag"),
        ({"k": "v?"}, "InvalidTag"),
        ({"aws:k": "v"}, "InvalidTag"),
    ],
)
def test_tags_that_cannot_be_are_refused_and_nothing_is_stored(
    client: Any, bucket: str, tags: dict[str, str], code: str
) -> None:
    with refused(400, code):
        client.put_object(Bucket=bucket, Key="k", Body=b"x", Tagging=urlencode(tags))
    assert "Contents" not in client.list_objects_v2(Bucket=bucket)
    with pytest.raises(S3Fault) as refusal:
        tagging.of_document(tag_set(tags))
    assert refusal.value.code == code


def test_tags_at_their_limits_are_taken() -> None:
    tags = {f"{number:0128}": "ü" * 256 for number in range(10)}
    assert tagging.of_document(tag_set(tags)) == tags
    assert tagging.of_header(urlencode(tags)) == tags


@pytest.mark.parametrize("header", ["a=1&a=2", "a=%FF"])
def test_a_header_that_names_a_tag_twice_or_is_no_text_is_refused(header: str) -> None:
    with pytest.raises(S3Fault, match="InvalidArgument"):
        tagging.of_header(header)


def test_a_document_that_names_a_tag_twice_is_refused() -> None:
    with pytest.raises(S3Fault, match="InvalidTag"):
        tagging.of_document({"TagSet": [{"Key": "a", "Value": "1"}, {"Key": "a", "Value": "2"}]})
