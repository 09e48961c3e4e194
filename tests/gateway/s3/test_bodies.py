"""Uploads down to the byte: what is promised is checked, and what fails leaves nothing behind."""

import base64
import hashlib
import socket
import zlib
from collections.abc import Callable, Mapping

import pytest

from tests.gateway.s3.raw import Answer, Chunks, receive, send, signed, signed_v2
from tests.gateway.s3.servers import Server
from tests.s3store.audit import assert_sound

STREAM = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"
TRAILER = f"{STREAM}-TRAILER"
UNSIGNED_TRAILER = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
DATA = bytes(range(256)) * 400


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def crc32(data: bytes) -> str:
    return b64(zlib.crc32(data).to_bytes(4, "big"))


def md5(data: bytes) -> str:
    return b64(hashlib.md5(data).digest())


def stored(server: Server, bucket: str, key: str = "k") -> bytes | None:
    """The object's content as the server gives it back; None when there is none."""
    answer = send(server, "GET", f"/{bucket}/{key}", signed(server, "GET", f"/{bucket}/{key}"))
    return answer.body if answer.status == 200 else None


def chunked(
    server: Server, bucket: str, digest: str, size: int = len(DATA), **more: str
) -> dict[str, str]:
    """The headers of an aws-chunked upload."""
    headers = {
        "x-amz-decoded-content-length": str(size),
        "Content-Encoding": "aws-chunked",
        **{name.replace("_", "-"): value for name, value in more.items()},
    }
    return signed(server, "PUT", f"/{bucket}/k", headers, digest)


def put(server: Server, bucket: str, headers: Mapping[str, str], body: bytes) -> Answer:
    return send(server, "PUT", f"/{bucket}/k", headers, body)


def refused(server: Server, bucket: str, answer: Answer, status: int, code: str) -> None:
    """It was refused so, nothing is stored, and no file is left over."""
    assert (answer.status, answer.code) == (status, code)
    assert stored(server, bucket) is None
    assert_sound(server.root / "objects")


# -- plain bodies ----------------------------------------------------------------------------------


@pytest.mark.parametrize("digest", [hashlib.sha256(DATA).hexdigest(), "UNSIGNED-PAYLOAD"])
def test_a_plain_body_is_stored(server: Server, bucket: str, digest: str) -> None:
    answer = put(server, bucket, signed(server, "PUT", f"/{bucket}/k", digest=digest), DATA)
    assert (answer.status, answer.body) == (200, b"")
    assert answer.headers["etag"] == f'"{hashlib.md5(DATA).hexdigest()}"'
    assert answer.headers["content-length"] == "0"
    assert "content-type" not in answer.headers
    assert stored(server, bucket) == DATA


