"""Bad input of every kind: the right code, never a 500, nothing stored, and nobody held up."""

import base64
import hashlib
import random
import re
import socket
from collections.abc import Iterator

import pytest

from tests.gateway.s3.raw import Answer, Chunks, call, receive, send, signed, signed_v2
from tests.gateway.s3.servers import Server
from tests.s3store.audit import assert_sound

SIGNED = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"
UNSIGNED_TRAILER = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
SEEDS = range(6)  # each of some dozen cases


def assert_refused(answer: Answer, *codes: str) -> None:
    assert 400 <= answer.status < 500, answer.body
    assert not codes or answer.code in codes, answer.body


@pytest.fixture(autouse=True)
def nothing_is_stored(server: Server, bucket: str) -> Iterator[None]:
    """Whatever was sent, nothing is there afterwards, and the server goes on."""
    yield
    assert b"<Key>" not in call(server, "GET", f"/{bucket}").body
    assert_sound(server.root / "objects")


def mutations(text: str, seed: int, count: int = 12) -> Iterator[str]:
    """A text with something changed, dropped, doubled or put in, in many places."""
    chance = random.Random(seed)
    for _ in range(count):
        at = chance.randrange(len(text))
        put = chance.choice(["", "%", "=", ",", "/", " ", "A", "0", "\xff", "Signature=", ";" * 99])
        cut = chance.choice([0, 1, 1, 5, len(text)])
        yield text[:at] + put + text[at + cut :]


# -- signatures ------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("version", [2, 4])
def test_no_changed_authorization_is_accepted(
    server: Server, bucket: str, seed: int, version: int
) -> None:
    path = f"/{bucket}/k"
    headers = (
        signed(server, "PUT", path, {}, "UNSIGNED-PAYLOAD")
        if version == 4
        else signed_v2(server, "PUT", path)
    )
    for changed in mutations(headers["Authorization"], seed):
        if changed.strip() != headers["Authorization"]:
            answer = send(server, "PUT", path, headers | {"Authorization": changed}, b"x")
            # Blanks between the parts mean nothing, so a change of them alone is none.
            blank = changed.replace(" ", "") == headers["Authorization"].replace(" ", "")
            assert blank or 400 <= answer.status < 500, (changed, answer.body)
            if answer.status == 200:
                assert call(server, "DELETE", path).status == 204


@pytest.mark.parametrize("seed", SEEDS)
def test_no_changed_presigned_url_is_accepted(server: Server, bucket: str, seed: int) -> None:
    url = server.client().generate_presigned_url("put_object", {"Bucket": bucket, "Key": "k"})
    query = url.partition("?")[2]
    chance = random.Random(seed)
    for _ in range(12):
        at = chance.randrange(len(query))
        digit = chance.choice([each for each in "0aZ%=&+" if each != query[at]])
        path = f"/{bucket}/k?{query[:at]}{digit}{query[at + 1 :]}"
        assert_refused(send(server, "PUT", path, {"Host": server.host}, b"x"))


@pytest.mark.parametrize(
    "date",
    [
        "",
        "x",
        "20261121",
        "99991231T235959Z",
        "00010101T000000Z",
        "20261332T250000Z",
        "9" * 5000,
        "Thu, 01 Jan 1970 00:00:00 GMT",
        "Fri, 31 Dec 9999 23:59:59 GMT",
        "Mon, 0 Foo 0 0:0:0 -9999",
    ],
)
def test_a_date_is_judged_and_never_trips(server: Server, bucket: str, date: str) -> None:
    path = f"/{bucket}/k"
    headers = signed(server, "PUT", path, {}, "UNSIGNED-PAYLOAD") | {"X-Amz-Date": date}
    assert_refused(send(server, "PUT", path, headers, b"x"))
    older = signed_v2(server, "PUT", path, {"Date": date})
    assert_refused(send(server, "PUT", path, older, b"x"))


# -- framing ---------------------------------------------------------------------------------------


