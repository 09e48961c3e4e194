"""Uploads in parts through boto3: what they become, and everything they may not."""

import hashlib
import os
import zlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from boto3.s3.transfer import TransferConfig
from botocore.exceptions import ClientError

from tests.gateway.s3.raw import send, signed
from tests.gateway.s3.refusals import refused
from tests.gateway.s3.sent import DATA, LEAST, Sent, spelled
from tests.gateway.s3.servers import BOB, Server


@pytest.fixture
def client(server: Server) -> Any:
    """Alice's client, which sends no checksums of its own accord."""
    return server.client(request_checksum_calculation="when_required")


def combined_etag(*parts: bytes) -> str:
    digests = b"".join(hashlib.md5(part).digest() for part in parts)
    return f'"{hashlib.md5(digests).hexdigest()}-{len(parts)}"'


def test_parts_become_one_object_with_what_was_said_at_the_start(
    server: Server, client: Any, bucket: str
) -> None:
    sent = Sent(
        client,
        bucket,
        "a b/ü",
        ContentType="text/plain",
        Metadata={"colour": "red"},
        StorageClass="STANDARD_IA",
        Tagging="a=1&b=2",
    )
    sent.part(2, b"end")
    sent.part(1, DATA)
    assert "Contents" not in client.list_objects_v2(Bucket=bucket)
    with refused(404, "404"):
        client.head_object(Bucket=bucket, Key="a b/ü")
    answer = sent.complete(sorted(sent.parts, key=lambda part: part["PartNumber"]))
    assert answer["ETag"] == combined_etag(DATA, b"end")
    assert (answer["Bucket"], answer["Key"]) == (bucket, "a b/ü")
    assert answer["Location"] == f"{server.url}/{bucket}/a%20b/%C3%BC"
    found = client.get_object(Bucket=bucket, Key="a b/ü")
    assert found["Body"].read() == DATA + b"end"
    assert (found["ContentType"], found["Metadata"]) == ("text/plain", {"colour": "red"})
    assert (found["StorageClass"], found["TagCount"]) == ("STANDARD_IA", 2)
    assert found["ETag"] == answer["ETag"]
    listed = client.list_objects_v2(Bucket=bucket)["Contents"][0]
    assert (listed["ETag"], listed["Size"]) == (answer["ETag"], LEAST + 3)


def test_the_transfer_manager_uploads_copies_and_downloads_in_parts(
    server: Server, bucket: str, tmp_path: Any
) -> None:
    client = server.client()
    config = TransferConfig(multipart_threshold=LEAST, multipart_chunksize=LEAST, max_concurrency=4)
    data = os.urandom(2 * LEAST + 17)
    (tmp_path / "sent").write_bytes(data)
    client.upload_file(str(tmp_path / "sent"), bucket, "k", Config=config)
    source = {"Bucket": bucket, "Key": "k"}
    client.copy(source, bucket, "copy", Config=config)
    client.download_file(bucket, "copy", str(tmp_path / "received"), Config=config)
    assert (tmp_path / "received").read_bytes() == data
    assert client.head_object(**source, PartNumber=1)["PartsCount"] == 3
    first, second = (
        client.head_object(Bucket=bucket, Key=key, ChecksumMode="ENABLED") for key in ("k", "copy")
    )
    assert first["ETag"].endswith('-3"')
    assert second["ETag"] == first["ETag"]
    assert first["ChecksumType"] == "COMPOSITE"
    assert first["ChecksumCRC32"].endswith("-3")


def test_ranges_reach_over_the_borders_of_parts(client: Any, bucket: str) -> None:
    sent = Sent(client, bucket)
    sent.part(1, DATA)
    sent.part(2, DATA[::-1])
    sent.part(3, b"end")
    sent.complete()
    whole = DATA + DATA[::-1] + b"end"
    for first, last in ((0, 0), (LEAST - 2, LEAST + 1), (LEAST, LEAST), (5, len(whole) - 1)):
        asked = f"bytes={first}-{last}"
        found = client.get_object(Bucket=bucket, Key="k", Range=asked)
        assert found["Body"].read() == whole[first : last + 1]
    found = client.get_object(Bucket=bucket, Key="k", Range="bytes=-4")
    assert found["Body"].read() == whole[-4:]


def test_a_part_sent_again_takes_the_place_of_the_former(client: Any, bucket: str) -> None:
    sent = Sent(client, bucket)
    sent.part(1, DATA)
    former = sent.parts[0]
    sent.parts.clear()
    sent.part(1, b"other")
    with refused(400, "InvalidPart"):
        sent.complete([former])
    sent.complete()
    assert client.get_object(Bucket=bucket, Key="k")["Body"].read() == b"other"


