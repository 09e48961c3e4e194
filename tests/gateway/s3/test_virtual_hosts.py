"""Buckets named by the host: every way to sign, and paths that are keys and nothing else."""

import socket
import subprocess
import sys
import urllib.request
from typing import Any
from urllib.error import HTTPError

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from tests.gateway.s3.posting import BOUNDARY, body, policy, signed
from tests.gateway.s3.raw import Answer, send, signed_v2
from tests.gateway.s3.servers import ALICE, MOUNT, Server

KEY = "dir/a b+c%2F(!')*~ü..//z"

# In a process of its own: boto 2 leaves an importer behind that today's Python cannot use.
BOTO_2 = """
import sys
import boto
from boto.s3.connection import SubdomainCallingFormat
access_key, secret, port, method, bucket, key, kind = sys.argv[1:]
connection = boto.connect_s3(
    access_key, secret, host="s3.test", port=int(port), is_secure=False,
    calling_format=SubdomainCallingFormat(),
)
more = {"response-content-type": kind} if kind else None
print(connection.generate_url(60, method, bucket, key, response_headers=more))
"""


@pytest.fixture(autouse=True)
def resolver(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every name under ``.test`` is this machine."""
    known = socket.getaddrinfo

    def getaddrinfo(host: Any, *rest: Any, **more: Any) -> Any:
        ours = isinstance(host, str) and host.endswith(".test")
        return known("127.0.0.1" if ours else host, *rest, **more)

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)


def client(server: Server, signature: str, secret: str = ALICE.secret) -> Any:
    return boto3.client(
        "s3",
        endpoint_url=f"http://s3.test:{server.port}",
        aws_access_key_id=ALICE.access_key,
        aws_secret_access_key=secret,
        region_name="us-east-1",
        config=Config(
            signature_version=signature,
            s3={"addressing_style": "virtual"},
            retries={"max_attempts": 1},
        ),
    )


def seen_hosts(of: Any) -> list[str]:
    """Where requests really went."""
    hosts: list[str] = []
    of.meta.events.register("before-send.s3", lambda request, **_: hosts.append(request.url))
    return hosts


@pytest.mark.parametrize("signature", ["s3v4", "s3"])
def test_a_bucket_is_used_under_its_own_host(server: Server, bucket: str, signature: str) -> None:
    virtual = client(server, signature)
    went = seen_hosts(virtual)
    virtual.put_object(Bucket=bucket, Key=KEY, Body=b"data", Metadata={"a_b": "1"})
    assert virtual.get_object(Bucket=bucket, Key=KEY)["Body"].read() == b"data"
    assert virtual.head_bucket(Bucket=bucket)["BucketRegion"] == "us-east-1"
    assert virtual.list_objects_v2(Bucket=bucket, Prefix="dir/a b+")["KeyCount"] == 1
    assert virtual.get_bucket_request_payment(Bucket=bucket)["Payer"] == "BucketOwner"
    assert all(url.startswith(f"http://{bucket}.s3.test:{server.port}/") for url in went)
    assert server.client().get_object(Bucket=bucket, Key=KEY)["Body"].read() == b"data"
    virtual.delete_object(Bucket=bucket, Key=KEY)
    virtual.delete_bucket(Bucket=bucket)
    virtual.create_bucket(Bucket=bucket)
    assert bucket in [each["Name"] for each in virtual.list_buckets()["Buckets"]]


@pytest.mark.parametrize("signature", ["s3v4", "s3"])
def test_a_presigned_url_of_a_buckets_host_works(
    server: Server, bucket: str, signature: str
) -> None:
    virtual = client(server, signature)
    virtual.put_object(Bucket=bucket, Key=KEY, Body=b"data")
    url = virtual.generate_presigned_url("get_object", {"Bucket": bucket, "Key": KEY})
    assert url.startswith(f"http://{bucket}.s3.test:{server.port}/dir/")
    with urllib.request.urlopen(url, timeout=20) as answer:  # noqa: S310
        assert answer.read() == b"data"
    other = url.replace(f"//{bucket}.", "//another-bucket.")
    with pytest.raises(HTTPError) as refused:
        urllib.request.urlopen(other, timeout=20)  # noqa: S310
    assert b"SignatureDoesNotMatch" in refused.value.read()


@pytest.mark.parametrize("signature", ["s3v4", "s3"])
def test_a_wrong_secret_is_refused_there_too(server: Server, bucket: str, signature: str) -> None:
    with pytest.raises(ClientError, match="SignatureDoesNotMatch"):
        client(server, signature, "wrong").list_objects(Bucket=bucket)


def test_a_signature_for_one_key_is_not_one_for_the_key_with_the_mount_before_it(
    server: Server, bucket: str
) -> None:
    host = f"{bucket}.s3.test:{server.port}"
    for signature in ("s3v4", "s3"):
        virtual = client(server, signature)
        virtual.put_object(Bucket=bucket, Key="k", Body=b"data")
        url = virtual.generate_presigned_url("get_object", {"Bucket": bucket, "Key": "k"})
        path = url.removeprefix(f"http://{host}")
        assert send(server, "GET", path, {"Host": host}).body == b"data"
        assert send(server, "GET", MOUNT + path, {"Host": host}).code == "SignatureDoesNotMatch"


def test_boto_2_signs_a_buckets_own_host(server: Server, bucket: str) -> None:
    host = f"{bucket}.s3.test:{server.port}"

    def call(method: str, key: str = "", content: bytes = b"", kind: str = "") -> Answer:
        given = (ALICE.access_key, ALICE.secret, str(server.port), method, bucket, key, kind)
        command = [sys.executable, "-W", "ignore", "-c", BOTO_2, *given]
        url = subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
        return send(server, method, url.removeprefix(f"http://{host}"), {"Host": host}, content)

    assert call("PUT", KEY, b"data").status == 200
    got = call("GET", KEY, kind="a/b")
    assert (got.body, got.headers["content-type"]) == (b"data", "a/b")
    assert b"<Name>" in call("GET").body
    assert call("DELETE", KEY).status == 204


def test_a_form_may_be_posted_to_a_buckets_own_host(server: Server, bucket: str) -> None:
    text = policy({"bucket": bucket}, ["starts-with", "$key", ""])
    form = body({"key": "k", **signed(text)}, b"data")
    kind = f"multipart/form-data; boundary={BOUNDARY.decode()}"
    headers = {"Host": f"{bucket}.s3.test", "Content-Type": kind}
    assert send(server, "POST", "/", headers, form).status == 204
    assert server.client().get_object(Bucket=bucket, Key="k")["Body"].read() == b"data"


def older(server: Server, host: str, path: str, resource: str, method: str = "GET") -> Answer:
    headers = signed_v2(server, method, path, resource=resource)
    return send(server, method, path, {**headers, "Host": host})


def test_version_2_signs_the_bucket_in_front_of_the_path(server: Server, bucket: str) -> None:
    host = f"{bucket.upper()}.S3.test:{server.port}"
    assert older(server, host, "/", f"/{bucket}/").status == 200
    assert older(server, host, "/?acl", "/?acl").code == "SignatureDoesNotMatch"
    assert older(server, host, "/k", f"/{bucket}/k").code == "NoSuchKey"
    assert older(server, host, "/k", "/k").code == "SignatureDoesNotMatch"
    other = f"other.s3.test:{server.port}"
    assert older(server, other, "/k", f"/{bucket}/k").code == "SignatureDoesNotMatch"


@pytest.mark.parametrize("path", ["//k", "/a//b", "/a/../b", "/.", "/a%2Fb", "/awsapi/x/y"])
def test_the_raw_path_is_the_key(server: Server, bucket: str, path: str) -> None:
    server.client().put_object(Bucket=bucket, Key=path[1:].replace("%2F", "/"), Body=b"x")
    answer = older(server, f"{bucket}.s3.test", path, f"/{bucket}{path}")
    assert (answer.status, answer.body) == (200, b"x")


def test_the_domain_itself_leaves_the_bucket_to_the_path(server: Server, bucket: str) -> None:
    assert older(server, "s3.test", f"/{bucket}", f"/{bucket}").status == 200
    assert older(server, "unheard.of.example", f"/{bucket}", f"/{bucket}").status == 200


def test_a_bucket_that_is_not_there_is_named(server: Server) -> None:
    answer = older(server, "no-such-bucket.s3.test", "/", "/no-such-bucket/")
    assert (answer.status, answer.code) == (404, "NoSuchBucket")
    assert b"<BucketName>no-such-bucket</BucketName>" in answer.body
