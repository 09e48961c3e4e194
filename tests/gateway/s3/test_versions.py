"""Versions and delete markers through boto3."""

from typing import Any
from uuid import uuid4

import pytest

from tests.gateway.s3.raw import send, signed
from tests.gateway.s3.refusals import refused
from tests.gateway.s3.servers import Server


@pytest.fixture
def client(server: Server) -> Any:
    """Alice's client."""
    return server.client()


@pytest.fixture
def versioned(server: Server, bucket: str) -> str:
    """A bucket with versioning."""
    store = server.store()
    store.set_versioning(store.bucket(bucket), "Enabled")
    return bucket


def put(client: Any, bucket: str, body: str, key: str = "k", **said: Any) -> str:
    version: str = client.put_object(Bucket=bucket, Key=key, Body=body, **said)["VersionId"]
    return version


def read(client: Any, bucket: str, version: str | None = None, key: str = "k") -> str:
    said = {"VersionId": version} if version else {}
    found = client.get_object(Bucket=bucket, Key=key, **said)
    assert version in (None, found["VersionId"])
    text: str = found["Body"].read().decode()
    return text


def listed(client: Any, bucket: str, **said: Any) -> list[tuple[str, str, bool, bool]]:
    """Key, version, whether it is the latest and whether it is a marker, of everything there is."""
    found = client.list_object_versions(Bucket=bucket, **said)
    rows = [(e["Key"], e["VersionId"], e["IsLatest"], False) for e in found.get("Versions", [])]
    rows += [
        (e["Key"], e["VersionId"], e["IsLatest"], True) for e in found.get("DeleteMarkers", [])
    ]
    return rows


def test_without_versioning_nothing_is_said_of_versions(client: Any, bucket: str) -> None:
    assert "VersionId" not in client.put_object(Bucket=bucket, Key="k", Body=b"1")
    assert "VersionId" not in client.get_object(Bucket=bucket, Key="k")
    assert client.get_object(Bucket=bucket, Key="k", VersionId="null")["Body"].read() == b"1"
    assert listed(client, bucket) == [("k", "null", True, False)]
    gone = client.delete_object(Bucket=bucket, Key="k")
    assert not {"VersionId", "DeleteMarker"} & gone.keys()
    assert listed(client, bucket) == []


def test_every_write_is_a_version_of_its_own(client: Any, versioned: str) -> None:
    first, second = put(client, versioned, "1"), put(client, versioned, "2")
    assert first != second
    assert read(client, versioned) == "2"
    assert [read(client, versioned, each) for each in (first, second)] == ["1", "2"]
    found = client.head_object(Bucket=versioned, Key="k", VersionId=first)
    assert (found["VersionId"], found["ContentLength"]) == (first, 1)
    assert listed(client, versioned) == [("k", second, True, False), ("k", first, False, False)]


def test_a_deletion_adds_a_marker_and_the_marker_can_be_deleted(
    client: Any, versioned: str
) -> None:
    version = put(client, versioned, "1")
    gone = client.delete_object(Bucket=versioned, Key="k")
    assert gone["DeleteMarker"] is True
    marker = gone["VersionId"]
    assert "Contents" not in client.list_objects_v2(Bucket=versioned)
    assert set(listed(client, versioned)) == {
        ("k", marker, True, True),
        ("k", version, False, False),
    }
    assert read(client, versioned, version) == "1"
    back = client.delete_object(Bucket=versioned, Key="k", VersionId=marker)
    assert (back["DeleteMarker"], back["VersionId"]) == (True, marker)
    assert read(client, versioned) == "1"


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_marker_says_so_when_it_is_asked_for(
    server: Server, client: Any, versioned: str, method: str
) -> None:
    put(client, versioned, "1")
    marker = client.delete_object(Bucket=versioned, Key="k")["VersionId"]
    for path, status, code in (
        (f"/{versioned}/k", 404, "NoSuchKey"),
        (f"/{versioned}/k?versionId={marker}", 405, "MethodNotAllowed"),
    ):
        answer = send(server, method, path, signed(server, method, path))
        assert answer.status == status
        assert answer.code == (code if method == "GET" else "")
        assert answer.headers["x-amz-delete-marker"] == "true"
        assert answer.headers["x-amz-version-id"] == marker
    assert answer.headers["allow"] == "DELETE"


