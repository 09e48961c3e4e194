"""Listings through boto3 and as documents."""

from typing import Any

import pytest

from tests.gateway.s3.raw import send, signed
from tests.gateway.s3.servers import Server

KEYS = ["a", "a b", "a+b", "a-b", "a/b", "a/c/d", "a0", "b/", "b//", "é", "\x01", "<&>\"'", "%20"]


@pytest.fixture
def client(server: Server, bucket: str) -> Any:
    """Alice's client; her bucket holds the keys."""
    store = server.store()
    for key in KEYS:
        store.put(store.bucket(bucket), key, [key.encode()])
    store.close()
    return server.client()


@pytest.mark.parametrize("version", ["list_objects", "list_objects_v2"])
@pytest.mark.parametrize("size", [1, 2, 100])
def test_every_key_is_listed_once_in_byte_order(
    client: Any, bucket: str, version: str, size: int
) -> None:
    pages = client.get_paginator(version).paginate(
        Bucket=bucket, PaginationConfig={"PageSize": size}
    )
    found = [each["Key"] for page in pages for each in page.get("Contents", [])]
    assert found == sorted(KEYS, key=str.encode)


@pytest.mark.parametrize("version", ["list_objects", "list_objects_v2"])
@pytest.mark.parametrize("size", [1, 3, 100])
def test_folders_are_listed_once_each(client: Any, bucket: str, version: str, size: int) -> None:
    pages = list(
        client.get_paginator(version).paginate(
            Bucket=bucket, Delimiter="/", PaginationConfig={"PageSize": size}
        )
    )
    folders = [each["Prefix"] for page in pages for each in page.get("CommonPrefixes", [])]
    assert folders == ["a/", "b/"]
    found = [each["Key"] for page in pages for each in page.get("Contents", [])]
    assert found == sorted((key for key in KEYS if "/" not in key), key=str.encode)
    if version == "list_objects_v2":
        assert all(page["KeyCount"] <= size for page in pages)


def test_a_listing_says_what_it_was_asked(client: Any, bucket: str) -> None:
    found = client.list_objects_v2(
        Bucket=bucket, Prefix="a", Delimiter="+", StartAfter="a b", MaxKeys=2, FetchOwner=True
    )
    assert [each["Key"] for each in found["Contents"]] == ["a-b"]
    assert found["CommonPrefixes"] == [{"Prefix": "a+"}]
    assert (found["Prefix"], found["Delimiter"], found["StartAfter"]) == ("a", "+", "a b")
    assert (found["MaxKeys"], found["KeyCount"], found["IsTruncated"]) == (2, 2, True)
    assert found["Contents"][0]["Owner"] == {"ID": "account-alice", "DisplayName": "alice"}
    assert found["Contents"][0]["Size"] == 3
    following = client.list_objects_v2(
        Bucket=bucket, Prefix="a", ContinuationToken=found["NextContinuationToken"], StartAfter="z"
    )
    assert [each["Key"] for each in following["Contents"]] == ["a/b", "a/c/d", "a0"]
    assert "Owner" not in following["Contents"][0]


def test_the_older_form_names_the_next_marker_with_a_delimiter_only(
    client: Any, bucket: str
) -> None:
    plain = client.list_objects(Bucket=bucket, MaxKeys=3)
    assert plain["IsTruncated"] is True
    assert "NextMarker" not in plain
    grouped = client.list_objects(Bucket=bucket, Delimiter="/", Marker="a-b", MaxKeys=1)
    assert grouped["NextMarker"] == "a/"
    rest = client.list_objects(Bucket=bucket, Delimiter="/", Marker="a/")
    assert [each["Key"] for each in rest["Contents"]] == ["a0", "é"]


@pytest.mark.parametrize(("asked", "echoed"), [(0, 0), (1, 1), (1000, 1000), (5000, 1000)])
def test_more_than_a_thousand_are_never_given(
    client: Any, bucket: str, asked: int, echoed: int
) -> None:
    found = client.list_objects_v2(Bucket=bucket, MaxKeys=asked)
    assert found["MaxKeys"] == echoed
    assert found["KeyCount"] == min(asked, len(KEYS))
    assert found["IsTruncated"] is (0 < asked < len(KEYS))


def test_the_document_is_as_the_model_has_it(server: Server, client: Any, bucket: str) -> None:
    path = f"/{bucket}?list-type=2&prefix=%3C"
    answer = send(server, "GET", path, signed(server, "GET", path))
    assert answer.headers["content-type"] == "application/xml"
    assert answer.body.startswith(
        b'<?xml version="1.0" encoding="UTF-8"?>\n'
        b'<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'
    )
    assert b"<Key>&lt;&amp;&gt;&quot;&apos;</Key>" in answer.body
    assert b".000Z</LastModified>" in answer.body