def upload(server: Server, bucket: str, body: bytes, kind: str, size: int, **more: str) -> Answer:
    """An aws-chunked upload whose body is as it is."""
    given = {"X-Amz-Decoded-Content-Length": str(size), **more}
    headers = signed(server, "PUT", f"/{bucket}/k", given, kind)
    return send(server, "PUT", f"/{bucket}/k", headers, body)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\r\n",
        b"5",
        b"5\r\n",
        b"5\r\nhel",
        b"5\r\nhello",
        b"5\r\nhello\r\n",
        b"5\r\nhelloX\r\n0\r\n\r\n",
        b"6\r\nhello\r\n0\r\n\r\n",
        b"-5\r\nhello\r\n0\r\n\r\n",
        b"0x5\r\nhello\r\n0\r\n\r\n",
        b"5;chunk-signature=0\r\nhello\r\n0\r\n\r\n",
        b"FFFFFFFFFFFFFFFF\r\nhello\r\n0\r\n\r\n",
        b"F" * 17 + b"\r\nhello\r\n0\r\n\r\n",
        b"5\r\nhello\r\n0\r\nx-amz-checksum-crc32:AAAAAA==\r\n\r\n",
        b"5\r\nhello\r\n0\r\nno colon\r\n\r\n",
        b"5\r\nhello\r\n0\r\n" + b"a:b\r\n" * 100 + b"\r\n",
        b"5\r\nhello\r\n0\r\n" + b"a" * 20000,
        b"1" * 100_000,
        bytes(range(256)) * 64,
    ],
)
def test_broken_chunks_are_refused(server: Server, bucket: str, body: bytes) -> None:
    answer = upload(server, bucket, body, UNSIGNED_TRAILER, 5, X_Amz_Trailer="x-amz-checksum-crc32")
    assert_refused(answer)


@pytest.mark.parametrize(
    "size", ["-1", "1e3", "+5", "5 5", "\xb2", "9" * 19, "9" * 400, "0x5", " "]
)
def test_an_absurd_length_is_refused(server: Server, bucket: str, size: str) -> None:
    headers = signed(
        server, "PUT", f"/{bucket}/k", {"X-Amz-Decoded-Content-Length": size}, UNSIGNED_TRAILER
    )
    assert_refused(send(server, "PUT", f"/{bucket}/k", headers, b"5\r\nhello\r\n0\r\n\r\n"))
    plain = signed(server, "PUT", f"/{bucket}/k", {}, "UNSIGNED-PAYLOAD")
    assert_refused(send(server, "PUT", f"/{bucket}/k", plain | {"Content-Length": size}))


def test_an_object_beyond_the_limit_is_refused_before_it_comes(server: Server, bucket: str) -> None:
    headers = signed(server, "PUT", f"/{bucket}/k", {}, "UNSIGNED-PAYLOAD")
    huge = headers | {"Content-Length": str((5 << 30) + 1)}
    assert_refused(send(server, "PUT", f"/{bucket}/k", huge, hang_up=True), "EntityTooLarge")


@pytest.mark.parametrize("seed", SEEDS)
def test_signed_chunks_cannot_be_changed(server: Server, bucket: str, seed: int) -> None:
    chance = random.Random(seed)
    for _ in range(4):
        given = {"X-Amz-Decoded-Content-Length": "20000"}
        headers = signed(server, "PUT", f"/{bucket}/k", given, SIGNED)
        chunks = Chunks(headers)
        pieces = [chunks.chunk(b"a" * 10000), chunks.chunk(b"b" * 10000), chunks.chunk(b"")]
        body = bytearray(b"".join(pieces))
        way = chance.randrange(4)
        if way == 0:
            body[chance.randrange(len(body) - 2)] ^= 1 << chance.randrange(7)
        elif way == 1:
            del body[chance.randrange(len(body) - 2) :]
        elif way == 2:
            body = bytearray(pieces[1] + pieces[0] + pieces[2])
        else:
            body = bytearray(pieces[0] + pieces[2])
        answer = send(server, "PUT", f"/{bucket}/k", headers, bytes(body))
        if not _only_case(bytes(body), b"".join(pieces)):
            assert_refused(answer, "SignatureDoesNotMatch", "IncompleteBody")
        else:
            assert call(server, "DELETE", f"/{bucket}/k").status == 204


