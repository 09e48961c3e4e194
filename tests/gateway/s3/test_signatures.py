"""Who gets in: every way to sign, and every way to get it wrong."""

import hashlib
import time
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.error import HTTPError

import pytest
from botocore.exceptions import ClientError

from gateway.credentials import Caller
from tests.gateway.s3.raw import send, signed, signed_v2
from tests.gateway.s3.servers import ALICE, BOB, GONE, MOUNT, Server, caller, serving

KEY = "dir/a b+c%2F(!')*~ü..//z"
QUOTED = "dir/a%20b%2Bc%252F(!')*~%C3%BC..//z"


def fetch(url: str, method: str = "GET", body: bytes | None = None, **headers: str) -> bytes:
    request = urllib.request.Request(url, body, headers, method=method)  # noqa: S310
    with urllib.request.urlopen(request, timeout=20) as answer:  # noqa: S310
        return bytes(answer.read())


def code(error: Any) -> tuple[int, str]:
    if isinstance(error, HTTPError):
        body = error.read()
        return error.code, body.partition(b"<Code>")[2].partition(b"</Code>")[0].decode()
    return error.response["ResponseMetadata"]["HTTPStatusCode"], error.response["Error"]["Code"]


@pytest.mark.parametrize("signature", ["s3v4", "s3"])
@pytest.mark.parametrize("mount", ["", MOUNT])
def test_a_signed_call_of_either_version_gets_in_by_either_path(
    server: Server, bucket: str, signature: str, mount: str
) -> None:
    client = server.client(signature=signature, mount=mount)
    client.put_object(Bucket=bucket, Key=KEY, Body=b"data", Metadata={"a_b": "1", "c-d": "2"})
    assert client.get_object(Bucket=bucket, Key=KEY)["Body"].read() == b"data"
    assert client.head_object(Bucket=bucket, Key=KEY)["Metadata"] == {"a_b": "1", "c-d": "2"}
    assert client.list_objects_v2(Bucket=bucket, Prefix="dir/a b+")["KeyCount"] == 1
    assert client.head_bucket(Bucket=bucket)["BucketRegion"] == "us-east-1"


@pytest.mark.parametrize("signature", ["s3v4", "s3"])
@pytest.mark.parametrize("mount", ["", MOUNT])
def test_a_presigned_url_works_without_any_header(
    server: Server, bucket: str, signature: str, mount: str
) -> None:
    client = server.client(signature=signature, mount=mount)
    where = {"Bucket": bucket, "Key": KEY}
    fetch(
        client.generate_presigned_url("put_object", where), "PUT", b"data", **{"Content-Type": ""}
    )
    override = {**where, "ResponseContentType": "text/x; a=b", "ResponseExpires": datetime.now(UTC)}
    url = client.generate_presigned_url("get_object", override)
    with urllib.request.urlopen(url, timeout=20) as answer:  # noqa: S310
        assert answer.read() == b"data"
        assert answer.headers["Content-Type"] == "text/x; a=b"


def test_a_presigned_url_of_version_2_brings_along_the_headers_signed_into_it(
    server: Server, bucket: str
) -> None:
    client, where = server.client(signature="s3"), {"Bucket": bucket, "Key": KEY}
    said = {"Metadata": {"a-b": "1 2", "c_d": "3"}, "Tagging": "t=1", "ContentType": "text/x"}
    url = client.generate_presigned_url("put_object", {**where, **said})
    assert "x-amz-meta-c_d=3" in url
    fetch(url, "PUT", b"data", **{"Content-Type": ""})
    found = client.head_object(**where)
    assert (found["Metadata"], found["TagCount"]) == (said["Metadata"], 1)
    assert found["ContentType"] == "text/x"
    for other in (url.replace("c_d=3", "c_d=4"), url.replace("x-amz-tagging", "x-amz-acl")):
        with pytest.raises(HTTPError) as refused:
            fetch(other, "PUT", b"more", **{"Content-Type": ""})
        assert code(refused.value) == (403, "SignatureDoesNotMatch")
    assert client.get_object(**where)["Body"].read() == b"data"


