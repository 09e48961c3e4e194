"""Browser uploads: forms with policies, posted to a real server."""

import base64
import hashlib
import json
import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import pytest

from tests.gateway.s3.posting import BOUNDARY, body, policy, post, signed
from tests.gateway.s3.raw import Answer, send
from tests.gateway.s3.servers import BOB, GONE, MOUNT, Server
from tests.s3store.audit import assert_sound


def stored(server: Server, bucket: str) -> dict[str, bytes]:
    """Every object of a bucket."""
    client = server.client()
    keys = [each["Key"] for each in client.list_objects_v2(Bucket=bucket).get("Contents", [])]
    return {key: client.get_object(Bucket=bucket, Key=key)["Body"].read() for key in keys}


def refused(server: Server, bucket: str, answer: Answer, status: int, code: str) -> None:
    """It was refused so, and nothing is stored."""
    assert (answer.status, answer.code) == (status, code), answer.body
    assert stored(server, bucket) == {}
    assert_sound(server.root / "objects")


def allowed(bucket: str, *more: Any) -> dict[str, str]:
    """Proof of a policy that allows any key in a bucket, and more."""
    return signed(policy({"bucket": bucket}, ["starts-with", "$key", ""], *more))


@pytest.mark.parametrize("signature", ["s3", "s3v4"])
def test_a_form_of_boto3_is_taken(server: Server, bucket: str, signature: str) -> None:
    client = server.client(signature=signature)
    made = client.generate_presigned_post(
        bucket,
        "user/${filename}",
        Fields={"Content-Type": "text/plain", "x-amz-meta-colour": "red"},
        Conditions=[
            {"Content-Type": "text/plain"},
            ["starts-with", "$x-amz-meta-colour", ""],
            ["content-length-range", 1, 10],
        ],
    )
    answer = post(server, bucket, made["fields"], b"\r\n--data", "cat.txt")
    assert (answer.status, answer.body) == (204, b"")
    assert answer.headers["location"] == f"{server.url}/{bucket}/user/cat.txt"
    found = client.get_object(Bucket=bucket, Key="user/cat.txt")
    assert found["Body"].read() == b"\r\n--data"
    assert found["ETag"] == answer.headers["etag"]
    assert (found["ContentType"], found["Metadata"]) == ("text/plain", {"colour": "red"})


def test_a_form_works_wherever_a_bucket_is_served(server: Server, bucket: str) -> None:
    head = {"Host": server.host, "Content-Type": f'multipart/form-data; boundary="{"b" * 70}"'}
    data = body(allowed(bucket) | {"key": "k"}, b"data").replace(BOUNDARY, b"b" * 70)
    for path in (f"{MOUNT}/{bucket}", f"/{bucket}/"):
        assert send(server, "POST", path, head, data).status == 204
    host = f"{bucket}.s3.test:{server.port}"
    answer = send(server, "POST", "/", head | {"Host": host}, data)
    assert (answer.status, answer.headers["location"]) == (204, f"http://{host}/k")


def test_a_large_file_comes_through_in_chunks_of_any_size(server: Server, bucket: str) -> None:
    file = (b"\r\n--" + BOUNDARY + b"x" * 4096) * 2000
    data = body(allowed(bucket) | {"key": "large"}, file)
    head = {
        "Host": server.host,
        "Content-Type": f"multipart/form-data; boundary={BOUNDARY.decode()}",
        "Transfer-Encoding": "chunked",
    }
    pieces = [data[at : at + 70_001] for at in range(0, len(data), 70_001)]
    chunks = [b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces]
    assert send(server, "POST", f"/{bucket}", head, [*chunks, b"0\r\n\r\n"]).status == 204
    assert stored(server, bucket)["large"] == file


def test_success_is_told_as_the_form_asks(server: Server, bucket: str) -> None:
    conditions: list[Any] = [["starts-with", f"$success_action_{n}", ""] for n in ("status",)]
    proof = allowed(bucket, *conditions)

    def ask(status: str) -> Answer:
        return post(server, bucket, proof | {"key": "a<b", "success_action_status": status})

    assert [ask(status).status for status in ("200", "204", "404", "")] == [200, 204, 204, 204]
    answer = ask("201")
    assert (answer.status, answer.headers["content-type"]) == (201, "application/xml")
    found = dict(re.findall(r"<(Location|Bucket|Key|ETag)>(.*?)</", answer.body.decode()))
    assert found == {
        "Location": f"{server.url}/{bucket}/a%3Cb",
        "Bucket": bucket,
        "Key": "a&lt;b",
        "ETag": answer.headers["etag"].replace('"', "&quot;"),
    }