def _only_case(body: bytes, good: bytes) -> bool:
    """Whether only the case of a hexadecimal size differs: that is no change."""
    sizes = re.compile(rb"(^|\r\n)([0-9a-fA-F]+);")
    return sizes.sub(lambda found: found[0].lower(), body) == good and body != good


# -- documents -------------------------------------------------------------------------------------

BOMB = b"".join(
    (
        b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY a "ha">',
        *(b'<!ENTITY %c "%s">' % (98 + n, b"&%c;" % (97 + n) * 10) for n in range(9)),
        b"]><Delete><Object><Key>&j;</Key></Object></Delete>",
    )
)
DOCUMENTS = [
    b"",
    b"x",
    b"<",
    b"<Delete",
    b"<Delete/>",
    b"<Other/>",
    b"<Delete><Object/></Delete>",
    b"<Delete><Object><Key>a</Key></Object></Other>",
    b"<Delete><Unknown/></Delete>",
    b"<Delete><Object><Key><a/></Key></Object></Delete>",
    b"<Delete>" + b"<Object><Key>a</Key></Object>" * 1001 + b"</Delete>",
    b"<a>" * 5000,
    b"<a>" * 300 + b"</a>" * 300,
    b'<!DOCTYPE a SYSTEM "file:///etc/passwd"><Delete><Object><Key>a</Key></Object></Delete>',
    b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]>'
    b"<Delete><Object><Key>&x;</Key></Object></Delete>",
    BOMB,
    b"<Delete><Object><Key>\x00</Key></Object></Delete>",
    b"<Delete><Object><Key>\xff\xfe</Key></Object></Delete>",
    b"<Delete><Object><Key>" + b"a" * (3 << 20) + b"</Key></Object></Delete>",
    b'<?xml version="1.0" encoding="utf-7"?><Delete/>',
    b'<?xml version="1.0" encoding="nonsense"?><Delete/>',
]


@pytest.mark.parametrize("number", range(len(DOCUMENTS)))
def test_a_document_that_is_none_is_refused(server: Server, bucket: str, number: int) -> None:
    document = DOCUMENTS[number]
    digest = hashlib.sha256(document).hexdigest()
    md5 = {"x-amz-checksum-sha256": _sha256(document)}
    answer = call(server, "POST", f"/{bucket}?delete", document, digest, **md5)
    assert_refused(answer, "MalformedXML", "MaxMessageLengthExceeded", "MissingRequestBodyError")
    assert b"root:" not in answer.body


@pytest.mark.parametrize(
    "query",
    [
        "acl",
        "cors",
        "lifecycle",
        "tagging",
        "versioning",
        "website",
        "policy",
        "notification",
        "encryption",
        "logging",
        "ownershipControls",
        "publicAccessBlock",
        "object-lock",
        "requestPayment",
        "inventory&id=a",
        "replication",
        "accelerate",
        "metrics&id=a",
    ],
)
def test_no_document_of_a_bucket_trips_the_server(server: Server, bucket: str, query: str) -> None:
    for document in (b"<", b"<a/>", b"{", BOMB, b"\xff", b"<a>" * 5000, b"[" * 100_000, b"null"):
        checksum = {"x-amz-checksum-sha256": _sha256(document)}
        answer = call(server, "PUT", f"/{bucket}?{query}", document, **checksum)
        assert 400 <= answer.status < 500 or answer.status == 501, (document[:50], answer.body)


def _sha256(data: bytes) -> str:
    return base64.b64encode(hashlib.sha256(data).digest()).decode()


# -- ranges, headers, paths ------------------------------------------------------------------------


@pytest.mark.parametrize(
    "span",
    [
        "bytes=",
        "bytes=-",
        "bytes=a-b",
        "bytes=5-1",
        "bytes=1-2,3-4",
        "lines=1-2",
        "bytes=1-2-3",
        "bytes=-0",
        "bytes=99999999999999999999-",
        "bytes=0-" + "9" * 4000,
        "=" * 99,
    ],
)
def test_no_range_trips_a_read(server: Server, bucket: str, span: str) -> None:
    assert call(server, "PUT", f"/{bucket}/k", b"0123456789").status == 200
    got = call(server, "GET", f"/{bucket}/k", Range=span)
    assert got.status in (200, 206, 416)
    assert got.status == 416 or got.body in (b"0123456789", b"123456789")
    assert call(server, "DELETE", f"/{bucket}/k").status == 204


