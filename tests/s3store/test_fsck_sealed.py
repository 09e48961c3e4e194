"""The check of sealed content: whole where the keys are known, else from outside."""

from collections.abc import Mapping
from contextlib import closing
from typing import Any

from s3store import fsck
from s3store.contents import Opener
from s3store.fsck import check
from s3store.records import Bucket, Choice, Draft, Upload, Version
from s3store.sealing import Sealing, WrongKey
from s3store.store import Store

SEALED = Sealing(bytes(range(32)))


def knows(bucket_id: int, key: str, seal: Mapping[str, Any]) -> Sealing:
    """Opens what :func:`seal_some` sealed."""
    return SEALED


def seal_some(store: Store, bucket: Bucket) -> tuple[Version, Version, Upload]:
    """A sealed object, one of sealed parts, and an upload with a sealed part."""
    draft = Draft(seal={"a": "b"}, cipher=SEALED)
    plain = store.put(bucket, "sealed", [b"z" * 100_000], draft)
    uploads = [store.create_upload(bucket, key, draft) for key in ("parts", "open")]
    for upload in uploads:
        parts = [
            store.put_part(upload, number, [b"z" * 70_000], cipher=SEALED) for number in (2, 4)
        ]
    store.complete_upload(
        uploads[0], [Choice(p.number, p.etag) for p in store.parts(uploads[0])[0]]
    )
    assert len(parts) == 2
    return plain, store.head(bucket, "parts"), uploads[1]


def kinds(store: Store, repair: bool = False, opener: Opener | None = None) -> list[str]:
    return sorted(found.kind for found in check(store, repair, opener=opener))


def flip(store: Store, name: str, at: int = -20) -> None:
    """Change one bit of a file."""
    with closing(store.blobs.open(name)) as reader:
        data = bytearray(reader.fetch(0, store.blobs.size(name) or 0))
    data[at] ^= 1
    store.blobs.write(name, [bytes(data)])
    store.blobs.keep(name)


def test_with_the_keys_one_changed_bit_of_sealed_content_is_found(
    store: Store, bucket: Bucket
) -> None:
    plain, whole, upload = seal_some(store, bucket)
    assert kinds(store) == kinds(store, opener=knows) == []
    for name in (plain.id, store.parts_of(whole)[1].id, store.parts(upload)[0][0].id):
        flip(store, name)
    assert kinds(store, repair=True, opener=knows) == [fsck.DAMAGED] * 3
    assert kinds(store) == []


def test_a_sealed_part_in_the_place_of_another_is_found(store: Store, bucket: Bucket) -> None:
    _, whole, _ = seal_some(store, bucket)
    first, second = store.parts_of(whole)
    with closing(store.blobs.open(first.id)) as reader:
        store.blobs.write(second.id, [reader.fetch(0, first.stored)])
    store.blobs.keep(second.id)
    assert kinds(store, opener=knows) == [fsck.DAMAGED]


def test_without_the_keys_sealed_content_must_look_like_some(store: Store, bucket: Bucket) -> None:
    plain, _, _ = seal_some(store, bucket)
    flip(store, plain.id, at=0)
    assert kinds(store) == kinds(store, opener=knows) == [fsck.DAMAGED]


def test_content_whose_key_is_not_there_is_unreadable(store: Store, bucket: Bucket) -> None:
    def lost(bucket_id: int, key: str, seal: Mapping[str, Any]) -> Sealing:
        raise WrongKey(f"the key of {bucket_id}/{key} is lost")

    seal_some(store, bucket)
    found = list(check(store, opener=lost))
    assert [each.kind for each in found] == [fsck.UNREADABLE] * 4
    assert "the key of" in found[0].detail