@pytest.mark.parametrize(
    ("headers", "status", "code"),
    [
        ({"Content-MD5": md5(b"other")}, 400, "BadDigest"),
        ({"Content-MD5": "not base64"}, 400, "InvalidDigest"),
        ({"Content-MD5": b64(b"short")}, 400, "InvalidDigest"),
        ({"x-amz-checksum-crc32": crc32(b"other")}, 400, "BadDigest"),
        ({"x-amz-checksum-crc64nvme": b64(bytes(8))}, 400, "BadDigest"),
        ({"x-amz-checksum-sha256": b64(bytes(32))}, 400, "BadDigest"),
        ({"x-amz-checksum-crc32": "AAAA"}, 400, "InvalidRequest"),
        ({"x-amz-checksum-crc32": "?"}, 400, "InvalidRequest"),
        (
            {"x-amz-checksum-crc32": crc32(DATA), "x-amz-checksum-sha1": b64(bytes(20))},
            400,
            "InvalidRequest",
        ),
        ({"x-amz-sdk-checksum-algorithm": "CRC32"}, 400, "InvalidRequest"),
        (
            {"x-amz-checksum-crc32": crc32(DATA), "x-amz-sdk-checksum-algorithm": "SHA1"},
            400,
            "InvalidRequest",
        ),
        ({"x-amz-meta-big": "x" * 2048}, 400, "MetadataTooLarge"),
        ({"x-amz-storage-class": "SHELF"}, 400, "InvalidStorageClass"),
        ({"x-amz-acl": "everybody"}, 400, "InvalidArgument"),
        ({"x-amz-tagging": "a=1&a=2"}, 400, "InvalidArgument"),
        ({"x-amz-write-offset-bytes": "0"}, 501, "NotImplemented"),
        ({"x-amz-rename-source": "/a/b"}, 501, "NotImplemented"),
        ({"x-amz-copy-source-range": "bytes=0-1"}, 501, "NotImplemented"),
        ({"x-amz-server-side-encryption": "ROT13"}, 400, "InvalidArgument"),
        ({"x-amz-object-lock-legal-hold": "ON"}, 400, "InvalidRequest"),
        ({"x-amz-expected-bucket-owner": "somebody"}, 403, "AccessDenied"),
        ({"If-None-Match": '"an etag"'}, 501, "NotImplemented"),
        ({"If-Match": '"an etag"'}, 404, "NoSuchKey"),
    ],
)
def test_what_does_not_hold_is_refused(
    server: Server, bucket: str, headers: dict[str, str], status: int, code: str
) -> None:
    given = signed(server, "PUT", f"/{bucket}/k", headers, hashlib.sha256(DATA).hexdigest())
    refused(server, bucket, put(server, bucket, given, DATA), status, code)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("crc32", crc32(DATA)),
        ("sha1", b64(hashlib.sha1(DATA).digest())),
        ("sha256", b64(hashlib.sha256(DATA).digest())),
        ("sha512", b64(hashlib.sha512(DATA).digest())),
        ("md5", md5(DATA)),
    ],
)
def test_a_checksum_that_holds_is_kept_and_given_back(
    server: Server, bucket: str, name: str, value: str
) -> None:
    headers = {f"x-amz-checksum-{name}": value, "Content-MD5": md5(DATA)}
    given = signed(server, "PUT", f"/{bucket}/k", headers, "UNSIGNED-PAYLOAD")
    answer = put(server, bucket, given, DATA)
    assert answer.headers[f"x-amz-checksum-{name}"] == value
    head = signed(server, "HEAD", f"/{bucket}/k", {"x-amz-checksum-mode": "ENABLED"})
    found = send(server, "HEAD", f"/{bucket}/k", head).headers
    assert found[f"x-amz-checksum-{name}"] == value
    assert found["x-amz-checksum-type"] == "FULL_OBJECT"


def test_an_upload_without_a_checksum_gets_one(server: Server, bucket: str) -> None:
    answer = put(
        server,
        bucket,
        signed(server, "PUT", f"/{bucket}/k", digest="UNSIGNED-PAYLOAD"),
        b"123456789",
    )
    assert answer.headers["x-amz-checksum-crc64nvme"] == b64(bytes.fromhex("ae8b14860a799888"))


def test_a_body_that_is_not_the_signed_one_is_refused(server: Server, bucket: str) -> None:
    given = signed(server, "PUT", f"/{bucket}/k", digest=hashlib.sha256(b"other").hexdigest())
    refused(server, bucket, put(server, bucket, given, DATA), 400, "XAmzContentSHA256Mismatch")


def test_a_body_cut_short_is_refused(server: Server, bucket: str) -> None:
    given = signed(server, "PUT", f"/{bucket}/k", digest="UNSIGNED-PAYLOAD")
    given["Content-Length"] = str(len(DATA) + 1)
    answer = send(server, "PUT", f"/{bucket}/k", given, DATA, hang_up=True)
    refused(server, bucket, answer, 400, "IncompleteBody")


def test_a_failed_upload_leaves_the_former_object(server: Server, bucket: str) -> None:
    good = signed(server, "PUT", f"/{bucket}/k", digest="UNSIGNED-PAYLOAD")
    put(server, bucket, good, b"former")
    bad = signed(server, "PUT", f"/{bucket}/k", {"Content-MD5": md5(b"other")}, "UNSIGNED-PAYLOAD")
    assert put(server, bucket, bad, DATA).code == "BadDigest"
    assert stored(server, bucket) == b"former"


