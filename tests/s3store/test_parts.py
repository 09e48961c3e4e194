"""Objects of parts: read, copied, sealed, deleted while they are read, and very many of them."""

import hashlib
from collections.abc import Callable
from dataclasses import replace

import pytest
from sqlalchemy import Connection, insert

from s3store.index import rows
from s3store.records import (
    Bucket,
    Choice,
    Draft,
)
from s3store.sealing import Sealing
from s3store.store import Store
from s3store.tables import PartRow
from tests.s3store.conftest import KINDS
from tests.s3store.test_multipart import content, whole

pytestmark = pytest.mark.parametrize("kind", KINDS)

Sound = Callable[[], None]


def test_a_range_of_another_object_is_copied_as_a_part(store: Store, bucket: Bucket) -> None:
    whole(store, bucket, "from", b"0123456789", b"abcdefghij")
    upload = store.create_upload(bucket, "to")
    with store.open(bucket, "from") as source:
        part = store.copy_part(upload, 1, source, 5, 10)
    assert part.etag == hashlib.md5(b"56789abcde").hexdigest()
    assert store.complete_upload(upload, [Choice(1, part.etag)]).size == 10


def test_a_copy_of_an_object_of_parts_is_in_one_piece(
    store: Store, bucket: Bucket, sound: Sound
) -> None:
    whole(store, bucket, "from", b"0123456789", b"abc")
    with store.open(bucket, "from") as source:
        copied = store.copy(source, bucket, "to")
    assert (copied.etag, copied.parts) == (hashlib.md5(b"0123456789abc").hexdigest(), 0)
    sound()


def test_sealed_parts_are_read_with_their_cipher(
    store: Store, bucket: Bucket, sound: Sound
) -> None:
    cipher = Sealing(bytes(32))
    upload = store.create_upload(bucket, "k", Draft(seal={"how": "so"}, opaque_etag=True))
    parts = [
        store.put_part(upload, number, [b"%d" % number * 100_000], cipher=cipher)
        for number in (1, 2)
    ]
    assert parts[0].etag != hashlib.md5(b"1" * 100_000).hexdigest()
    version = store.complete_upload(upload, [Choice(part.number, part.etag) for part in parts])
    assert version.stored > version.size == 200_000
    assert version.seal == {"how": "so"}
    with store.open(bucket, "k") as opened:
        assert opened.slices(0, 10) is None
        assert b"".join(opened.read(99_998, 4, cipher)) == b"1122"
        with pytest.raises(ValueError, match="cipher"):
            content(opened)
        copied = store.copy(opened, bucket, "plain", Draft(), source_cipher=cipher)
    assert copied.etag == hashlib.md5(b"1" * 100_000 + b"2" * 100_000).hexdigest()
    with pytest.raises(ValueError, match="cipher"):
        store.put_part(store.create_upload(bucket, "k"), 1, [], cipher=cipher)


def test_ten_thousand_parts_become_one_object(store: Store, bucket: Bucket) -> None:
    upload = store.create_upload(bucket, "k")
    first = store.put_part(upload, 1, [b"x" * 10])
    names = [f"{number:032x}" for number in range(2, 10_001)]

    def many(connection: Connection) -> None:
        parts = [replace(first, id=name, number=int(name, 16)) for name in names]
        connection.execute(insert(PartRow), [rows.part_values(part, upload) for part in parts])

    store.index.change(many)
    choices = [Choice(number, first.etag) for number in range(1, 10_001)]
    version = store.complete_upload(upload, choices)
    assert (version.size, version.parts) == (100_000, 10_000)
    assert version.checksum == store.put(bucket, "plain", [b"x" * 100_000]).checksum