def test_parts_that_were_not_chosen_are_dropped_and_numbers_may_have_gaps(
    client: Any, bucket: str
) -> None:
    sent = Sent(client, bucket)
    for number, data in ((7, DATA), (8, b"dropped"), (10000, b"end")):
        sent.part(number, data)
    answer = sent.complete([sent.parts[0], sent.parts[2]])
    assert answer["ETag"] == combined_etag(DATA, b"end")
    assert client.get_object(Bucket=bucket, Key="k")["Body"].read() == DATA + b"end"


def test_etags_come_with_quotes_or_without(client: Any, bucket: str) -> None:
    sent = Sent(client, bucket)
    etag = sent.part(1, b"x")["ETag"]
    sent.complete([{"PartNumber": 1, "ETag": etag.strip('"')}])
    assert client.get_object(Bucket=bucket, Key="k")["Body"].read() == b"x"


def test_whoever_completes_again_gets_the_same_answer(client: Any, bucket: str) -> None:
    sent = Sent(client, bucket)
    sent.part(1, b"data")
    first, second = sent.complete(IfNoneMatch="*"), sent.complete(IfNoneMatch="*")
    assert first["ETag"] == second["ETag"]
    client.put_object(Bucket=bucket, Key="k", Body=b"newer")
    assert sent.complete()["ETag"] == first["ETag"]
    assert client.get_object(Bucket=bucket, Key="k")["Body"].read() == b"newer"


def test_a_completion_must_name_parts_that_are_there_in_order(client: Any, bucket: str) -> None:
    sent = Sent(client, bucket)
    sent.part(1, DATA)
    sent.part(2, b"end")
    one, two = sent.parts
    for parts, code in (
        ([], "MalformedXML"),
        ([two, one], "InvalidPartOrder"),
        ([one, one], "InvalidPartOrder"),
        ([one, {**two, "PartNumber": 3}], "InvalidPart"),
        ([one, {**two, "ETag": "0" * 32}], "InvalidPart"),
        ([{"PartNumber": 1}], "MalformedXML"),
    ):
        with refused(400, code):
            sent.complete(parts)
    with refused(400, "InvalidRequest"):
        sent.complete(MpuObjectSize=7)
    sent.complete(MpuObjectSize=LEAST + 3)


def test_only_the_last_part_may_be_small(client: Any, bucket: str) -> None:
    sent = Sent(client, bucket)
    sent.part(1, b"small")
    sent.part(2, b"end")
    with refused(400, "EntityTooSmall"):
        sent.complete()
    sent.complete(sent.parts[:1])


def test_a_completion_may_have_a_condition(client: Any, bucket: str) -> None:
    etag = client.put_object(Bucket=bucket, Key="k", Body=b"old")["ETag"]
    sent = Sent(client, bucket)
    sent.part(1, b"new")
    with refused(412, "PreconditionFailed"):
        sent.complete(IfNoneMatch="*")
    with refused(412, "PreconditionFailed"):
        sent.complete(IfMatch='"other"')
    sent.complete(IfMatch=etag)
    assert client.get_object(Bucket=bucket, Key="k")["Body"].read() == b"new"


def test_an_upload_that_is_not_there_is_refused_everywhere(client: Any, bucket: str) -> None:
    sent = Sent(client, bucket)
    sent.part(1, b"x")
    client.abort_multipart_upload(**sent.place)
    client.put_object(Bucket=bucket, Key="from", Body=b"x")
    calls: list[Callable[[], Any]] = [
        lambda: sent.part(1, b"x"),
        lambda: sent.complete(),
        lambda: client.abort_multipart_upload(**sent.place),
        lambda: client.list_parts(**sent.place),
        lambda: client.upload_part_copy(**sent.place, PartNumber=1, CopySource=f"{bucket}/from"),
        lambda: client.list_parts(Bucket=bucket, Key="k", UploadId="no such upload"),
    ]
    for call in calls:
        with refused(404, "NoSuchUpload"):
            call()
    assert "Contents" not in client.list_objects_v2(Bucket=bucket, Prefix="k")


def test_a_completed_upload_takes_no_more_parts(client: Any, bucket: str) -> None:
    sent = Sent(client, bucket)
    sent.part(1, b"x")
    sent.complete()
    calls: list[Callable[[], Any]] = [
        lambda: sent.part(1, b"y"),
        lambda: client.abort_multipart_upload(**sent.place),
        lambda: client.list_parts(**sent.place),
    ]
    for call in calls:
        with refused(404, "NoSuchUpload"):
            call()
    assert "Uploads" not in client.list_multipart_uploads(Bucket=bucket)


