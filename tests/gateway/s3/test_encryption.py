"""Encryption at rest: all three kinds of it alike, through boto3, and what lies on the disk."""

import base64
import hashlib
import json
import os
from pathlib import Path
from typing import Any

import pytest

from s3store.records import Draft
from s3store.sealing import Sealing
from tests.gateway.s3.kinds import (
    KEY,
    KINDS,
    LARGE,
    OTHER,
    PART,
    PLAIN,
    SMALL,
    Kind,
    customer,
    md5,
    refusal,
    upload,
)
from tests.gateway.s3.servers import Server


@pytest.fixture(params=sorted(KINDS))
def kind(request: pytest.FixtureRequest) -> Kind:
    """Each kind of encryption."""
    return KINDS[request.param]


def blobs(root: Path) -> set[Path]:
    """The files of contents that are on the disk of the store."""
    return {path for path in (root / "objects" / "blobs").rglob("*") if path.is_file()}


@pytest.mark.parametrize("content", [b"", SMALL, LARGE], ids=["empty", "small", "large"])
def test_an_object_comes_back_whole_and_in_ranges(
    secure: Any, bucket: str, kind: Kind, content: bytes
) -> None:
    made = secure.put_object(Bucket=bucket, Key="k", Body=content, **kind.write)
    assert kind.holds(made)
    assert (made["ETag"] == md5(content)) is not kind.opaque
    got = secure.get_object(Bucket=bucket, Key="k", **kind.read)
    assert (got["Body"].read(), got["ContentLength"]) == (content, len(content))
    assert kind.holds(got)
    assert got["ETag"] == made["ETag"]
    for first, last in ((0, 0), (65535, 65536), (1, 70000), (7_000_000, 7_000_001)):
        if last < len(content):
            span = f"bytes={first}-{last}"
            part = secure.get_object(Bucket=bucket, Key="k", Range=span, **kind.read)
            assert part["Body"].read() == content[first : last + 1]
            assert part["ContentRange"] == f"bytes {first}-{last}/{len(content)}"
    if content:
        tail = secure.get_object(Bucket=bucket, Key="k", Range="bytes=-5", **kind.read)
        assert tail["Body"].read() == content[-5:]


def test_sizes_told_are_those_of_the_content(secure: Any, bucket: str, kind: Kind) -> None:
    secure.put_object(Bucket=bucket, Key="k", Body=SMALL, **kind.write)
    head = secure.head_object(Bucket=bucket, Key="k", **kind.read)
    assert head["ContentLength"] == len(SMALL)
    assert kind.holds(head)
    assert secure.list_objects_v2(Bucket=bucket)["Contents"][0]["Size"] == len(SMALL)
    told = secure.get_object_attributes(
        Bucket=bucket, Key="k", ObjectAttributes=["ObjectSize"], **kind.read
    )
    assert told["ObjectSize"] == len(SMALL)


def test_neither_content_nor_keys_lie_on_the_disk(
    server: Server, secure: Any, bucket: str, kind: Kind
) -> None:
    mark, before = os.urandom(20).hex().encode(), blobs(server.root)
    secure.put_object(Bucket=bucket, Key="small", Body=mark, **kind.write)
    secure.put_object(Bucket=bucket, Key="large", Body=mark * 50_000, **kind.write)
    named = (server.root / "keys" / "named.json").exists() and json.loads(
        (server.root / "keys" / "named.json").read_text()
    )["keys"]
    secrets = [KEY] + [base64.b64decode(each["key"]) for each in (named or {}).values()]
    if (server.root / "keys" / "master").exists():
        secrets.append((server.root / "keys" / "master").read_bytes())
    spelled = [text for key in secrets for text in (key, base64.b64encode(key), key.hex().encode())]
    content = blobs(server.root) - before
    index = set((server.root / "objects").glob("index.sqlite*"))
    assert len(content) == 1  # the small one is in the index
    for path in content | index | {server.root / "log"}:
        data = path.read_bytes()
        assert mark not in data
        assert not any(secret in data for secret in spelled)


