"""Encryption under keys that customers send along and nobody keeps (SSE-C)."""

import base64
from pathlib import Path
from typing import Any

import pytest

from tests.gateway.s3.kinds import OTHER, SMALL, Pairs, customer, refusal, source
from tests.gateway.s3.servers import ALICE, Server, serving


def test_a_customers_object_is_read_with_its_key_alone(secure: Any, bucket: str) -> None:
    secure.put_object(Bucket=bucket, Key="k", Body=SMALL, **customer())
    which = {"Bucket": bucket, "Key": "k"}
    attributes = {**which, "ObjectAttributes": ["ObjectSize"]}
    assert refusal(secure.get_object, **which) == (400, "InvalidRequest")
    assert refusal(secure.get_object, **which, **customer(OTHER)) == (403, "AccessDenied")
    assert refusal(secure.head_object, **which)[0] == 400
    assert refusal(secure.head_object, **which, **customer(OTHER))[0] == 403
    assert refusal(secure.get_object_attributes, **attributes) == (400, "InvalidRequest")
    copy = {"Bucket": bucket, "Key": "to", "CopySource": f"{bucket}/k"}
    assert refusal(secure.copy_object, **copy) == (400, "InvalidRequest")
    assert refusal(secure.copy_object, **copy, **source(OTHER)) == (403, "AccessDenied")


def test_a_customers_key_does_not_fit_other_objects(secure: Any, bucket: str) -> None:
    secure.put_object(Bucket=bucket, Key="plain", Body=SMALL)
    secure.put_object(Bucket=bucket, Key="ours", Body=SMALL, ServerSideEncryption="AES256")
    for key in ("plain", "ours"):
        which = {"Bucket": bucket, "Key": key, **customer()}
        assert refusal(secure.get_object, **which) == (400, "InvalidRequest")
        assert refusal(secure.head_object, **which)[0] == 400


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"SSECustomerAlgorithm": "AES128"}, "InvalidEncryptionAlgorithmError"),
        ({"SSECustomerKeyMD5": base64.b64encode(bytes(16)).decode()}, "InvalidArgument"),
        ({"SSECustomerKeyMD5": "!"}, "InvalidArgument"),
        ({"SSECustomerKey": "!"}, "InvalidArgument"),
        ({"SSECustomerKey": base64.b64encode(bytes(16)).decode()}, "InvalidArgument"),
        ({"ServerSideEncryption": "AES256"}, "InvalidArgument"),
        ({"ServerSideEncryption": "aws:kms"}, "InvalidArgument"),
    ],
)
def test_a_customers_key_must_be_whole(secure: Any, bucket: str, change: Pairs, code: str) -> None:
    put = {"Bucket": bucket, "Key": "k", "Body": SMALL, **customer(), **change}
    assert refusal(secure.put_object, **put) == (400, code)
    assert refusal(secure.head_object, Bucket=bucket, Key="k")[0] == 404


@pytest.mark.parametrize("absent", sorted(customer()))
def test_a_customers_key_comes_with_all_three_headers(
    server: Server, bucket: str, absent: str
) -> None:
    headers = {
        "SSECustomerAlgorithm": "x-amz-server-side-encryption-customer-algorithm",
        "SSECustomerKey": "x-amz-server-side-encryption-customer-key",
        "SSECustomerKeyMD5": "x-amz-server-side-encryption-customer-key-MD5",
    }
    sent = {headers[name]: value for name, value in customer().items() if name != absent}
    client = server.client()

    def send(request: Any, **_: Any) -> None:
        for name, value in (sent | {"X-Forwarded-Proto": "https"}).items():
            request.headers[name] = value

    client.meta.events.register("before-sign.s3", send)
    assert refusal(client.put_object, Bucket=bucket, Key="k") == (400, "InvalidArgument")


def test_customers_keys_are_refused_in_the_clear(server: Server, bucket: str) -> None:
    client = server.client()
    put = {"Bucket": bucket, "Key": "k", "Body": SMALL, **customer()}
    assert refusal(client.put_object, **put) == (400, "InvalidRequest")
    assert refusal(client.get_object, Bucket=bucket, Key="k")[1] == "NoSuchKey"


def test_a_laboratory_may_send_customers_keys_in_the_clear(tmp_path: Path) -> None:
    application = "tests.gateway.s3.serving:create(customer_keys_over_http=True)"
    with serving(tmp_path, application=application) as lab:
        lab.store().create_bucket("lab", ALICE.account_id)
        client = lab.client()
        client.put_object(Bucket="lab", Key="k", Body=SMALL, **customer())
        got = client.get_object(Bucket="lab", Key="k", **customer())
        assert got["Body"].read() == SMALL


def test_a_customer_can_change_their_key(secure: Any, bucket: str) -> None:
    secure.put_object(Bucket=bucket, Key="k", Body=SMALL, **customer())
    here = {"Bucket": bucket, "Key": "k", "CopySource": f"{bucket}/k", **customer(OTHER)}
    assert refusal(secure.copy_object, **here) == (400, "InvalidRequest")
    assert refusal(secure.copy_object, **here, **source(OTHER)) == (403, "AccessDenied")
    secure.copy_object(**here, **source())
    assert secure.get_object(Bucket=bucket, Key="k", **customer(OTHER))["Body"].read() == SMALL
    assert refusal(secure.get_object, Bucket=bucket, Key="k", **customer()) == (403, "AccessDenied")


def test_every_part_needs_the_key_the_upload_began_with(secure: Any, bucket: str) -> None:
    begun = secure.create_multipart_upload(Bucket=bucket, Key="k", **customer())
    which = {"Bucket": bucket, "Key": "k", "UploadId": begun["UploadId"]}
    part = {**which, "PartNumber": 1, "Body": SMALL}
    assert refusal(secure.upload_part, **part) == (400, "InvalidRequest")
    assert refusal(secure.upload_part, **part, **customer(OTHER)) == (403, "AccessDenied")
    assert refusal(secure.list_parts, **which, **customer(OTHER)) == (403, "AccessDenied")
    assert "Parts" not in secure.list_parts(**which)
    plain = secure.create_multipart_upload(Bucket=bucket, Key="k")
    part["UploadId"] = plain["UploadId"]
    assert refusal(secure.upload_part, **part, **customer()) == (400, "InvalidRequest")