def test_success_may_lead_the_browser_on(server: Server, bucket: str) -> None:
    proof = allowed(bucket, ["starts-with", "$success_action_redirect", ""])

    def ask(address: str) -> Answer:
        return post(server, bucket, proof | {"key": "ü", "success_action_redirect": address})

    answer = ask("https://example.com/done?a=1")
    etag = quote(answer.headers["etag"])
    place = f"bucket={bucket}&key=%C3%BC&etag={etag}"
    assert answer.status == 303
    assert answer.headers["location"] == f"https://example.com/done?a=1&{place}"
    for address in ("javascript:alert(1)", "/here", "http://[", "http://a/\r\nX: y", "http://ü/"):
        assert ask(address).status == 204


def test_fields_of_any_case_count(server: Server, bucket: str) -> None:
    proof = {name.swapcase(): value for name, value in allowed(bucket).items()}
    assert post(server, bucket, proof | {"kEy": "k"}).status == 204
    assert stored(server, bucket) == {"k": b"data"}


def test_the_right_reason_is_given(server: Server, bucket: str) -> None:
    key, proof = {"key": "k"}, allowed(bucket)
    cases: list[tuple[Mapping[str, str], int, str]] = [
        (key, 403, "AccessDenied"),
        (proof, 400, "InvalidArgument"),
        (proof | {"key": ""}, 400, "InvalidArgument"),
        (proof | {"key": "k" * 1025}, 400, "KeyTooLongError"),
        (proof | key | {"acl": "private"}, 403, "AccessDenied"),
        (proof | key | {"signature": "c2lnbmF0dXJl"}, 403, "SignatureDoesNotMatch"),
        (proof | key | {"signature": ""}, 400, "InvalidArgument"),
        (proof | key | {"policy": ""}, 400, "InvalidArgument"),
        (proof | key | {"AWSAccessKeyId": "nobody"}, 403, "InvalidAccessKeyId"),
        (proof | key | {"x-amz-security-token": "t"}, 400, "InvalidToken"),
        (signed("{}") | key, 400, "InvalidPolicyDocument"),
        (signed(policy({"bucket": bucket}), GONE) | key, 403, "InvalidAccessKeyId"),
        (signed(policy({"bucket": "other"}, key)) | key, 403, "AccessDenied"),
        (signed(policy(key)) | key, 403, "AccessDenied"),
        (signed(policy({"bucket": bucket}, key), BOB) | key, 403, "AccessDenied"),
    ]
    for fields, status, code in cases:
        refused(server, bucket, post(server, bucket, fields), status, code)
    late = signed(policy({"bucket": bucket}, key, lasts=timedelta(seconds=-1)))
    refused(server, bucket, post(server, bucket, late | key), 403, "AccessDenied")


def test_a_file_of_the_wrong_size_is_not_stored(server: Server, bucket: str) -> None:
    fields = allowed(bucket, ["content-length-range", 3, 5]) | {"key": "k"}
    refused(server, bucket, post(server, bucket, fields, b"12"), 400, "EntityTooSmall")
    refused(server, bucket, post(server, bucket, fields, b"123456"), 400, "EntityTooLarge")
    huge = b"x" * (6 << 20)
    refused(server, bucket, post(server, bucket, fields, huge), 400, "EntityTooLarge")
    assert post(server, bucket, fields, b"12345").status == 204


def test_a_file_that_is_not_what_the_form_promises_is_not_stored(
    server: Server, bucket: str
) -> None:
    name = "x-amz-checksum-sha256"
    fields = allowed(bucket, ["starts-with", f"${name}", ""]) | {"key": "k"}
    wrong = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="
    refused(server, bucket, post(server, bucket, fields | {name: wrong}), 400, "BadDigest")
    refused(server, bucket, post(server, bucket, fields | {name: "?"}), 400, "InvalidRequest")
    right = base64.b64encode(hashlib.sha256(b"data").digest()).decode()
    assert post(server, bucket, fields | {name: right}).status == 204