def test_checksums_are_of_the_content(secure: Any, bucket: str, kind: Kind) -> None:
    sha256 = base64.b64encode(hashlib.sha256(SMALL).digest()).decode()
    digest = base64.b64encode(hashlib.md5(SMALL).digest()).decode()
    put = {"Bucket": bucket, "Key": "k", "Body": SMALL, **kind.write}
    secure.put_object(**put, ContentMD5=digest)
    secure.put_object(**put, ChecksumSHA256=sha256)
    got = secure.get_object(Bucket=bucket, Key="k", ChecksumMode="ENABLED", **kind.read)
    assert got["ChecksumSHA256"] == sha256
    assert got["Body"].read() == SMALL
    wrong = base64.b64encode(bytes(16)).decode()
    assert refusal(secure.put_object, **put, ContentMD5=wrong) == (400, "BadDigest")
    wrong = base64.b64encode(bytes(32)).decode()
    assert refusal(secure.put_object, **put, ChecksumSHA256=wrong) == (400, "BadDigest")


# -- copies ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("into", [*sorted(KINDS), "plain"])
def test_an_object_can_be_copied_into_every_kind(
    secure: Any, bucket: str, kind: Kind, into: str
) -> None:
    target = KINDS.get(into, PLAIN)
    secure.put_object(Bucket=bucket, Key="from", Body=LARGE, **kind.write)
    copied = secure.copy_object(
        Bucket=bucket, Key="to", CopySource=f"{bucket}/from", **kind.source, **target.write
    )
    assert target.holds(copied)
    if not target.opaque:
        assert copied["CopyObjectResult"]["ETag"] == md5(LARGE)
    secure.delete_object(Bucket=bucket, Key="from")
    got = secure.get_object(Bucket=bucket, Key="to", **target.read)
    assert got["Body"].read() == LARGE
    assert target.holds(got)
    assert ("ServerSideEncryption" in got) == (into in ("named", "service"))


def test_a_plain_object_can_be_encrypted_where_it_is(secure: Any, bucket: str, kind: Kind) -> None:
    secure.put_object(Bucket=bucket, Key="k", Body=SMALL, Metadata={"a": "b"})
    here = {"Bucket": bucket, "Key": "k", "CopySource": f"{bucket}/k"}
    assert refusal(secure.copy_object, **here) == (400, "InvalidRequest")
    secure.copy_object(**here, **kind.write)
    got = secure.get_object(Bucket=bucket, Key="k", **kind.read)
    assert (got["Body"].read(), got["Metadata"]) == (SMALL, {"a": "b"})


def test_a_reader_does_not_say_how_to_encrypt(secure: Any, server: Server, bucket: str) -> None:
    secure.put_object(Bucket=bucket, Key="k", Body=SMALL, ServerSideEncryption="AES256")
    client = server.client()
    client.meta.events.register("before-sign.s3", _as_a_writer)
    assert refusal(client.get_object, Bucket=bucket, Key="k") == (400, "InvalidArgument")
    assert refusal(client.head_object, Bucket=bucket, Key="k")[0] == 400


def _as_a_writer(request: Any, **_: Any) -> None:
    request.headers["x-amz-server-side-encryption"] = "AES256"


# -- uploads in parts ------------------------------------------------------------------------------


def test_an_object_in_parts_comes_back_whole_in_ranges_and_by_part(
    secure: Any, bucket: str, kind: Kind
) -> None:
    parts = LARGE[:PART], LARGE[PART:]
    begun, whole = upload(secure, bucket, "k", kind, *parts)
    assert kind.holds(begun)
    assert whole["ETag"].endswith('-2"')
    which = {"Bucket": bucket, "Key": "k", **kind.read}
    got = secure.get_object(**which)
    assert got["Body"].read() == LARGE
    assert kind.holds(got)
    around = secure.get_object(**which, Range=f"bytes={PART - 70000}-{PART + 9}")
    assert around["Body"].read() == LARGE[PART - 70000 : PART + 10]
    for number, part in enumerate(parts, 1):
        one = secure.get_object(**which, PartNumber=number)
        assert (one["Body"].read(), one["PartsCount"]) == (part, 2)
    assert secure.head_object(**which, PartNumber=2)["ContentLength"] == len(parts[1])