@pytest.mark.parametrize("number", [0, 10001, -1])
def test_parts_are_numbered_from_one_to_ten_thousand(client: Any, bucket: str, number: int) -> None:
    sent = Sent(client, bucket)
    with refused(400, "InvalidArgument"):
        sent.part(number, b"x")


def test_nobody_else_gets_at_an_upload(server: Server, client: Any, bucket: str) -> None:
    sent = Sent(client, bucket)
    with refused(403, "AccessDenied"):
        server.client(BOB).upload_part(**sent.place, PartNumber=1, Body=b"x")


def test_a_completion_may_name_ten_thousand_parts(server: Server, client: Any, bucket: str) -> None:
    sent = Sent(client, bucket)
    etag = sent.part(1, b"x")["ETag"].strip('"')
    part = "<Part>\n  <PartNumber>{}</PartNumber>\n  <ETag>&quot;{}&quot;</ETag>\n  {}</Part>"
    checksum = f"<ChecksumSHA512>{spelled(bytes(64))}</ChecksumSHA512>"
    parts = "".join(part.format(number, etag, checksum) for number in range(1, 10001))
    path = f"/{bucket}/k?uploadId={sent.place['UploadId']}"
    body = f"<CompleteMultipartUpload>{parts}</CompleteMultipartUpload>".encode()
    headers = signed(server, "POST", path, {}, hashlib.sha256(body).hexdigest())
    assert send(server, "POST", path, headers, body).code == "InvalidRequest"
    body = body.replace(checksum.encode(), b"")
    headers = signed(server, "POST", path, {}, hashlib.sha256(body).hexdigest())
    assert send(server, "POST", path, headers, body).code == "InvalidPart"


# -- checksums -------------------------------------------------------------------------------------


def test_a_composite_checksum_is_one_of_the_parts_checksums(client: Any, bucket: str) -> None:
    sent = Sent(client, bucket, ChecksumAlgorithm="SHA256")
    assert (sent.begun["ChecksumAlgorithm"], sent.begun["ChecksumType"]) == ("SHA256", "COMPOSITE")
    digests = [hashlib.sha256(data).digest() for data in (DATA, b"end")]
    for number, (data, digest) in enumerate(zip((DATA, b"end"), digests, strict=True), 1):
        answer = sent.part(number, data, ChecksumSHA256=spelled(digest))
        assert answer["ChecksumSHA256"] == spelled(digest)
    whole = spelled(hashlib.sha256(b"".join(digests)).digest())
    with refused(400, "BadDigest"):
        sent.complete(ChecksumSHA256=spelled(bytes(32)))
    with refused(400, "BadDigest"):
        sent.complete(ChecksumSHA256=f"{whole}-3")
    with refused(400, "InvalidRequest"):
        sent.complete(ChecksumSHA256="no digest")
    with refused(400, "InvalidRequest"):
        sent.complete(ChecksumType="FULL_OBJECT")
    with refused(400, "InvalidRequest"):
        sent.complete([{n: each[n] for n in ("PartNumber", "ETag")} for each in sent.parts])
    with refused(400, "InvalidPart"):
        sent.complete([{**each, "ChecksumSHA256": spelled(bytes(32))} for each in sent.parts])
    answer = sent.complete(ChecksumSHA256=f"{whole}-2", ChecksumType="COMPOSITE")
    assert (answer["ChecksumSHA256"], answer["ChecksumType"]) == (f"{whole}-2", "COMPOSITE")
    found = client.get_object(Bucket=bucket, Key="k", ChecksumMode="ENABLED")
    assert (found["ChecksumSHA256"], found["ChecksumType"]) == (f"{whole}-2", "COMPOSITE")
    assert found["Body"].read() == DATA + b"end"


@pytest.mark.parametrize("algorithm", ["CRC32", "CRC32C", "CRC64NVME"])
def test_a_checksum_of_the_whole_follows_from_the_parts(
    server: Server, bucket: str, algorithm: str
) -> None:
    client = server.client()
    said = {"ChecksumAlgorithm": algorithm}
    sent = Sent(client, bucket, ChecksumType="FULL_OBJECT", **said)
    sent.part(1, DATA, **said)
    sent.part(2, b"end", **said)
    member = f"Checksum{algorithm}"
    plain = client.put_object(Bucket=bucket, Key="plain", Body=DATA + b"end", **said)
    wrong = spelled(bytes(8 if algorithm == "CRC64NVME" else 4))
    with refused(400, "BadDigest"):
        sent.complete(None, **{member: wrong}, ChecksumType="FULL_OBJECT")
    answer = sent.complete(None, **{member: plain[member]}, ChecksumType="FULL_OBJECT")
    assert (answer[member], answer["ChecksumType"]) == (plain[member], "FULL_OBJECT")
    found = client.get_object(Bucket=bucket, Key="k")
    assert found["Body"].read() == DATA + b"end"
    assert found[member] == plain[member]


