"""What can be made of someone else's signature, and what can be slipped into an answer."""

from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import pytest
from botocore.auth import S3SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from gateway.s3.background import logformat
from gateway.s3.background.trace import Trace
from gateway.sign.request import Request
from tests.gateway.s3.raw import Answer, send, signed, signed_v2
from tests.gateway.s3.refusals import refused
from tests.gateway.s3.servers import ALICE, Server

KEY = "c2VjcmV0LWtleS1vZi10aGUtY3VzdG9tZXItMzIhIQ=="
CUSTOMER = "x-amz-server-side-encryption-customer-key"


def presigned(server: Server, method: str, target: str) -> Answer:
    """The answer to a URL that Alice presigned, whatever is in it."""
    request = AWSRequest(method, server.url + target)
    credentials = Credentials(ALICE.access_key, ALICE.secret)
    S3SigV4QueryAuth(credentials, "s3", "us-east-1", expires=60).add_auth(request)
    parts = urlsplit(str(request.url))
    return send(server, method, f"{parts.path}?{parts.query}", {"Host": server.host})


@pytest.mark.parametrize(
    "query", ["acl", "%61cl", "%74agging", "%76ersionId=null", "response%2Dcontent-type=text/html"]
)
def test_a_version_2_signature_of_a_read_is_good_for_nothing_else(
    server: Server, bucket: str, query: str
) -> None:
    server.client().put_object(Bucket=bucket, Key="k", Body=b"data")
    headers = signed_v2(server, "GET", f"/{bucket}/k")
    assert send(server, "GET", f"/{bucket}/k", headers).body == b"data"
    answer = send(server, "GET", f"/{bucket}/k?{query}", headers)
    assert (answer.status, answer.code) == (403, "SignatureDoesNotMatch")


@pytest.mark.parametrize("value", ["%E2%82%AC", "%C3%A9", "x%0Ay"])
def test_a_payload_hash_in_a_url_that_is_no_hash_is_refused(
    server: Server, bucket: str, value: str
) -> None:
    answer = presigned(server, "GET", f"/{bucket}/k?X-Amz-Content-Sha256={value}")
    assert answer.status in (400, 403)


@pytest.mark.parametrize(
    "header",
    [
        "x-amz-meta-a%0D%0ASet-Cookie%3A%20b=1",
        "x-amz-meta-a=1%0D%0ASet-Cookie%3A%20b",
        "x-amz-meta-%E2%82%AC=1",
        "x-amz-meta-a%20b=1",
        "x-amz-website-redirect-location=%2F%0D%0ASet-Cookie%3A%20b",
    ],
)
def test_a_presigned_url_brings_along_only_what_headers_can_hold(
    server: Server, bucket: str, header: str
) -> None:
    answer = presigned(server, "PUT", f"/{bucket}/k?{header}")
    assert (answer.status, answer.code) == (400, "InvalidArgument")
    assert "Contents" not in server.client().list_objects_v2(Bucket=bucket)


@pytest.mark.parametrize("place", ["javascript:alert(1)", "ftp://host/", "there", "/" + "x" * 2048])
def test_a_redirect_leads_to_a_page(server: Server, bucket: str, place: str) -> None:
    where: dict[str, Any] = {"Bucket": bucket, "Key": "k"}
    with refused(400, "InvalidRedirectLocation"):
        server.client().put_object(**where, WebsiteRedirectLocation=place)
    with refused(400, "InvalidRedirectLocation"):
        server.client().create_multipart_upload(**where, WebsiteRedirectLocation=place)


def test_an_error_document_shows_no_customers_key(server: Server, bucket: str) -> None:
    path = f"/{bucket}/k"
    newer = signed(server, "GET", path, {CUSTOMER: KEY}) | {"X-Amz-Date": "20200101T000000Z"}
    older = signed_v2(server, "GET", path, {CUSTOMER: KEY})
    for headers in (
        signed(server, "GET", f"{path}x", {CUSTOMER: KEY}),
        older | {"Date": older["Date"].replace("GMT", "+0000")},
        newer,
    ):
        answer = send(server, "GET", path, headers)
        assert answer.status == 403
        assert KEY.encode() not in answer.body


@pytest.mark.parametrize(
    "query",
    [
        "X-Amz-Signature=5ec2e7",
        "AWSAccessKeyId=a&Signature=5ec2e7",
        "%53ignature=5ec2e7&AWSAccessKeyId=a",
        f"{CUSTOMER}=5ec2e7",
        "X-Amz-Copy-Source-Server-Side-Encryption-Customer-Key=5ec2e7",
    ],
)
def test_an_access_log_shows_no_secret_of_a_url(query: str) -> None:
    trace = Trace(Request("GET", "/b/k", query, {}), "id", "host")
    line = logformat.line(trace, "owner", 200, [], datetime.now(UTC))
    assert "5ec2e7" not in line
    assert "=REDACTED" in line
