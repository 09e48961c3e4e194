"""What the EC2 face learns of an object, from what the S3 face answers."""

from collections.abc import Callable
from typing import Any

import pytest

from gateway.credentials import Caller
from gateway.objects import Objects, Unreadable

CALLER = Caller("KEY", "secret", "u", "user", "a", "account", "d", True)
MD5 = "0cc175b9c0f1b6a831c399e269772661"


class S3:
    """An S3 that always answers the same, and remembers what it was asked."""

    def __init__(self, status: str, headers: dict[str, str], body: bytes) -> None:
        self.answer = (status, headers, body)
        self.asked: dict[str, Any] = {}

    def __call__(self, environ: dict[str, Any], start: Callable[..., Any]) -> list[bytes]:
        self.asked = environ
        status, headers, body = self.answer
        start(status, list(headers.items()))
        return [body]

    def objects(self) -> Objects:
        return Objects(self, "http://127.0.0.1:7080/", "us-east-1")


def test_the_object_is_asked_for_as_the_caller_and_a_few_bytes_suffice() -> None:
    s3 = S3("206 Partial Content", {"ETag": f'"{MD5}"'}, b"QFI\xfb")
    found = s3.objects().find(CALLER, "bucket", "a/b c?.qcow2")
    assert s3.asked["RAW_URI"].startswith("/bucket/a/b%20c%3F.qcow2?X-Amz-Algorithm=")
    assert (s3.asked["HTTP_HOST"], s3.asked["HTTP_RANGE"]) == ("127.0.0.1:7080", "bytes=0-3")
    assert found.url == f"http://127.0.0.1:7080{s3.asked['RAW_URI']}"
    assert (found.head, found.md5) == (b"QFI\xfb", MD5)


@pytest.mark.parametrize(
    "headers",
    [
        {"ETag": f'"{MD5}-2"'},
        {"ETag": f'"{MD5}"', "x-amz-server-side-encryption": "aws:kms"},
        {"ETag": f'"{MD5}"', "x-amz-server-side-encryption": "aws:kms:dsse"},
        {},
    ],
)
def test_an_etag_that_is_no_digest_of_the_content_is_none(headers: dict[str, str]) -> None:
    assert S3("206 Partial Content", headers, b"").objects().find(CALLER, "b", "k").md5 == ""


def test_a_refusal_is_told_in_the_words_of_s3() -> None:
    s3 = S3("404 Not Found", {}, b"<Error><Code>NoSuchKey</Code></Error>")
    with pytest.raises(Unreadable, match=r"HTTP 404 \(NoSuchKey\)"):
        s3.objects().find(CALLER, "b", "k")


def test_the_location_of_an_object_of_ours_is_bucket_and_key() -> None:
    objects = S3("200 OK", {}, b"").objects()
    assert objects.location("http://127.0.0.1:7080/b/k.qcow2") == "b/k.qcow2"
    assert objects.location("http://elsewhere/b/k.qcow2") == "http://elsewhere/b/k.qcow2"