def test_an_upload_without_a_chosen_checksum_gets_one_of_the_whole(
    server: Server, bucket: str
) -> None:
    client = server.client()
    sent = Sent(client, bucket)
    assert "ChecksumAlgorithm" not in sent.begun
    sent.part(1, DATA)
    sent.part(2, b"end")
    sent.complete()
    found = client.head_object(Bucket=bucket, Key="k", ChecksumMode="ENABLED")
    plain = client.put_object(
        Bucket=bucket, Key="plain", Body=DATA + b"end", ChecksumAlgorithm="CRC64NVME"
    )
    assert found["ChecksumCRC64NVME"] == plain["ChecksumCRC64NVME"]
    assert found["ChecksumType"] == "FULL_OBJECT"


@pytest.mark.parametrize(
    "said",
    [
        {"ChecksumType": "COMPOSITE"},
        {"ChecksumAlgorithm": "SHA256", "ChecksumType": "FULL_OBJECT"},
        {"ChecksumAlgorithm": "CRC64NVME", "ChecksumType": "COMPOSITE"},
        {"ChecksumAlgorithm": "CRC32", "ChecksumType": "HALF_OBJECT"},
        {"ChecksumAlgorithm": "ADLER32"},
    ],
)
def test_checksums_that_cannot_be_are_refused(
    client: Any, bucket: str, said: dict[str, str]
) -> None:
    with refused(400, "InvalidRequest"):
        Sent(client, bucket, **said)


def test_a_part_with_another_or_a_wrong_checksum_is_refused(client: Any, bucket: str) -> None:
    sent = Sent(client, bucket, ChecksumAlgorithm="CRC32")
    with refused(400, "InvalidRequest"):
        sent.part(1, b"x", ChecksumSHA256=spelled(hashlib.sha256(b"x").digest()))
    with refused(400, "BadDigest"):
        sent.part(1, b"x", ChecksumCRC32=spelled(bytes(4)))
    with refused(400, "BadDigest"):
        sent.part(1, b"x", ContentMD5=spelled(bytes(16)))
    assert "Parts" not in client.list_parts(**sent.place)
    sent.part(1, b"x", ChecksumCRC32=spelled(zlib.crc32(b"x").to_bytes(4, "big")))


def test_of_many_completions_at_once_all_get_the_same_answer(client: Any, bucket: str) -> None:
    sent = Sent(client, bucket)
    sent.part(1, b"data")
    with ThreadPoolExecutor(6) as threads:
        answers = list(threads.map(lambda _: sent.complete(), range(6)))
    assert len({answer["ETag"] for answer in answers}) == 1
    assert client.get_object(Bucket=bucket, Key="k")["Body"].read() == b"data"


def test_a_completion_and_an_abortion_at_once_leave_an_object_or_nothing(
    client: Any, bucket: str
) -> None:
    for number in range(8):
        sent = Sent(client, bucket, f"k{number}")
        sent.part(1, b"data")
        with ThreadPoolExecutor(2) as threads:
            calls = [
                threads.submit(sent.complete),
                threads.submit(client.abort_multipart_upload, **sent.place),
            ]
        failed = [e for call in calls if isinstance(e := call.exception(), ClientError)]
        assert [error.response["Error"]["Code"] for error in failed] == ["NoSuchUpload"]
        listed = client.list_objects_v2(Bucket=bucket, Prefix=f"k{number}")
        assert ("Contents" in listed) is (calls[0].exception() is None)
    assert "Uploads" not in client.list_multipart_uploads(Bucket=bucket)


def test_whoever_begins_or_looks_at_an_upload_is_told_when_it_will_be_given_up(
    client: Any, bucket: str
) -> None:
    rule = {
        "ID": "clean up",
        "Status": "Enabled",
        "Filter": {"Prefix": "a"},
        "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 3},
    }
    client.put_bucket_lifecycle_configuration(
        Bucket=bucket, LifecycleConfiguration={"Rules": [rule]}
    )
    begun = client.create_multipart_upload(Bucket=bucket, Key="ab")
    left = begun["AbortDate"] - datetime.now(UTC)
    assert timedelta(days=3) <= left + timedelta(minutes=1) <= timedelta(days=4, minutes=1)
    listed = client.list_parts(Bucket=bucket, Key="ab", UploadId=begun["UploadId"])
    for found in (begun, listed):
        assert (found["AbortDate"], found["AbortRuleId"]) == (begun["AbortDate"], "clean%20up")
    assert "AbortDate" not in client.create_multipart_upload(Bucket=bucket, Key="b")