def test_an_object_of_one_empty_part_is_empty(secure: Any, bucket: str, kind: Kind) -> None:
    upload(secure, bucket, "k", kind, b"")
    assert secure.get_object(Bucket=bucket, Key="k", **kind.read)["Body"].read() == b""


def test_etags_of_parts_tell_nothing_where_the_objects_does_not(
    secure: Any, bucket: str, kind: Kind
) -> None:
    begun = secure.create_multipart_upload(Bucket=bucket, Key="k", **kind.write)
    which = {"Bucket": bucket, "Key": "k", "UploadId": begun["UploadId"]}
    sent = secure.upload_part(**which, PartNumber=1, Body=SMALL, **kind.read)
    assert (sent["ETag"] == md5(SMALL)) is not kind.opaque
    assert secure.list_parts(**which, **kind.read)["Parts"][0]["Size"] == len(SMALL)


def test_an_object_in_parts_can_be_copied(secure: Any, bucket: str, kind: Kind) -> None:
    upload(secure, bucket, "k", kind, LARGE[:PART], LARGE[PART:])
    secure.copy_object(
        Bucket=bucket, Key="to", CopySource=f"{bucket}/k", **kind.source, **kind.write
    )
    assert secure.get_object(Bucket=bucket, Key="to", **kind.read)["Body"].read() == LARGE


def test_parts_can_be_copied_from_every_kind(secure: Any, bucket: str, kind: Kind) -> None:
    secure.put_object(Bucket=bucket, Key="from", Body=LARGE, **kind.write)
    begun = secure.create_multipart_upload(Bucket=bucket, Key="to", **customer(OTHER))
    which = {"Bucket": bucket, "Key": "to", "UploadId": begun["UploadId"]}
    done = []
    for number, span in enumerate((f"bytes=1-{PART}", f"bytes={PART + 1}-{len(LARGE) - 1}"), 1):
        copied = secure.upload_part_copy(
            **which,
            PartNumber=number,
            CopySource=f"{bucket}/from",
            CopySourceRange=span,
            **kind.source,
            **customer(OTHER),
        )
        done.append({"PartNumber": number, "ETag": copied["CopyPartResult"]["ETag"]})
    secure.complete_multipart_upload(**which, MultipartUpload={"Parts": done})
    got = secure.get_object(Bucket=bucket, Key="to", **customer(OTHER))
    assert got["Body"].read() == LARGE[1:]


# -- damage ----------------------------------------------------------------------------------------


def test_damage_is_not_handed_out(server: Server, secure: Any, bucket: str, kind: Kind) -> None:
    secure.put_object(Bucket=bucket, Key="k", Body=LARGE, **kind.write)
    store = server.store()
    version = store.head(store.bucket(bucket), "k")
    (file,) = (server.root / "objects").rglob(version.id)
    data = bytearray(file.read_bytes())
    data[100] ^= 1
    file.write_bytes(data)
    assert refusal(secure.get_object, Bucket=bucket, Key="k", **kind.read) == (500, "InternalError")
    rest = secure.get_object(Bucket=bucket, Key="k", Range="bytes=65536-", **kind.read)
    assert rest["Body"].read() == LARGE[65536:]


def test_a_seal_moved_to_another_object_does_not_open(
    server: Server, secure: Any, bucket: str, kind: Kind
) -> None:
    secure.put_object(Bucket=bucket, Key="k", Body=SMALL, **kind.write)
    store = server.store()
    home = store.bucket(bucket)
    draft = Draft(seal=store.head(home, "k").seal, cipher=Sealing(os.urandom(32)))
    for key in ("k", "moved"):
        store.put(home, key, [SMALL], draft)
        refused = refusal(secure.get_object, Bucket=bucket, Key=key, **kind.read)
        broken = (500, "InternalError")
        assert refused == ((403, "AccessDenied") if kind.read and key == "moved" else broken)