def test_ids_that_are_none_and_ids_of_nothing(client: Any, versioned: str) -> None:
    put(client, versioned, "1")
    for version, status, code in (
        ("x", 400, "InvalidArgument"),
        ("A" * 32, 400, "InvalidArgument"),
        ("0" * 32, 404, "NoSuchVersion"),
        ("null", 404, "NoSuchVersion"),
    ):
        with refused(status, code):
            client.get_object(Bucket=versioned, Key="k", VersionId=version)
        with refused(status, code):
            client.get_object_tagging(Bucket=versioned, Key="k", VersionId=version)
        with refused(status, str(status)):
            client.head_object(Bucket=versioned, Key="k", VersionId=version)
    with refused(400, "InvalidArgument"):
        client.delete_object(Bucket=versioned, Key="k", VersionId="x")
    client.delete_object(Bucket=versioned, Key="k", VersionId="0" * 32)
    assert read(client, versioned) == "1"


def test_removing_the_latest_version_uncovers_the_one_before(client: Any, versioned: str) -> None:
    first, second = put(client, versioned, "1"), put(client, versioned, "2")
    gone = client.delete_object(Bucket=versioned, Key="k", VersionId=second)
    assert gone["VersionId"] == second
    assert "DeleteMarker" not in gone
    assert read(client, versioned) == "1"
    client.delete_object(Bucket=versioned, Key="k", VersionId=first)
    assert listed(client, versioned) == []


def test_while_versioning_is_suspended_the_null_version_is_replaced(
    server: Server, client: Any, versioned: str
) -> None:
    kept = put(client, versioned, "kept")
    store = server.store()
    store.set_versioning(store.bucket(versioned), "Suspended")
    assert put(client, versioned, "1") == "null"
    assert put(client, versioned, "2") == "null"
    assert read(client, versioned, "null") == "2"
    assert listed(client, versioned) == [("k", "null", True, False), ("k", kept, False, False)]
    gone = client.delete_object(Bucket=versioned, Key="k")
    assert (gone["DeleteMarker"], gone["VersionId"]) == (True, "null")
    assert set(listed(client, versioned)) == {("k", "null", True, True), ("k", kept, False, False)}


def test_versions_are_listed_in_pages_newest_first(client: Any, versioned: str) -> None:
    made = [(key, put(client, versioned, "x", key)) for key in ("b", "a/1", "b", "c d+ü", "b")]
    marker = client.delete_object(Bucket=versioned, Key="b")["VersionId"]
    expected = [made[1], ("b", marker), made[4], made[2], made[0], made[3]]
    for size in (1, 2, 4, 1000):
        found: list[tuple[str, str]] = []
        place: dict[str, str] = {}
        while True:
            page = client.list_object_versions(Bucket=versioned, MaxKeys=size, **place)
            both = [*page.get("Versions", []), *page.get("DeleteMarkers", [])]
            found += [(e["Key"], e["VersionId"]) for e in both]
            if not page["IsTruncated"]:
                break
            place = {
                "KeyMarker": page["NextKeyMarker"],
                "VersionIdMarker": page["NextVersionIdMarker"],
            }
        assert sorted(found) == sorted(expected)
        if size == 1:
            assert found == expected
    grouped = client.list_object_versions(Bucket=versioned, Delimiter="/", Prefix="", MaxKeys=1)
    assert grouped["CommonPrefixes"] == [{"Prefix": "a/"}]
    assert (grouped["NextKeyMarker"], grouped["IsTruncated"]) == ("a/", True)
    rest = client.list_object_versions(Bucket=versioned, KeyMarker="b")
    assert [e["Key"] for e in rest["Versions"]] == ["c d+ü"]
    with refused(400, "InvalidArgument"):
        client.list_object_versions(Bucket=versioned, VersionIdMarker=marker)


def test_markers_stand_among_the_versions_in_the_document(
    server: Server, client: Any, versioned: str
) -> None:
    put(client, versioned, "1", "a")
    client.delete_object(Bucket=versioned, Key="a")
    put(client, versioned, "1", "b")
    path = f"/{versioned}?versions"
    body = send(server, "GET", path, signed(server, "GET", path)).body
    order = [body.index(tag) for tag in (b"<DeleteMarker>", b"<Key>a</Key>", b"<Version>")]
    assert order == sorted(order)
    assert body.index(b"<Version>") < body.index(b"<Key>b</Key>")