@pytest.mark.parametrize(
    "name", ["x-amz-meta-a", "content-type", "x-amz-tagging", "cache-control", "x-amz-acl", "range"]
)
@pytest.mark.parametrize("size", [9_000, 16_000, 20_000, 1_000_000])
def test_headers_have_a_size(server: Server, bucket: str, name: str, size: int) -> None:
    headers = signed(server, "PUT", f"/{bucket}/k", {name: "a" * size}, "UNSIGNED-PAYLOAD")
    lines = "".join(f"{n}: {v}\r\n" for n, v in (headers | {"Content-Length": "1"}).items())
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as connection:
        try:
            connection.sendall(f"PUT /{bucket}/k HTTP/1.1\r\n{lines}\r\nx".encode())
            status = receive(connection, "PUT").status
        except ConnectionError:
            status = 400  # it did not even listen to the end
    if status == 200:  # what is only kept, and not metadata, may be long
        assert call(server, "DELETE", f"/{bucket}/k").status == 204
    else:
        assert 400 <= status < 500


@pytest.mark.parametrize(
    "key",
    [
        "..",
        "../x",
        "../../../../etc/passwd",
        "a/../../b",
        "%2e%2e/%2e%2e/x",
        "..%2f..%2fx",
        "%00",
        "a%00b",
        "C:%5Cx",
        "%0d%0aX: y",
        "~root",
        "$(id)",
        "'; DROP TABLE version; --",
        "%F0%9F%98%80",
    ],
)
def test_a_key_is_only_a_name(server: Server, bucket: str, key: str) -> None:
    path = f"/{bucket}/{key.replace(' ', '%20')}"
    before = {each.name for each in server.root.iterdir()}
    large = b"content" * 20_000  # too large for the index: there is a file
    assert call(server, "PUT", path, large).status == 200
    assert call(server, "GET", path).body == large
    assert {each.name for each in server.root.iterdir()} == before
    names = [each for each in (server.root / "objects" / "blobs").rglob("*") if each.is_file()]
    assert all(re.fullmatch("[0-9a-f]{32}", each.name) for each in names)
    assert call(server, "DELETE", path).status == 204


@pytest.mark.parametrize("key", ["%FF", "%C3", "a%80b", "%ED%A0%80", "%C0%AF", "%"])
def test_a_key_that_is_no_text_is_refused(server: Server, bucket: str, key: str) -> None:
    answer = call(server, "PUT", f"/{bucket}/{key}", b"x")
    if key == "%":  # a percent sign that encodes nothing stands for itself
        assert answer.status == 200
        assert call(server, "DELETE", f"/{bucket}/{key}").status == 204
    else:
        assert_refused(answer, "InvalidURI")


@pytest.mark.parametrize(
    "line",
    [
        "",
        "GET",
        "GET /",
        "GET / HTTP/9.9",
        "GET / HTTP/1.1 x",
        "\x00\x01\x02",
        "GÿT / HTTP/1.1",
        "GET http:// HTTP/1.1",
        "GET * HTTP/1.1",
        "CONNECT a:1 HTTP/1.1",
        "GET /%zz%% HTTP/1.1",
        "GET /?" + "&" * 8000 + " HTTP/1.1",
        "TRACE / HTTP/1.1",
        "OPTIONS * HTTP/1.1",
        "X" * 70000,
    ],
)
def test_no_request_line_trips_the_server(server: Server, line: str) -> None:
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as connection:
        connection.sendall(f"{line}\r\nHost: x\r\nConnection: close\r\n\r\n".encode("latin-1"))
        connection.shutdown(socket.SHUT_WR)
        answer = b""
        try:
            while more := connection.recv(65536):
                answer += more
        except ConnectionResetError:
            return
    assert not answer or re.match(rb"HTTP/1.1 (4|501|505)", answer), answer[:200]