def test_a_body_without_a_length_is_refused(server: Server, bucket: str) -> None:
    given = signed(server, "PUT", f"/{bucket}/k", digest="UNSIGNED-PAYLOAD")
    head = f"PUT /{bucket}/k HTTP/1.1\r\n" + "".join(f"{n}: {v}\r\n" for n, v in given.items())
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as connection:
        connection.sendall(head.encode() + b"\r\n")
        refused(server, bucket, receive(connection, "PUT"), 411, "MissingContentLength")


def test_http_chunks_need_no_length(server: Server, bucket: str) -> None:
    given = signed(server, "PUT", f"/{bucket}/k", digest="UNSIGNED-PAYLOAD")
    body = b"5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n"
    answer = put(server, bucket, {**given, "Transfer-Encoding": "chunked"}, body)
    assert answer.status == 200
    assert stored(server, bucket) == b"hello world"


def test_broken_http_chunks_are_refused(server: Server, bucket: str) -> None:
    given = signed(server, "PUT", f"/{bucket}/k", digest="UNSIGNED-PAYLOAD")
    given["Transfer-Encoding"] = "chunked"
    answer = send(server, "PUT", f"/{bucket}/k", given, b"5\r\nhello\r\n6\r\n wo", hang_up=True)
    refused(server, bucket, answer, 400, "IncompleteBody")


# -- signed chunks ---------------------------------------------------------------------------------


def test_signed_chunks_are_stored(server: Server, bucket: str) -> None:
    headers = chunked(server, bucket, STREAM)
    chain = Chunks(headers)
    body = chain.chunk(DATA[:65536]) + chain.chunk(DATA[65536:]) + chain.chunk(b"") + b"\r\n"
    assert put(server, bucket, headers, body).status == 200
    assert stored(server, bucket) == DATA
    found = send(server, "HEAD", f"/{bucket}/k", signed(server, "HEAD", f"/{bucket}/k"))
    assert "content-encoding" not in found.headers


def test_chunks_may_arrive_in_any_pieces(server: Server, bucket: str) -> None:
    headers = chunked(server, bucket, STREAM, 9)
    chain = Chunks(headers)
    body = chain.chunk(b"hello") + chain.chunk(b" you") + chain.chunk(b"") + b"\r\n"
    given = {**headers, "Content-Length": str(len(body))}
    answer = send(server, "PUT", f"/{bucket}/k", given, [bytes([byte]) for byte in body])
    assert answer.status == 200
    assert stored(server, bucket) == b"hello you"


def test_another_coding_beside_the_chunks_is_kept(server: Server, bucket: str) -> None:
    given = {"x-amz-decoded-content-length": "2", "Content-Encoding": "gzip,aws-chunked"}
    headers = signed(server, "PUT", f"/{bucket}/k", given, STREAM)
    chain = Chunks(headers)
    put(server, bucket, headers, chain.chunk(b"gz") + chain.chunk(b"") + b"\r\n")
    found = send(server, "HEAD", f"/{bucket}/k", signed(server, "HEAD", f"/{bucket}/k"))
    assert found.headers["content-encoding"] == "gzip"


def flip(body: bytes) -> bytes:
    at = body.index(b"hello")
    return body[:at] + b"jello" + body[at + 5 :]


def drop_first(body: bytes) -> bytes:
    return body[body.index(b"hello\r\n") + 7 :]


def swap(body: bytes) -> bytes:
    first, last = body.index(b"hello\r\n") + 7, body.index(b" you!\r\n") + 7
    return body[first:last] + body[:first] + body[last:]


def cut_between(body: bytes) -> bytes:
    return body[: body.index(b" you!\r\n") + 7]


def cut_within(body: bytes) -> bytes:
    return body[: body.index(b" you!") + 2]


def end_early(body: bytes) -> bytes:
    """The last chunk at once: a truncation that keeps the grammar."""
    return body[: body.index(b"hello\r\n") + 7] + body[body.index(b" you!\r\n") + 7 :]