def test_many_versions_are_removed_at_once(client: Any, versioned: str) -> None:
    versions = [put(client, versioned, str(number)) for number in range(3)]
    wanted: list[dict[str, str]] = [
        {"Key": "k"},
        {"Key": "k", "VersionId": versions[1]},
        {"Key": "k", "VersionId": "0" * 32},
        {"Key": "k", "VersionId": "no id"},
    ]
    answer = client.delete_objects(Bucket=versioned, Delete={"Objects": wanted})
    made, removed, absent = answer["Deleted"]
    assert (made["Key"], made["DeleteMarker"]) == ("k", True)
    assert removed == {"Key": "k", "VersionId": versions[1]}
    assert absent == {"Key": "k", "VersionId": "0" * 32}
    (error,) = answer["Errors"]
    assert (error["VersionId"], error["Code"]) == ("no id", "InvalidArgument")
    marker = made["DeleteMarkerVersionId"]
    again = client.delete_objects(
        Bucket=versioned, Delete={"Objects": [{"Key": "k", "VersionId": marker}]}
    )
    assert again["Deleted"] == [
        {"Key": "k", "VersionId": marker, "DeleteMarker": True, "DeleteMarkerVersionId": marker}
    ]
    assert read(client, versioned) == "2"


def test_a_condition_sees_through_a_marker_as_if_nothing_were_there(
    client: Any, versioned: str
) -> None:
    etag = client.put_object(Bucket=versioned, Key="k", Body=b"1")["ETag"]
    client.delete_object(Bucket=versioned, Key="k")
    with refused(404, "NoSuchKey"):
        client.put_object(Bucket=versioned, Key="k", Body=b"2", IfMatch=etag)
    put(client, versioned, "2", IfNoneMatch="*")
    with refused(412, "PreconditionFailed"):
        client.delete_object(Bucket=versioned, Key="k", IfMatch=etag)
    assert read(client, versioned) == "2"


def test_an_old_version_can_be_copied_back(client: Any, versioned: str) -> None:
    first = put(client, versioned, "1", Metadata={"a": "1"})
    second = put(client, versioned, "2")
    source = {"Bucket": versioned, "Key": "k", "VersionId": first}
    answer = client.copy_object(Bucket=versioned, Key="k", CopySource=source)
    assert answer["CopySourceVersionId"] == first
    assert answer["VersionId"] not in (first, second)
    assert read(client, versioned) == "1"
    latest = {**source, "VersionId": answer["VersionId"]}
    with refused(400, "InvalidRequest"):
        client.copy_object(Bucket=versioned, Key="k", CopySource=latest)


def test_a_marker_is_no_source_of_a_copy(client: Any, versioned: str) -> None:
    put(client, versioned, "1")
    marker = client.delete_object(Bucket=versioned, Key="k")["VersionId"]
    source = {"Bucket": versioned, "Key": "k"}
    with refused(404, "NoSuchKey"):
        client.copy_object(Bucket=versioned, Key="to", CopySource=source)
    with refused(400, "InvalidRequest"):
        client.copy_object(Bucket=versioned, Key="to", CopySource={**source, "VersionId": marker})


def test_a_part_may_be_a_copy_of_an_old_version(client: Any, versioned: str) -> None:
    first = put(client, versioned, "1")
    put(client, versioned, "2")
    place = {"Bucket": versioned, "Key": "to"}
    place["UploadId"] = client.create_multipart_upload(**place)["UploadId"]
    source = {"Bucket": versioned, "Key": "k", "VersionId": first}
    part = client.upload_part_copy(**place, PartNumber=1, CopySource=source)
    assert part["CopySourceVersionId"] == first
    parts = [{"PartNumber": 1, "ETag": part["CopyPartResult"]["ETag"]}]
    answer = client.complete_multipart_upload(**place, MultipartUpload={"Parts": parts})
    assert read(client, versioned, answer["VersionId"], "to") == "1"


@pytest.mark.parametrize("method", ["delete_object", "delete_objects"])
def test_a_second_factor_is_refused_by_name(client: Any, versioned: str, method: str) -> None:
    target = {"Key": "k"} if method == "delete_object" else {"Delete": {"Objects": [{"Key": "k"}]}}
    with refused(501, "NotImplemented"):
        getattr(client, method)(Bucket=versioned, MFA=f"{uuid4().hex} 123456", **target)
