"""HTTP as clients of S3 expect it, and paths as nobody else has them."""

import json
import socket
import time
from urllib.parse import unquote

import pytest

from tests.gateway.s3.raw import call, receive, send, signed
from tests.gateway.s3.servers import MOUNT, Server
from tests.s3store.audit import assert_sound

IDS = {"x-amz-request-id", "x-amz-id-2"}


@pytest.mark.parametrize(
    "key",
    [
        "a//b",
        "/leading",
        "//",
        ".",
        "..",
        "a/../b",
        "./a",
        "a/",
        "%2F",
        "a%2Fb",
        "%20",
        "a+b",
        "%2B",
        "%25",
        "%2525",
        "%C3%BC",
        "%F0%9F%98%80",
        "%00",
        "%0A",
        "%3F",
        "%23",
        "a%3FversionId=1",
        "awsapi/rest/AmazonS3/x",
        "(!')*~;:@&=$,",
        "x" * 1024,
        "%C3%BC" * 512,
    ],
)
def test_a_key_is_whatever_the_raw_path_says(server: Server, bucket: str, key: str) -> None:
    for prefix in (f"/{bucket}/", f"{MOUNT}/{bucket}/"):
        content = (prefix + key).encode()
        assert call(server, "PUT", prefix + key, content).status == 200
        assert call(server, "GET", prefix + key).body == content
    listed = server.store().list(server.store().bucket(bucket)).entries
    assert [entry.key.decode() for entry in listed] == [unquote(key)]
    assert call(server, "DELETE", f"/{bucket}/{key}").status == 204


@pytest.mark.parametrize("key", ["x" * 1025, "%C3%BC" * 513])
def test_a_key_beyond_1024_bytes_is_too_long(server: Server, bucket: str, key: str) -> None:
    answer = call(server, "PUT", f"/{bucket}/{key}", b"x")
    assert (answer.status, answer.code) == (400, "KeyTooLongError")


@pytest.mark.parametrize("path", ["/{b}/%FF", "//k", "/{b}/%C3"])
def test_a_path_that_is_no_text_is_refused(server: Server, bucket: str, path: str) -> None:
    answer = call(server, "GET", path.format(b=bucket))
    assert (answer.status, answer.code) == (400, "InvalidURI")


def test_every_answer_has_its_own_ids(server: Server, bucket: str) -> None:
    answers = [
        call(server, "GET", "/"),
        call(server, "GET", f"/{bucket}/absent"),
        call(server, "HEAD", f"/{bucket}/absent"),
        call(server, "PUT", f"/{bucket}/k", b"x"),
        call(server, "DELETE", f"/{bucket}/k"),
        send(server, "GET", "/", {"Host": server.host}),
    ]
    assert all(answer.headers.keys() >= IDS for answer in answers)
    assert len({answer.headers["x-amz-request-id"] for answer in answers}) == len(answers)


def test_an_error_says_what_it_is_about(server: Server, bucket: str) -> None:
    answer = call(server, "GET", f"/{bucket}/a%26b")
    assert answer.status == 404
    assert answer.headers["content-type"] == "application/xml"
    assert answer.body.startswith(
        b'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>NoSuchKey<'
    )
    assert b"<Key>a&amp;b</Key>" in answer.body
    assert b"<Resource>/%s/a%%26b</Resource>" % bucket.encode() in answer.body
    assert answer.headers["x-amz-request-id"].encode() in answer.body
    missing = call(server, "GET", "/no-such-bucket/k")
    assert (missing.status, missing.code) == (404, "NoSuchBucket")
    assert b"<BucketName>no-such-bucket</BucketName>" in missing.body


def test_head_has_the_headers_of_get_and_no_body(server: Server, bucket: str) -> None:
    call(server, "PUT", f"/{bucket}/k", b"data")
    got, head = call(server, "GET", f"/{bucket}/k"), call(server, "HEAD", f"/{bucket}/k")
    changing = IDS | {"date"}
    assert {n: v for n, v in head.headers.items() if n not in changing} == {
        n: v for n, v in got.headers.items() if n not in changing
    }
    assert got.headers["content-type"] == "binary/octet-stream"
    assert got.headers["content-length"] == "4"


def test_errors_of_head_have_no_body(server: Server, bucket: str) -> None:
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as connection:
        for _ in range(2):  # on one connection: a stray body would spoil the second answer
            headers = signed(server, "HEAD", f"/{bucket}/absent")
            lines = "".join(f"{n}: {v}\r\n" for n, v in headers.items())
            connection.sendall(f"HEAD /{bucket}/absent HTTP/1.1\r\n{lines}\r\n".encode())
            assert receive(connection, "HEAD").status == 404


