"""Documents that are made to be expensive, or to leave behind what could not be put otherwise."""

import base64
import hashlib
from typing import Any

import pytest

from gateway.s3.faults import S3Fault
from gateway.s3.protocol import codec, model
from tests.gateway.s3.raw import Answer, send, signed
from tests.gateway.s3.servers import Server


def delete(server: Server, bucket: str, *keys: str) -> Answer:
    """Delete many at once, with a document that no client would write."""
    objects = "".join(f"<Object><Key>{key}</Key></Object>" for key in keys)
    body = f"<Delete>{objects}</Delete>".encode()
    md5 = base64.b64encode(hashlib.md5(body, usedforsecurity=False).digest()).decode()
    digest = hashlib.sha256(body).hexdigest()
    headers = signed(server, "POST", f"/{bucket}?delete", {"Content-MD5": md5}, digest)
    return send(server, "POST", f"/{bucket}?delete", headers, body)


def shape(name: str) -> Any:
    return model.service().shape_for(name)


@pytest.mark.parametrize(
    "inner",
    ["<Part/>" * 200_000, "<!---->" * 200_001, "<Part " + 'a="b" ' * 200_001 + "/>"],
    ids=["elements", "comments", "attributes"],
)
def test_a_document_of_more_tags_than_can_mean_anything_is_not_read(inner: str) -> None:
    body = f"<CompleteMultipartUpload>{inner}</CompleteMultipartUpload>".encode()
    with pytest.raises(S3Fault, match="MalformedXML"):
        codec.document(shape("CompletedMultipartUpload"), "CompleteMultipartUpload", body)


def test_ten_thousand_parts_that_say_all_they_can_are_read() -> None:
    checksums = "".join(f"<{name}>abcd==</{name}>" for name in ("ChecksumCRC32", "ChecksumSHA256"))
    parts = "".join(
        f"<Part><PartNumber>{number}</PartNumber><ETag>e</ETag>{checksums}</Part>"
        for number in range(1, 10_001)
    )
    body = f"<CompleteMultipartUpload>{parts}</CompleteMultipartUpload>".encode()
    found = codec.document(shape("CompletedMultipartUpload"), "CompleteMultipartUpload", body)
    assert len(found["Parts"]) == 10_000


def test_no_delete_marker_has_a_key_that_no_object_can_have(server: Server, bucket: str) -> None:
    client = server.client()
    client.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    answer = delete(server, bucket, "x" * 1025, "&#233;" * 513, "fine")
    assert answer.status == 200
    assert answer.body.count(b"<Code>KeyTooLongError</Code>") == 2
    empty = delete(server, bucket, "other", "")
    assert (empty.status, empty.code) == (400, "MalformedXML")
    listed = client.list_object_versions(Bucket=bucket)
    assert [marker["Key"] for marker in listed["DeleteMarkers"]] == ["fine"]
