"""A real nginx before the gateway, which leaves the sending of objects to it.

Whoever sends: to a client every answer through nginx is the one that the gateway gives itself.
"""

import hashlib
import os
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from botocore.exceptions import ClientError

from gateway.s3.web.handover import CARRIED, METADATA, RENAMED
from tests.clients.nginx import CONFIGURATION, SECRET, Nginx, nginx
from tests.gateway.s3.raw import Answer, send, signed
from tests.gateway.s3.servers import Server, serving

MIB = 1 << 20
PLAIN = os.urandom(300_000)
INLINE = b"small enough for the index"
PART = os.urandom(5 * MIB)
# What two answers to one request need not share.
_OF_EACH = {"date", "server", "connection", "x-amz-request-id", "x-amz-id-2"}
_RULES = {
    "CORSRules": [
        {
            "AllowedOrigins": ["https://page.example"],
            "AllowedMethods": ["GET"],
            "ExposeHeaders": ["ETag", "x-amz-meta-mtime"],
            "MaxAgeSeconds": 60,
        }
    ]
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    application = f"tests.gateway.s3.serving:create(accel={SECRET!r})"
    with serving(tmp_path_factory.mktemp("s3"), application=application) as running:
        yield running


@pytest.fixture(scope="module")
def proxy(tmp_path_factory: pytest.TempPathFactory, server: Server) -> Iterator[Nginx]:
    with nginx(tmp_path_factory.mktemp("nginx") / "n", server, server.root / "objects") as running:
        yield running


@pytest.fixture(scope="module", autouse=True)
def objects(server: Server, proxy: Nginx) -> None:
    """Uploaded through nginx: one of each kind of place that content may lie in."""
    client = proxy.front.client()
    client.create_bucket(Bucket="kinds")
    client.put_bucket_cors(Bucket="kinds", CORSConfiguration=_RULES)
    client.put_object(
        Bucket="kinds",
        Key="plain/../ä b//c",
        Body=PLAIN,
        ContentType="text/plain;charset=utf-8",
        CacheControl="max-age=60",
        ContentDisposition='attachment; filename="a.txt"',
        ContentEncoding="identity",
        ContentLanguage="de",
        Expires=datetime(2030, 1, 2, tzinfo=UTC),
        Metadata={"mtime": "1700000000.5"},
        Tagging="a=b&c=d",
    )
    client.put_object(Bucket="kinds", Key="other", Body=PLAIN, Metadata={"colour": "red"})
    client.put_object(Bucket="kinds", Key="inline", Body=INLINE)
    client.put_object(Bucket="kinds", Key="sealed", Body=PLAIN, ServerSideEncryption="AES256")
    upload = client.create_multipart_upload(Bucket="kinds", Key="parts")["UploadId"]
    about = {"Bucket": "kinds", "Key": "parts", "UploadId": upload}
    parts = [
        {
            "PartNumber": n,
            "ETag": client.upload_part(**about, PartNumber=n, Body=PART[: MIB * 5 // n])["ETag"],
        }
        for n in (1, 2)
    ]
    client.complete_multipart_upload(**about, MultipartUpload={"Parts": parts})


def ask(server: Server, path: str, headers: Mapping[str, str], method: str = "GET") -> Answer:
    return send(server, method, path, signed(server, method, path, headers))


def told(answer: Answer) -> dict[str, str]:
    return {name: value for name, value in answer.headers.items() if name not in _OF_EACH}


def sent(proxy: Nginx, answer: Answer) -> str:
    return proxy.sent(answer.headers["x-amz-request-id"])


_PLAIN = "/kinds/plain/../%C3%A4%20b//c"
_WHOLE = hashlib.md5(PLAIN).hexdigest()
_SENT_BY_NGINX: dict[str, tuple[str, dict[str, str]]] = {
    "all of it": (_PLAIN, {}),
    "with its checksum": (_PLAIN, {"x-amz-checksum-mode": "ENABLED"}),
    "for a page of another origin": (_PLAIN, {"Origin": "https://page.example"}),
    "a range": (_PLAIN, {"Range": "bytes=70000-200000"}),
    "a range to the end": (_PLAIN, {"Range": "bytes=299990-"}),
    "a range beyond the end": (_PLAIN, {"Range": "bytes=5-999999999"}),
    "the last bytes": (_PLAIN, {"Range": "bytes=-7"}),
    "more last bytes than there are": (_PLAIN, {"Range": "bytes=-999999"}),
    "called otherwise": (f"{_PLAIN}?response-content-type=a%2Fb&response-expires=0", {}),
}
_SENT_BY_US: dict[str, tuple[str, dict[str, str]]] = {
    "several ranges": (_PLAIN, {"Range": "bytes=0-1,5-6"}),
    "a range spelled oddly": (_PLAIN, {"Range": "bytes = 0-1"}),
    "an impossible range": (_PLAIN, {"Range": "bytes=300000-"}),
    "a range of something else": (_PLAIN, {"Range": "lines=1-2"}),
    "a part": (f"{_PLAIN}?partNumber=1", {}),
    "if it is still that": (_PLAIN, {"If-Match": f'"{_WHOLE}"'}),
    "unless it is still that": (_PLAIN, {"If-None-Match": f'"{_WHOLE}"'}),
    "if it is another": (_PLAIN, {"If-Match": '"0"'}),
    "a range if it is still that": (_PLAIN, {"Range": "bytes=0-1", "If-Range": '"0"'}),
    "if it changed": (_PLAIN, {"If-Modified-Since": "Sat, 01 Jan 2050 00:00:00 GMT"}),
    "if it did not": (_PLAIN, {"If-Unmodified-Since": "Sat, 01 Jan 2000 00:00:00 GMT"}),
    "metadata that nginx does not know": ("/kinds/other", {}),
    "in the index": ("/kinds/inline", {}),
    "encrypted": ("/kinds/sealed", {}),
    "in parts": ("/kinds/parts", {}),
    "a range within a part": ("/kinds/parts", {"Range": "bytes=1-5"}),
    "not there": ("/kinds/nothing", {}),
}


@pytest.mark.parametrize("case", _SENT_BY_NGINX)
def test_what_nginx_sends_is_what_the_gateway_would_have_sent(
    server: Server, proxy: Nginx, case: str
) -> None:
    path, headers = _SENT_BY_NGINX[case]
    through = ask(proxy.front, path, headers)
    expected = ask(server, path, headers)
    assert (through.status, told(through)) == (expected.status, told(expected))
    assert through.body == expected.body
    assert through.body
    assert through.headers["x-amz-id-2"]
    assert sent(proxy, through) == f"{through.status} {expected.status} @content"


@pytest.mark.parametrize("case", _SENT_BY_US)
def test_what_nginx_would_answer_otherwise_the_gateway_sends_itself(
    server: Server, proxy: Nginx, case: str
) -> None:
    path, headers = _SENT_BY_US[case]
    through = ask(proxy.front, path, headers)
    expected = ask(server, path, headers)
    assert (through.status, told(through)) == (expected.status, told(expected))
    assert through.code == expected.code
    if not through.code:
        assert through.body == expected.body
    assert sent(proxy, through) == f"{through.status} {expected.status} -"


def test_a_head_says_what_a_get_does(proxy: Nginx) -> None:
    head, got = (ask(proxy.front, _PLAIN, {}, method) for method in ("HEAD", "GET"))
    assert told(head) == told(got)


def test_boto3_does_not_notice_who_sends(proxy: Nginx) -> None:
    client = proxy.front.client()
    content = os.urandom(64 * MIB)
    client.put_object(Bucket="kinds", Key="large", Body=content, ChecksumAlgorithm="SHA256")
    got = client.get_object(Bucket="kinds", Key="large", ChecksumMode="ENABLED")
    assert hashlib.sha256(got["Body"].read()).digest() == hashlib.sha256(content).digest()
    part = client.get_object(Bucket="kinds", Key="large", Range="bytes=1000000-33554431")
    assert part["Body"].read() == content[1_000_000:33_554_432]
    assert (part["ETag"], part["LastModified"]) == (got["ETag"], got["LastModified"])
    ids = [each["ResponseMetadata"]["HTTPHeaders"]["x-amz-request-id"] for each in (got, part)]
    assert [proxy.sent(each) for each in ids] == ["200 200 @content", "206 206 @content"]
    with pytest.raises(ClientError, match="304"):
        client.get_object(Bucket="kinds", Key="large", IfNoneMatch=got["ETag"])


def test_a_presigned_link_is_good_for_nginx_too(proxy: Nginx) -> None:
    client = proxy.front.client()
    about = {"Bucket": "kinds", "Key": "plain/../ä b//c"}
    target = urlsplit(client.generate_presigned_url("get_object", Params=about))
    path = f"{target.path}?{target.query}"
    host = {"Host": proxy.front.host}
    answer = send(proxy.front, "GET", path, host)
    assert answer.body == PLAIN
    assert sent(proxy, answer) == "200 200 @content"
    forged = path[:-1] + ("0" if path[-1] != "0" else "1")
    assert send(proxy.front, "GET", forged, host).code == "SignatureDoesNotMatch"


def test_who_asks_the_gateway_itself_gets_the_content_whatever_they_say(server: Server) -> None:
    for proof in ("", "guessed", SECRET[:-1], "\xe4"):
        given = signed(server, "GET", _PLAIN) | {"X-Pileus-Accel": proof}
        answer = send(server, "GET", _PLAIN, given)
        assert answer.body == PLAIN
        assert not {name for name in answer.headers if "accel" in name or "pileus" in name}


def test_a_client_cannot_pose_as_nginx_or_see_what_passes_between(proxy: Nginx) -> None:
    for spelling in ("X-Pileus-Accel", "X_Pileus_Accel"):
        given = signed(proxy.front, "GET", _PLAIN) | {spelling: SECRET[:-1]}
        answer = send(proxy.front, "GET", _PLAIN, given)
        assert answer.body == PLAIN
        assert not {name for name in answer.headers if "accel" in name or "pileus" in name}


@pytest.mark.parametrize("name", ["x-pileus-accel", "x_pileus_accel"])
def test_a_signature_over_what_nginx_adds_is_not_answered_with_it(proxy: Nginx, name: str) -> None:
    given = signed(proxy.front, "GET", _PLAIN)
    start, names, end = re.split("(?<=SignedHeaders=)([^,]*)", given["Authorization"])
    claimed = ";".join(sorted([*names.split(";"), name]))
    forged = given | {"Authorization": f"{start}{claimed}{end}"}
    answer = send(proxy.front, "GET", _PLAIN, forged)
    assert answer.code == "SignatureDoesNotMatch"
    assert f"{name}:REDACTED\n" in answer.body.decode()
    assert SECRET not in answer.body.decode()


@pytest.mark.parametrize("path", ["/@content", "/%40content/index.sqlite", "/blobs", "/content/"])
def test_nobody_can_ask_nginx_for_files(proxy: Nginx, path: str) -> None:
    forged = {"X-Pileus-File": "index.sqlite", "X-Accel-Redirect": "@content"}
    answer = send(proxy.front, "GET", path, {"Host": proxy.front.host, **forged})
    assert answer.status in (400, 403, 404)
    assert answer.code in ("InvalidBucketName", "AccessDenied", "NoSuchBucket")


def test_a_file_that_nginx_does_not_find_is_sent_by_the_gateway_after_all(
    tmp_path: Path, server: Server
) -> None:
    """As when an object was replaced between the gateway's answer and nginx's look."""
    with nginx(tmp_path / "n", server, tmp_path) as elsewhere:
        for headers in ({}, {"Range": "bytes=5-99"}):
            through, expected = (ask(s, _PLAIN, headers) for s in (elsewhere.front, server))
            assert (through.status, through.body) == (expected.status, expected.body)
            assert told(through) == told(expected)
            status = expected.status
            assert sent(elsewhere, through) == f"{status} {status} : {status} -"


def test_gateway_and_configuration_name_the_same_headers() -> None:
    lines = re.findall(r"add_header (\S+) \$upstream_http_(\w+);", CONFIGURATION.read_text())
    named = {name.lower(): source.replace("_", "-") for name, source in lines}
    assert set(named) == CARRIED | {f"x-amz-meta-{name}" for name in METADATA.split(",")}
    assert {name for name, source in named.items() if source != name} == RENAMED
    assert all(source.removeprefix("x-pileus-") == name for name, source in named.items())