def test_what_a_presigned_url_of_version_2_had_added_to_it_is_refused(
    server: Server, bucket: str
) -> None:
    client, where = server.client(signature="s3"), {"Bucket": bucket, "Key": KEY}
    url = client.generate_presigned_url("put_object", where)
    for added, refusal in (
        ("x-amz-acl=public-read", (501, "NotImplemented")),
        ("x-amz-security-token=t", (400, "InvalidToken")),
    ):
        with pytest.raises(HTTPError) as refused:
            fetch(f"{url}&{added}", "PUT", b"data", **{"Content-Type": ""})
        assert code(refused.value) == refusal


def test_a_presigned_url_ends_with_its_time(server: Server, bucket: str) -> None:
    where = {"Bucket": bucket, "Key": "k"}
    newer = server.client().generate_presigned_url("get_object", where, ExpiresIn=1)
    older = server.client(signature="s3").generate_presigned_url("get_object", where, ExpiresIn=1)
    time.sleep(2.1)
    for url in (newer, older):
        with pytest.raises(HTTPError) as refused:
            fetch(url)
        assert code(refused.value) == (403, "AccessDenied")


def test_a_presigned_url_is_good_for_its_own_method_key_and_query_only(
    server: Server, bucket: str
) -> None:
    for signature in ("s3v4", "s3"):
        client = server.client(signature=signature)
        where = {"Bucket": bucket, "Key": "k", "ResponseContentType": "a/b"}
        client.put_object(Bucket=bucket, Key="k", Body=b"data")
        url = client.generate_presigned_url("get_object", where)
        for other, method in (
            (url.replace("/k?", "/l?"), "GET"),
            (url.replace("a%2Fb", "a%2Fc"), "GET"),
            (url, "DELETE"),
        ):
            with pytest.raises(HTTPError) as refused:
                fetch(other, method)
            assert code(refused.value) == (403, "SignatureDoesNotMatch")
        assert fetch(url) == b"data"


@pytest.mark.parametrize("signature", ["s3v4", "s3"])
def test_a_wrong_secret_is_told_what_was_signed(
    server: Server, bucket: str, signature: str
) -> None:
    client = server.client(replace(ALICE, secret="wrong"), signature=signature)
    with pytest.raises(ClientError) as refused:
        client.list_objects(Bucket=bucket)
    assert code(refused.value) == (403, "SignatureDoesNotMatch")
    error: dict[str, Any] = {**refused.value.response["Error"]}
    assert error["AWSAccessKeyId"] == ALICE.access_key
    assert f"/{bucket}" in error.get("CanonicalRequest", error["StringToSign"])
    assert ALICE.secret not in str(refused.value.response)


@pytest.mark.parametrize("signature", ["s3v4", "s3"])
@pytest.mark.parametrize("who", [caller("nobody", "x"), GONE])
def test_an_unknown_or_disabled_key_is_refused(server: Server, who: Caller, signature: str) -> None:
    with pytest.raises(ClientError) as refused:
        server.client(who, signature=signature).list_buckets()
    assert code(refused.value) == (403, "InvalidAccessKeyId")


def test_a_stranger_gets_into_nothing(server: Server, bucket: str) -> None:
    server.client().put_object(Bucket=bucket, Key="k", Body=b"data")
    bob = server.client(BOB)
    calls: list[Callable[[], object]] = [
        lambda: bob.get_object(Bucket=bucket, Key="k"),
        lambda: bob.get_object(Bucket=bucket, Key="absent"),
        lambda: bob.put_object(Bucket=bucket, Key="k", Body=b"mine"),
        lambda: bob.delete_object(Bucket=bucket, Key="k"),
        lambda: bob.list_objects_v2(Bucket=bucket),
        lambda: bob.delete_bucket(Bucket=bucket),
        lambda: bob.get_bucket_location(Bucket=bucket),
    ]
    for call in calls:
        with pytest.raises(ClientError) as refused:
            call()
        assert code(refused.value) == (403, "AccessDenied")
    assert bucket not in [each["Name"] for each in bob.list_buckets()["Buckets"]]
    assert server.client().get_object(Bucket=bucket, Key="k")["Body"].read() == b"data"