def test_a_form_cannot_ask_for_anything_but_an_upload(server: Server, bucket: str) -> None:
    for name, value, status, code in (
        ("x-amz-copy-source", "/b/k", 501, "NotImplemented"),
        ("x-amz-rename-source", "/b/k", 501, "NotImplemented"),
        ("x-amz-meta-a", "1\r\nX-Evil: 2", 400, "InvalidArgument"),
        ("x-amz-meta-a b", "1", 400, "InvalidArgument"),
        ("x-amz-storage-class", "SHINY", 400, "InvalidStorageClass"),
        ("tagging", "<Tagging>", 400, "MalformedXML"),
    ):
        proof = allowed(bucket, ["starts-with", f"${name}", ""])
        answer = post(server, bucket, proof | {"key": "k", name: value})
        refused(server, bucket, answer, status, code)


def test_a_form_is_proved_by_its_policy_alone(server: Server, bucket: str) -> None:
    answer = post(server, bucket, allowed(bucket) | {"key": "k"}, Authorization="AWS a:b")
    refused(server, bucket, answer, 400, "InvalidArgument")


def test_a_browser_that_dies_leaves_nothing(server: Server, bucket: str) -> None:
    data = body(allowed(bucket) | {"key": "k"}, b"x" * (3 << 20))
    head = {
        "Host": server.host,
        "Content-Type": f"multipart/form-data; boundary={BOUNDARY.decode()}",
        "Content-Length": str(len(data)),
    }
    sent = data[: 2 << 20]
    answer = send(server, "POST", f"/{bucket}", head, sent, hang_up=True)
    refused(server, bucket, answer, 400, "IncompleteBody")
    cut = data.removesuffix(b"--\r\n")
    answer = send(server, "POST", f"/{bucket}", head | {"Content-Length": str(len(cut))}, cut)
    refused(server, bucket, answer, 400, "MalformedPOSTRequest")


def test_a_form_for_a_bucket_that_is_not_there(server: Server) -> None:
    name = f"bucket-{uuid4().hex[:12]}"
    answer = post(server, name, allowed(name) | {"key": "k"})
    assert (answer.status, answer.code) == (404, "NoSuchBucket")


def test_nobody_may_post_where_everybody_may_write(server: Server, bucket: str) -> None:
    client = server.client()
    refused(server, bucket, post(server, bucket, {"key": "k"}), 403, "AccessDenied")
    client.put_public_access_block(
        Bucket=bucket,
        PublicAccessBlockConfiguration=dict.fromkeys(
            ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"),
            False,
        ),
    )
    statement = {
        "Effect": "Allow",
        "Principal": "*",
        "Action": "s3:PutObject",
        "Resource": f"arn:aws:s3:::{bucket}/in/*",
    }
    text = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    client.put_bucket_policy(Bucket=bucket, Policy=text)
    refused(server, bucket, post(server, bucket, {"key": "k"}), 403, "AccessDenied")
    assert post(server, bucket, {"key": "in/${filename}"}, filename=r"C:\a.txt").status == 204
    listed = client.list_objects_v2(Bucket=bucket, FetchOwner=True)["Contents"]
    assert [each["Key"] for each in listed] == ["in/a.txt"]


def test_a_form_may_say_all_that_a_put_may(server: Server, bucket: str) -> None:
    client = server.client()
    client.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    tags = "<Tagging><TagSet><Tag><Key>a b</Key><Value>1+ü</Value></Tag></TagSet></Tagging>"
    more = {
        "tagging": tags,
        "acl": "bucket-owner-full-control",
        "Cache-Control": "no-store",
        "x-amz-storage-class": "STANDARD_IA",
        "x-amz-server-side-encryption": "AES256",
        "x-amz-meta-note": "grün",
    }
    proof = allowed(bucket, *(["eq", f"${name}", value] for name, value in more.items()))
    answer = post(server, bucket, proof | {"key": "k"} | more)
    assert answer.status == 204
    version = answer.headers["x-amz-version-id"]
    found = client.head_object(Bucket=bucket, Key="k", VersionId=version)
    assert (found["CacheControl"], found["StorageClass"]) == ("no-store", "STANDARD_IA")
    assert found["ServerSideEncryption"] == "AES256"
    assert answer.headers["x-amz-server-side-encryption"] == "AES256"
    kept = client.get_object_tagging(Bucket=bucket, Key="k")["TagSet"]
    assert kept == [{"Key": "a b", "Value": "1+ü"}]
