"""Retention and legal hold of versions, through boto3."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.gateway.s3.raw import send, signed
from tests.gateway.s3.refusals import refused
from tests.gateway.s3.servers import Server

NOW = datetime.now(UTC).replace(microsecond=0)
SOON, LATER = NOW + timedelta(days=1), NOW + timedelta(days=2)


@pytest.fixture
def client(server: Server) -> Any:
    """Alice's client."""
    return server.client()


@pytest.fixture
def locking(server: Server, bucket: str) -> str:
    """A bucket whose versions can be locked."""
    store = server.store()
    store.set_versioning(store.bucket(bucket), "Enabled")
    store.set_setting(store.bucket(bucket), "lock", {"ObjectLockEnabled": "Enabled"})
    return bucket


def put(client: Any, bucket: str, **said: Any) -> dict[str, str]:
    version = client.put_object(Bucket=bucket, Key="k", Body=b"data", **said)["VersionId"]
    return {"Bucket": bucket, "Key": "k", "VersionId": version}


def retention(mode: str, until: datetime) -> dict[str, Any]:
    return {"Mode": mode, "RetainUntilDate": until}


def test_a_retained_version_stays_and_deletions_without_a_version_only_add_markers(
    client: Any, locking: str
) -> None:
    place = put(client, locking, ObjectLockMode="COMPLIANCE", ObjectLockRetainUntilDate=SOON)
    found = client.head_object(**place)
    assert (found["ObjectLockMode"], found["ObjectLockRetainUntilDate"]) == ("COMPLIANCE", SOON)
    assert client.get_object_retention(**place)["Retention"] == retention("COMPLIANCE", SOON)
    with refused(403, "AccessDenied"):
        client.delete_object(**place)
    with refused(403, "AccessDenied"):
        client.delete_object(**place, BypassGovernanceRetention=True)
    assert client.delete_object(Bucket=locking, Key="k")["DeleteMarker"] is True
    assert client.get_object(**place)["Body"].read() == b"data"


def test_governance_may_be_bypassed_on_purpose_only(client: Any, locking: str) -> None:
    place = put(client, locking, ObjectLockMode="GOVERNANCE", ObjectLockRetainUntilDate=LATER)
    with refused(403, "AccessDenied"):
        client.put_object_retention(**place, Retention=retention("GOVERNANCE", SOON))
    with refused(403, "AccessDenied"):
        client.put_object_retention(**place, Retention=retention("COMPLIANCE", LATER))
    with refused(403, "AccessDenied"):
        client.put_object_retention(**place, Retention={})
    longer = LATER + timedelta(days=1)
    client.put_object_retention(**place, Retention=retention("GOVERNANCE", longer))
    client.put_object_retention(
        **place, Retention=retention("GOVERNANCE", SOON), BypassGovernanceRetention=True
    )
    assert client.get_object_retention(**place)["Retention"] == retention("GOVERNANCE", SOON)
    wanted = {"Objects": [{"Key": "k", "VersionId": place["VersionId"]}]}
    refusal = client.delete_objects(Bucket=locking, Delete=wanted)
    assert [each["Code"] for each in refusal["Errors"]] == ["AccessDenied"]
    client.delete_objects(Bucket=locking, Delete=wanted, BypassGovernanceRetention=True)
    with refused(404, "NoSuchVersion"):
        client.get_object(**place)


def test_governance_can_be_taken_off_by_bypassing_it(client: Any, locking: str) -> None:
    place = put(client, locking, ObjectLockMode="GOVERNANCE", ObjectLockRetainUntilDate=SOON)
    client.put_object_retention(**place, Retention={}, BypassGovernanceRetention=True)
    with refused(404, "NoSuchObjectLockConfiguration"):
        client.get_object_retention(**place)
    client.delete_object(**place)


def test_compliance_can_be_prolonged_and_nothing_else(client: Any, locking: str) -> None:
    place = put(client, locking)
    client.put_object_retention(**place, Retention=retention("COMPLIANCE", SOON))
    for other in (
        retention("GOVERNANCE", LATER),
        retention("COMPLIANCE", NOW + timedelta(hours=1)),
    ):
        with refused(403, "AccessDenied"):
            client.put_object_retention(**place, Retention=other, BypassGovernanceRetention=True)
    client.put_object_retention(**place, Retention=retention("COMPLIANCE", LATER))
    assert client.get_object_retention(**place)["Retention"] == retention("COMPLIANCE", LATER)


def test_a_legal_hold_keeps_a_version_until_it_is_lifted(client: Any, locking: str) -> None:
    place = put(client, locking)
    assert client.get_object_legal_hold(**place)["LegalHold"] == {"Status": "OFF"}
    client.put_object_legal_hold(**place, LegalHold={"Status": "ON"})
    assert client.get_object_legal_hold(**place)["LegalHold"] == {"Status": "ON"}
    assert client.head_object(**place)["ObjectLockLegalHoldStatus"] == "ON"
    client.put_object_retention(**place, Retention=retention("GOVERNANCE", SOON))
    assert client.get_object_legal_hold(**place)["LegalHold"] == {"Status": "ON"}
    with refused(403, "AccessDenied"):
        client.delete_object(**place, BypassGovernanceRetention=True)
    client.put_object_legal_hold(**place, LegalHold={"Status": "OFF"})
    assert client.get_object_retention(**place)["Retention"] == retention("GOVERNANCE", SOON)
    client.delete_object(**place, BypassGovernanceRetention=True)