def test_a_stranger_cannot_copy_out_of_a_bucket(server: Server, bucket: str) -> None:
    server.client().put_object(Bucket=bucket, Key="k", Body=b"data")
    bob = server.client(BOB)
    bob.create_bucket(Bucket=f"{bucket}-bob")
    with pytest.raises(ClientError) as refused:
        bob.copy_object(Bucket=f"{bucket}-bob", Key="k", CopySource=f"{bucket}/k")
    assert code(refused.value) == (403, "AccessDenied")


@pytest.mark.parametrize("path", ["/", "/{bucket}", "/{bucket}/k"])
def test_nobody_gets_nothing(server: Server, bucket: str, path: str) -> None:
    for method in ("GET", "HEAD", "PUT", "DELETE") if path != "/" else ("GET",):
        answer = send(server, method, path.format(bucket=bucket), {"Host": server.host})
        assert answer.status == 403
        assert answer.code == ("" if method == "HEAD" else "AccessDenied")


def now(minutes: float = 0) -> datetime:
    return datetime.now(UTC) + timedelta(minutes=minutes)


@pytest.mark.parametrize("minutes", [-16, 16, -60 * 24 * 365])
def test_a_clock_that_is_off_is_told_so(server: Server, minutes: int) -> None:
    headers = signed_v2(server, "GET", "/", now=now(minutes))
    assert send(server, "GET", "/", headers).code == "RequestTimeTooSkewed"
    newer = signed(server, "GET", "/")
    newer["X-Amz-Date"] = f"{now(minutes):%Y%m%dT%H%M%SZ}"
    assert send(server, "GET", "/", newer).code == "RequestTimeTooSkewed"


@pytest.mark.parametrize("minutes", [-14, 14])
def test_a_clock_that_is_a_little_off_is_fine(server: Server, minutes: int) -> None:
    assert send(server, "GET", "/", signed_v2(server, "GET", "/", now=now(minutes))).status == 200


@pytest.mark.parametrize("date", ["", "yesterday", "Mon, 32 Foo 9999 99:99:99 GMT", "9" * 40])
def test_a_date_nobody_can_read_is_refused(server: Server, date: str) -> None:
    older = signed_v2(server, "GET", "/", {"Date": date})
    assert send(server, "GET", "/", older).code == "AccessDenied"
    newer = {**signed(server, "GET", "/"), "X-Amz-Date": date}
    assert send(server, "GET", "/", newer).code == "AccessDenied"


@pytest.mark.parametrize(
    ("change", "status", "expected"),
    [
        ({"Authorization": "Basic YTpi"}, 400, "InvalidArgument"),
        ({"Authorization": "AWS nothing"}, 403, "AccessDenied"),
        ({"Authorization": "AWS4-HMAC-SHA256 nothing"}, 400, "AuthorizationHeaderMalformed"),
        ({"Authorization": "AWS4-HMAC-SHA512 x"}, 400, "AuthorizationHeaderMalformed"),
        ({"x-amz-security-token": "token"}, 400, "InvalidToken"),
        ({"x-amz-acl": "private"}, 403, "AccessDenied"),
        ({"X-Amz-Content-SHA256": "nonsense"}, 403, "SignatureDoesNotMatch"),
    ],
)
def test_a_header_that_is_not_as_signed_is_refused(
    server: Server, change: Mapping[str, str], status: int, expected: str
) -> None:
    answer = send(server, "GET", "/", {**signed(server, "GET", "/"), **change})
    assert (answer.status, answer.code) == (status, expected)


def test_a_payload_hash_of_no_known_form_is_refused(server: Server) -> None:
    answer = send(server, "GET", "/", signed(server, "GET", "/", digest="nonsense"))
    assert (answer.status, answer.code) == (400, "InvalidArgument")


def test_a_version_4_request_must_say_its_payload_hash(server: Server) -> None:
    headers = signed(server, "GET", "/")
    del headers["X-Amz-Content-SHA256"]
    assert send(server, "GET", "/", headers).code == "MissingSecurityHeader"