@pytest.mark.parametrize(
    ("damage", "status", "code"),
    [
        (flip, 403, "SignatureDoesNotMatch"),
        (drop_first, 403, "SignatureDoesNotMatch"),
        (swap, 403, "SignatureDoesNotMatch"),
        (end_early, 403, "SignatureDoesNotMatch"),
        (cut_between, 400, "IncompleteBody"),
        (cut_within, 400, "IncompleteBody"),
        (lambda body: body.replace(b"5;", b"4;", 1), 400, "IncompleteBody"),
        (lambda body: body.replace(b"5;", b"x;", 1), 400, "IncompleteBody"),
        (lambda body: body.replace(b";chunk-signature=", b";", 1), 400, "IncompleteBody"),
        (lambda body: body + b"more", 400, "IncompleteBody"),
        (lambda body: b"5\r\nhello\r\n5\r\n you!\r\n0\r\n\r\n", 400, "IncompleteBody"),
        (lambda body: b"", 400, "IncompleteBody"),
        (lambda body: b"x" * 9000, 400, "IncompleteBody"),
    ],
)
def test_chunks_that_were_tampered_with_are_refused(
    server: Server, bucket: str, damage: Callable[[bytes], bytes], status: int, code: str
) -> None:
    headers = chunked(server, bucket, STREAM, 10)
    chain = Chunks(headers)
    body = chain.chunk(b"hello") + chain.chunk(b" you!") + chain.chunk(b"") + b"\r\n"
    refused(server, bucket, put(server, bucket, headers, damage(body)), status, code)


@pytest.mark.parametrize("size", [9, 11])
def test_the_decoded_length_must_be_what_was_said(server: Server, bucket: str, size: int) -> None:
    headers = chunked(server, bucket, STREAM, size)
    chain = Chunks(headers)
    body = chain.chunk(b"hello you!") + chain.chunk(b"") + b"\r\n"
    refused(server, bucket, put(server, bucket, headers, body), 400, "IncompleteBody")


def test_chunks_without_the_decoded_length_are_refused(server: Server, bucket: str) -> None:
    headers = signed(server, "PUT", f"/{bucket}/k", {}, STREAM)
    chain = Chunks(headers)
    body = chain.chunk(b"hello") + chain.chunk(b"") + b"\r\n"
    refused(server, bucket, put(server, bucket, headers, body), 411, "MissingContentLength")


def test_signed_chunks_need_a_version_4_signature(server: Server, bucket: str) -> None:
    given = {"x-amz-content-sha256": STREAM, "x-amz-decoded-content-length": "1"}
    headers = signed_v2(server, "PUT", f"/{bucket}/k", given)
    refused(server, bucket, put(server, bucket, headers, b"x"), 400, "InvalidRequest")


def test_elliptic_curve_chunks_are_refused_by_name(server: Server, bucket: str) -> None:
    headers = chunked(server, bucket, "STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD")
    refused(server, bucket, put(server, bucket, headers, b"x"), 501, "NotImplemented")


# -- trailers --------------------------------------------------------------------------------------


def trailing(server: Server, bucket: str, digest: str, promised: str) -> dict[str, str]:
    return chunked(server, bucket, digest, 5, x_amz_trailer=promised)


@pytest.mark.parametrize("end", ["\r\n\r\n", "\n\r\n\r\n", "\r\n"])
def test_an_unsigned_trailer_is_checked_and_kept(server: Server, bucket: str, end: str) -> None:
    headers = trailing(server, bucket, UNSIGNED_TRAILER, "x-amz-checksum-crc32")
    line = f"x-amz-checksum-crc32:{crc32(b'hello')}{end}"
    answer = put(server, bucket, headers, b"5\r\nhello\r\n0\r\n" + line.encode())
    assert answer.headers["x-amz-checksum-crc32"] == crc32(b"hello")
    assert stored(server, bucket) == b"hello"