def test_new_versions_are_retained_as_their_bucket_says(
    server: Server, client: Any, locking: str
) -> None:
    rule = {"DefaultRetention": {"Mode": "GOVERNANCE", "Days": 3}}
    store = server.store()
    document = {"ObjectLockEnabled": "Enabled", "Rule": rule}
    store.set_setting(store.bucket(locking), "lock", document)
    place = put(client, locking)
    found = client.get_object_retention(**place)["Retention"]
    assert found["Mode"] == "GOVERNANCE"
    assert timedelta(days=2) < found["RetainUntilDate"] - NOW < timedelta(days=4)
    own = put(client, locking, ObjectLockMode="COMPLIANCE", ObjectLockRetainUntilDate=LATER)
    assert client.get_object_retention(**own)["Retention"] == retention("COMPLIANCE", LATER)
    source = {"Bucket": locking, "Key": "k", "VersionId": own["VersionId"]}
    copied = client.copy_object(Bucket=locking, Key="copy", CopySource=source)["VersionId"]
    found = client.head_object(Bucket=locking, Key="copy", VersionId=copied)
    assert found["ObjectLockMode"] == "GOVERNANCE"
    upload = {"Bucket": locking, "Key": "parts"}
    upload["UploadId"] = client.create_multipart_upload(**upload)["UploadId"]
    part = client.upload_part(**upload, PartNumber=1, Body=b"x")
    parts = {"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]}
    client.complete_multipart_upload(**upload, MultipartUpload=parts)
    assert client.head_object(Bucket=locking, Key="parts")["ObjectLockMode"] == "GOVERNANCE"


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ({"ObjectLockMode": "GOVERNANCE"}, "InvalidArgument"),
        ({"ObjectLockRetainUntilDate": SOON}, "InvalidArgument"),
        (
            {"ObjectLockMode": "HARSH", "ObjectLockRetainUntilDate": SOON},
            "InvalidArgument",
        ),
        (
            {
                "ObjectLockMode": "GOVERNANCE",
                "ObjectLockRetainUntilDate": NOW - timedelta(hours=1),
            },
            "InvalidArgument",
        ),
        ({"ObjectLockLegalHoldStatus": "MAYBE"}, "InvalidArgument"),
    ],
)
def test_a_lock_that_cannot_be_is_refused(
    client: Any, locking: str, said: dict[str, Any], code: str
) -> None:
    with refused(400, code):
        client.put_object(Bucket=locking, Key="k", Body=b"x", **said)
    assert "Versions" not in client.list_object_versions(Bucket=locking)


def test_documents_that_cannot_be_are_refused(client: Any, locking: str) -> None:
    place = put(client, locking)
    for wrong in (
        {"Mode": "GOVERNANCE"},
        {"RetainUntilDate": SOON},
        {"Mode": "governance", "RetainUntilDate": SOON},
    ):
        with refused(400, "MalformedXML"):
            client.put_object_retention(**place, Retention=wrong)
    with refused(400, "InvalidArgument"):
        client.put_object_retention(
            **place, Retention=retention("GOVERNANCE", NOW - timedelta(days=1))
        )
    for hold in ({"Status": "abc"}, {}):
        with refused(400, "MalformedXML"):
            client.put_object_legal_hold(**place, LegalHold=hold)


def test_without_locking_nothing_can_be_locked_and_bypassing_is_ignored(
    client: Any, bucket: str
) -> None:
    place = {"Bucket": bucket, "Key": "k"}
    client.put_object(**place, Body=b"x")
    calls: list[Callable[[], Any]] = [
        lambda: client.get_object_retention(**place),
        lambda: client.get_object_legal_hold(**place),
        lambda: client.put_object_legal_hold(**place, LegalHold={"Status": "ON"}),
        lambda: client.put_object_retention(**place, Retention=retention("GOVERNANCE", SOON)),
        lambda: client.put_object(**place, Body=b"y", ObjectLockLegalHoldStatus="ON"),
    ]
    for call in calls:
        with refused(400, "InvalidRequest"):
            call()
    client.delete_object(**place, BypassGovernanceRetention=True)
    with refused(404, "404"):
        client.head_object(**place)


def test_locked_content_must_come_with_a_digest(server: Server, locking: str) -> None:
    path = f"/{locking}/k"
    said = {"x-amz-object-lock-legal-hold": "ON"}
    bare = send(server, "PUT", path, signed(server, "PUT", path, said, "UNSIGNED-PAYLOAD"), b"x")
    assert (bare.status, bare.code) == (400, "InvalidRequest")
    said["Content-MD5"] = "nd1v6CNQeO3A3uFn77b5Zg=="
    wrong = send(server, "PUT", path, signed(server, "PUT", path, said, "UNSIGNED-PAYLOAD"), b"x")
    assert wrong.code == "BadDigest"
    said["Content-MD5"] = "nd1v6CNQeO3A3uFn77b5Zg=="
    path = f"/{locking}/k?retention"
    body = b"<Retention><Mode>GOVERNANCE</Mode></Retention>"
    answer = send(server, "PUT", path, signed(server, "PUT", path, {}, "UNSIGNED-PAYLOAD"), body)
    assert (answer.status, answer.code) == (400, "InvalidRequest")