def test_204_and_304_have_neither_body_nor_type(server: Server, bucket: str) -> None:
    etag = call(server, "PUT", f"/{bucket}/k", b"x").headers["etag"]
    same = call(server, "GET", f"/{bucket}/k", If_None_Match=etag)
    gone = call(server, "DELETE", f"/{bucket}/k")
    assert (same.status, gone.status) == (304, 204)
    assert same.headers["etag"] == etag
    assert "last-modified" in same.headers
    assert not {"content-type", "content-length"} & gone.headers.keys()
    assert "content-type" not in same.headers


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("PUT", "?accelerate", 501, "NotImplemented"),
        ("PUT", "?replication", 501, "NotImplemented"),
        ("GET", "?inventory", 501, "NotImplemented"),
        ("PUT", "?metrics&id=a", 501, "NotImplemented"),
        ("GET", "?unheard-of", 501, "NotImplemented"),
        ("PUT", "?unheard-of", 501, "NotImplemented"),
        ("DELETE", "?unheard-of", 501, "NotImplemented"),
        ("PUT", "/k?unheard-of", 501, "NotImplemented"),
        ("PUT", "/k?versions", 501, "NotImplemented"),
        ("PUT", "/k?encryption", 501, "NotImplemented"),
        ("PUT", "/k?renameObject", 501, "NotImplemented"),
        ("PUT", "/k?uploadId=x", 501, "NotImplemented"),
        ("POST", "/k?restore", 501, "NotImplemented"),
        ("POST", "/k?select&select-type=2", 501, "NotImplemented"),
        ("POST", "/k", 405, "MethodNotAllowed"),
        ("POST", "", 405, "MethodNotAllowed"),
        ("PATCH", "/k", 405, "MethodNotAllowed"),
        ("GET", "/k?torrent", 501, "NotImplemented"),
        ("GET", "/k?unheard-of", 501, "NotImplemented"),
        ("DELETE", "/k?acl", 501, "NotImplemented"),
        ("GET", "?max-keys=many", 400, "InvalidArgument"),
        ("GET", "?max-keys=-1", 400, "InvalidArgument"),
        ("GET", "?encoding-type=rot13", 400, "InvalidArgument"),
        ("GET", "?list-type=2&continuation-token=%21", 400, "InvalidArgument"),
    ],
)
def test_what_is_not_offered_is_refused_and_never_taken_for_something_else(
    server: Server, bucket: str, method: str, path: str, status: int, code: str
) -> None:
    call(server, "PUT", f"/{bucket}/k", b"former")
    answer = call(server, method, f"/{bucket}{path}", b"body" if method in ("PUT", "POST") else b"")
    assert (answer.status, answer.code) == (status, code)
    assert call(server, "GET", f"/{bucket}/k").body == b"former"


def test_a_known_operation_is_refused_by_name(server: Server, bucket: str) -> None:
    assert (
        b"<Operation>RestoreObject</Operation>" in call(server, "POST", f"/{bucket}/k?restore").body
    )
    unknown = call(server, "PUT", f"/{bucket}?unheard-of").body
    assert b"<Parameter>unheard-of</Parameter>" in unknown


def test_the_null_version_is_the_only_one(server: Server, bucket: str) -> None:
    call(server, "PUT", f"/{bucket}/k", b"x")
    assert call(server, "GET", f"/{bucket}/k?versionId=null").body == b"x"


def test_a_large_upload_that_is_refused_still_sees_the_answer(server: Server, bucket: str) -> None:
    headers = {"Host": server.host, "Content-Type": "application/x-www-form-urlencoded"}
    answer = send(server, "PUT", f"/{bucket}/k", headers, bytes(6 << 20))
    assert (answer.status, answer.code) == (403, "AccessDenied")


def test_a_client_that_asks_first_is_told_to_go_on(server: Server, bucket: str) -> None:
    headers = signed(server, "PUT", f"/{bucket}/k", {}, "UNSIGNED-PAYLOAD")
    lines = "".join(f"{n}: {v}\r\n" for n, v in headers.items())
    head = f"PUT /{bucket}/k HTTP/1.1\r\n{lines}Content-Length: 2\r\nExpect: 100-Continue\r\n\r\n"
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as connection:
        connection.sendall(head.encode())
        assert connection.recv(25) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(b"ok")
        assert receive(connection, "PUT").status == 200


def test_a_form_is_only_bytes_to_an_upload(server: Server, bucket: str) -> None:
    kind = "application/x-www-form-urlencoded"
    call(server, "PUT", f"/{bucket}/k", b"a=1&b=2", Content_Type=kind)
    got = call(server, "GET", f"/{bucket}/k")
    assert (got.body, got.headers["content-type"]) == (b"a=1&b=2", kind)


def test_the_target_may_be_an_absolute_url(server: Server, bucket: str) -> None:
    headers = signed(server, "GET", f"/{bucket}")
    assert send(server, "GET", f"http://{server.host}/{bucket}", headers).status == 200


def test_small_answers_do_not_wait_for_an_acknowledgement(server: Server, bucket: str) -> None:
    call(server, "PUT", f"/{bucket}/k", b"x" * 100)
    times = []
    headers = signed(server, "GET", f"/{bucket}/k")
    lines = "".join(f"{n}: {v}\r\n" for n, v in headers.items())
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as connection:
        for _ in range(21):
            began = time.monotonic()
            connection.sendall(f"GET /{bucket}/k HTTP/1.1\r\n{lines}\r\n".encode())
            assert len(receive(connection, "GET").body) == 100
            times.append(time.monotonic() - began)
    # Waiting for a delayed acknowledgement would cost every one of them 40 ms.
    assert min(times) < 0.035, json.dumps(times)


def test_a_reader_does_not_wait_for_a_writer(server: Server, bucket: str) -> None:
    call(server, "PUT", f"/{bucket}/k", b"former")
    headers = signed(server, "PUT", f"/{bucket}/k", {}, "UNSIGNED-PAYLOAD")
    lines = "".join(f"{n}: {v}\r\n" for n, v in headers.items())
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as writer:
        writer.sendall(f"PUT /{bucket}/k HTTP/1.1\r\n{lines}Content-Length: 8\r\n\r\nhalf".encode())
        time.sleep(0.1)
        assert call(server, "GET", f"/{bucket}/k").body == b"former"
        writer.sendall(b"half")
        assert receive(writer, "PUT").status == 200
    assert call(server, "GET", f"/{bucket}/k").body == b"halfhalf"
    assert_sound(server.root / "objects")