def test_chunks_may_come_within_http_chunks(server: Server, bucket: str) -> None:
    headers = trailing(server, bucket, UNSIGNED_TRAILER, "x-amz-checksum-crc32")
    inner = f"5\r\nhello\r\n0\r\nx-amz-checksum-crc32:{crc32(b'hello')}\r\n\r\n".encode()
    body = b"7\r\n%s\r\n%x\r\n%s\r\n0\r\n\r\n" % (inner[:7], len(inner) - 7, inner[7:])
    answer = put(server, bucket, {**headers, "Transfer-Encoding": "chunked"}, body)
    assert answer.status == 200
    assert stored(server, bucket) == b"hello"


@pytest.mark.parametrize(
    ("promised", "tail", "status", "code"),
    [
        ("x-amz-checksum-crc32", f"x-amz-checksum-crc32:{crc32(b'x')}\r\n\r\n", 400, "BadDigest"),
        ("x-amz-checksum-crc32", "x-amz-checksum-crc32:?\r\n\r\n", 400, "InvalidRequest"),
        ("x-amz-checksum-crc32", "\r\n", 400, "MalformedTrailerError"),
        ("x-amz-checksum-crc32", "", 400, "MalformedTrailerError"),
        (
            "x-amz-checksum-crc32",
            f"x-amz-checksum-sha1:{b64(hashlib.sha1(b'hello').digest())}\r\n\r\n",
            400,
            "MalformedTrailerError",
        ),
        ("x-amz-checksum-crc32", "no colon\r\n\r\n", 400, "IncompleteBody"),
        ("x-amz-meta-a", "x-amz-meta-a:1\r\n\r\n", 400, "InvalidRequest"),
        ("x-amz-checksum-crc99", "x-amz-checksum-crc99:1\r\n\r\n", 400, "InvalidRequest"),
    ],
)
def test_a_trailer_that_is_not_what_was_promised_is_refused(
    server: Server, bucket: str, promised: str, tail: str, status: int, code: str
) -> None:
    headers = trailing(server, bucket, UNSIGNED_TRAILER, promised)
    body = b"5\r\nhello\r\n0\r\n" + tail.encode()
    refused(server, bucket, put(server, bucket, headers, body), status, code)


def test_unsigned_chunks_need_no_trailer(server: Server, bucket: str) -> None:
    headers = chunked(server, bucket, UNSIGNED_TRAILER, 5)
    answer = put(server, bucket, headers, b"5\r\nhello\r\n0\r\n\r\n")
    assert answer.status == 200
    assert "x-amz-checksum-crc64nvme" in answer.headers


def test_a_signed_trailer_is_checked_and_kept(server: Server, bucket: str) -> None:
    headers = trailing(server, bucket, TRAILER, "x-amz-checksum-crc32")
    chain = Chunks(headers)
    body = chain.chunk(b"hello") + chain.chunk(b"")
    body += chain.trailer(f"x-amz-checksum-crc32:{crc32(b'hello')}")
    assert put(server, bucket, headers, body).status == 200
    assert stored(server, bucket) == b"hello"


@pytest.mark.parametrize(
    ("damage", "status", "code"),
    [
        (lambda t: t.replace(b"signature:", b"signature:0"), 403, "SignatureDoesNotMatch"),
        (lambda t: t[: t.index(b"x-amz-trailer-signature")], 403, "SignatureDoesNotMatch"),
        (lambda t: t.replace(b"crc32:", b"crc32:A"), 403, "SignatureDoesNotMatch"),
        (lambda t: b"\r\n", 403, "SignatureDoesNotMatch"),
    ],
)
def test_a_signed_trailer_that_was_tampered_with_is_refused(
    server: Server, bucket: str, damage: Callable[[bytes], bytes], status: int, code: str
) -> None:
    headers = trailing(server, bucket, TRAILER, "x-amz-checksum-crc32")
    chain = Chunks(headers)
    body = chain.chunk(b"hello") + chain.chunk(b"")
    body += damage(chain.trailer(f"x-amz-checksum-crc32:{crc32(b'hello')}"))
    refused(server, bucket, put(server, bucket, headers, body), status, code)
