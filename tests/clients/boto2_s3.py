"""What a user of boto 2.49 does with S3, as a program of its own.

Boto 2 leaves an importer in its process that today's Python warns about: so it runs in none of
ours. Called with scenario, port, path, access key, secret and a folder.
"""

import io
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.request import urlopen
from uuid import uuid4

from boto.exception import S3ResponseError
from boto.s3.connection import OrdinaryCallingFormat, S3Connection


def refusal(call: Callable[[], object]) -> tuple[int, str]:
    """Status and code of the error a call ends in."""
    try:
        call()
    except S3ResponseError as error:
        return error.status, error.error_code
    raise AssertionError("it was not refused")


def a_string_is_stored_and_read_back(bucket: Any, _: Path) -> None:
    for name in ("k", "a b/c+d", "é/ü", "a%2Fb", "x" * 1000):
        key = bucket.new_key(name)
        key.set_metadata("colour", "red")
        key.set_metadata("under_score", "Jürgen")
        key.set_contents_from_string("This is a test", headers={"Content-Type": "text/plain"})
        found = bucket.get_key(name)
        assert found.get_contents_as_string() == b"This is a test"
        assert (found.size, found.content_type) == (14, "text/plain")
        assert found.get_metadata("colour") == "red"
        assert found.get_metadata("under_score") == "Jürgen"
        assert found.etag == key.etag


def a_file_is_stored_and_read_back(bucket: Any, folder: Path) -> None:
    (folder / "sent").write_bytes(bytes(range(256)) * 4096)
    key = bucket.new_key("file")
    key.set_contents_from_filename(str(folder / "sent"))
    key.get_contents_to_filename(str(folder / "received"))
    assert (folder / "received").read_bytes() == (folder / "sent").read_bytes()
    part = io.BytesIO()
    key.get_contents_to_file(part, headers={"Range": "bytes=1-3"})
    assert part.getvalue() == b"\x01\x02\x03"


def keys_are_listed_with_folders_and_removed_together(bucket: Any, _: Path) -> None:
    for name in ("a", "b/1", "b/2", "c d"):
        bucket.new_key(name).set_contents_from_string(name)
    assert [each.name for each in bucket.list()] == ["a", "b/1", "b/2", "c d"]
    assert {each.name for each in bucket.list(delimiter="/")} == {"a", "b/", "c d"}
    assert [each.name for each in bucket.get_all_keys(prefix="b/", max_keys=1)] == ["b/1"]
    removed = bucket.delete_keys(["a", "b/1", "b/2", "c d"])
    assert len(removed.deleted) == 4
    assert not removed.errors
    bucket.delete()


def a_key_is_copied_and_removed(bucket: Any, _: Path) -> None:
    bucket.new_key("from a").set_contents_from_string("data")
    bucket.copy_key("to", bucket.name, "from a")
    assert bucket.get_key("to").get_contents_as_string() == b"data"
    bucket.delete_key("to")
    assert bucket.get_key("to") is None


def a_url_made_by_boto_works(bucket: Any, _: Path) -> None:
    key = bucket.new_key("a b")
    key.set_contents_from_string("data")
    url = key.generate_url(60, response_headers={"response-content-type": "a/b"})
    with urlopen(url, timeout=20) as answer:  # noqa: S310
        assert (answer.read(), answer.headers["Content-Type"]) == (b"data", "a/b")


def a_large_file_is_sent_and_copied_in_parts(bucket: Any, _: Path) -> None:
    data = bytes(range(256)) * (5 << 12)
    upload = bucket.initiate_multipart_upload("a b/é", metadata={"colour": "red"})
    assert [each.id for each in bucket.get_all_multipart_uploads()] == [upload.id]
    upload.upload_part_from_file(io.BytesIO(data), 1)
    upload.upload_part_from_file(io.BytesIO(b"end"), 2)
    assert [(part.part_number, part.size) for part in upload] == [(1, len(data)), (2, 3)]
    done = upload.complete_upload()
    assert (done.bucket_name, done.key_name) == (bucket.name, "a b/é")
    found = bucket.get_key("a b/é")
    assert found.etag == done.etag
    assert (found.size, found.get_metadata("colour")) == (len(data) + 3, "red")
    assert found.get_contents_as_string() == data + b"end"
    second = bucket.initiate_multipart_upload("copy")
    second.copy_part_from_key(bucket.name, "a b/é", 1, len(data) - 1, len(data) + 2)
    second.complete_upload()
    assert bucket.get_key("copy").get_contents_as_string() == data[-1:] + b"end"
    bucket.initiate_multipart_upload("aborted").cancel_upload()
    assert bucket.get_all_multipart_uploads() == []


def versions_are_listed_read_and_removed(bucket: Any, _: Path) -> None:
    bucket.configure_versioning(True)
    key = bucket.new_key("k")
    key.set_contents_from_string("1")
    first = key.version_id
    key.set_contents_from_string("2")
    marker = bucket.delete_key("k")
    assert marker.delete_marker
    listed = [(type(each).__name__, each.version_id) for each in bucket.list_versions()]
    assert listed == [
        ("DeleteMarker", marker.version_id),
        ("Key", key.version_id),
        ("Key", first),
    ]
    assert bucket.get_key("k") is None
    assert bucket.get_key("k", version_id=first).get_contents_as_string() == b"1"
    bucket.delete_key("k", version_id=marker.version_id)
    assert bucket.get_key("k").get_contents_as_string() == b"2"


def errors_have_their_codes(bucket: Any, _: Path) -> None:
    connection = bucket.connection
    assert refusal(lambda: connection.get_bucket("no-such-bucket"))[0] == 404
    assert refusal(lambda: bucket.get_subresource("torrent", "k")) == (501, "NotImplemented")
    assert bucket.get_location() == ""
    bucket.new_key("k").set_contents_from_string("x")
    assert refusal(bucket.delete) == (409, "BucketNotEmpty")
    assert connection.lookup(bucket.name).name == bucket.name
    assert bucket.name in [each.name for each in connection.get_all_buckets()]


SCENARIOS = {
    scenario.__name__: scenario
    for scenario in (
        a_string_is_stored_and_read_back,
        a_file_is_stored_and_read_back,
        keys_are_listed_with_folders_and_removed_together,
        a_key_is_copied_and_removed,
        a_url_made_by_boto_works,
        a_large_file_is_sent_and_copied_in_parts,
        versions_are_listed_read_and_removed,
        errors_have_their_codes,
    )
}


def main(scenario: str, port: str, path: str, access_key: str, secret: str, folder: str) -> None:
    """Run one scenario in a bucket of its own."""
    connection = S3Connection(
        aws_access_key_id=access_key,
        aws_secret_access_key=secret,
        is_secure=False,
        host="127.0.0.1",
        port=int(port),
        path=path,
        calling_format=OrdinaryCallingFormat(),
    )
    SCENARIOS[scenario](connection.create_bucket(f"boto2-{uuid4().hex[:12]}"), Path(folder))


if __name__ == "__main__":
    main(*sys.argv[1:])