def test_two_ways_to_sign_at_once_are_refused(server: Server, bucket: str) -> None:
    url = server.client().generate_presigned_url("list_objects", {"Bucket": bucket})
    path = url.removeprefix(server.url)
    answer = send(server, "GET", path, signed(server, "GET", f"/{bucket}"))
    assert (answer.status, answer.code) == (400, "InvalidArgument")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("X-Amz-Expires=3600", "X-Amz-Expires=0"),
        ("X-Amz-Expires=3600", "X-Amz-Expires=604801"),
        ("X-Amz-Expires=3600", "X-Amz-Expires=soon"),
        ("X-Amz-Expires=3600&", ""),
        ("AWS4-HMAC-SHA256", "AWS4-HMAC-MD5"),
        ("%2Fs3%2F", "%2Fec2%2F"),
        ("aws4_request", "aws5_request"),
    ],
)
def test_a_malformed_presigned_query_is_refused(
    server: Server, bucket: str, old: str, new: str
) -> None:
    url = server.client().generate_presigned_url("list_objects", {"Bucket": bucket})
    assert old in url
    with pytest.raises(HTTPError) as refused:
        fetch(url.replace(old, new))
    assert code(refused.value) == (400, "AuthorizationQueryParametersError")


@pytest.mark.parametrize("expires", ["soon", "-1", "1", "", "9" * 30])
def test_a_version_2_expiry_must_be_a_time_to_come(
    server: Server, bucket: str, expires: str
) -> None:
    path = f"/{bucket}?AWSAccessKeyId={ALICE.access_key}&Signature=x&Expires={expires}"
    answer = send(server, "GET", path, {"Host": server.host})
    assert (answer.status, answer.code) == (403, "AccessDenied")


def test_version_2_counts_x_amz_date_instead_of_the_date(server: Server) -> None:
    headers = {"x-amz-date": f"{now():%a, %d %b %Y %H:%M:%S GMT}", "Date": "rubbish"}
    assert send(server, "GET", "/", signed_v2(server, "GET", "/", headers)).status == 200


@pytest.mark.parametrize("wire", ["/{b}", MOUNT + "/{b}"])
@pytest.mark.parametrize("resource", ["/{b}", "/{b}/", MOUNT + "/{b}", MOUNT + "/{b}/"])
def test_a_version_2_bucket_is_accepted_as_any_client_signs_it(
    server: Server, bucket: str, wire: str, resource: str
) -> None:
    path, signs = wire.format(b=bucket), resource.format(b=bucket)
    answer = send(server, "GET", path, signed_v2(server, "GET", path, resource=signs))
    assert answer.status == 200


def test_version_4_may_be_signed_for_a_path_a_proxy_then_changed(
    server: Server, bucket: str
) -> None:
    headers = signed(server, "GET", f"/{bucket}")
    assert send(server, "GET", f"{MOUNT}/{bucket}", headers).status == 200
    headers = signed(server, "GET", f"{MOUNT}/{bucket}")
    assert send(server, "GET", f"/{bucket}", headers).status == 200


def test_a_plus_in_a_query_stands_for_itself(server: Server, bucket: str) -> None:
    server.client().put_object(Bucket=bucket, Key="a+b", Body=b"")
    server.client().put_object(Bucket=bucket, Key="a b", Body=b"")
    headers = signed(server, "GET", f"/{bucket}?prefix=a%2Bb")
    answer = send(server, "GET", f"/{bucket}?prefix=a+b", headers)
    assert b"<Key>a+b</Key>" in answer.body
    assert b"<Key>a b</Key>" not in answer.body


def test_any_region_in_the_scope_will_do(server: Server) -> None:
    assert server.client(region="eu-central-1").list_buckets()["Owner"]["ID"] == ALICE.account_id


def test_a_rotated_key_works_at_once(tmp_path: Path) -> None:
    with serving(tmp_path) as running:
        running.client().list_buckets()
        rotated = replace(ALICE, secret="quite another")
        running.tell([rotated])
        for _ in range(8):  # whichever worker answers, and whatever it remembers
            assert running.client(rotated).list_buckets()["Buckets"] == []


def test_a_signature_over_another_body_hash_does_not_open_a_delete(
    server: Server, bucket: str
) -> None:
    server.client().put_object(Bucket=bucket, Key="k", Body=b"data")
    body = b"<Delete><Object><Key>k</Key></Object></Delete>"
    headers = {"Content-MD5": "x"}
    given = signed(server, "POST", f"/{bucket}?delete", headers, hashlib.sha256(b"").hexdigest())
    assert send(server, "POST", f"/{bucket}?delete", given, body).status == 400
    assert server.client().get_object(Bucket=bucket, Key="k")["Body"].read() == b"data"
