"""Quotas: decided with the commit, for all buckets of an account together."""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from s3store import faults
from s3store.records import Bucket, Choice, Quota, Usage
from s3store.store import Store
from tests.s3store.conftest import KINDS, Contents

pytestmark = pytest.mark.parametrize("kind", KINDS)

Sound = Callable[[], None]


def test_what_an_account_has_is_counted_with_every_change(
    store: Store, bucket: Bucket, versioned: Bucket, sound: Sound
) -> None:
    assert store.usage("nobody") == Usage(0, 0, 0)
    store.put(bucket, "a", [b"x" * 10])
    store.put(bucket, "a", [b"x" * 7])
    for size in (1, 2):
        store.put(versioned, "b", [b"x" * size])
    store.delete(versioned, "b")
    upload = store.create_upload(bucket, "c")
    store.put_part(upload, 1, [b"x" * 100])
    assert store.usage("owner") == Usage(buckets=2, objects=3, bytes=110)
    store.abort_upload(upload)
    store.delete(bucket, "a")
    assert store.usage("owner") == Usage(buckets=2, objects=2, bytes=3)
    sound()


def test_more_objects_than_allowed_are_refused(
    store: Store, bucket: Bucket, versioned: Bucket, sound: Sound
) -> None:
    store.set_quota("owner", Quota(objects=2))
    store.put(bucket, "a", [b"1"])
    store.put(versioned, "b", [b"2"])
    with pytest.raises(faults.QuotaExceeded):
        store.put(versioned, "b", [b"3"])
    with pytest.raises(faults.QuotaExceeded):
        store.put(bucket, "c", [b"3" * 100_000])
    store.put(bucket, "a", [b"instead"])
    store.delete(versioned, "b")
    assert store.usage("owner") == Usage(2, 2, 8)
    sound()


def test_more_bytes_than_allowed_are_refused_and_leave_nothing(
    store: Store, bucket: Bucket, contents: Contents, sound: Sound
) -> None:
    store.set_quota("owner", Quota(bytes=100))
    store.put(bucket, "a", [b"x" * 80])
    kept = contents()
    for write in (
        lambda: store.put(bucket, "b", [b"x" * 21]),
        lambda: store.put(bucket, "b", [b"x" * 100_000]),
        lambda: store.put_part(store.create_upload(bucket, "b"), 1, [b"x" * 21]),
    ):
        with pytest.raises(faults.QuotaExceeded):
            write()
    assert contents() == kept
    store.put(bucket, "a", [b"x" * 100])
    store.put(bucket, "a", [b"x"])
    sound()


def test_a_completion_needs_no_room_beyond_its_parts(
    store: Store, bucket: Bucket, sound: Sound
) -> None:
    store.set_quota("owner", Quota(bytes=30))
    upload = store.create_upload(bucket, "k")
    parts = [store.put_part(upload, number, [b"x" * 15]) for number in (1, 2)]
    store.complete_upload(upload, [Choice(part.number, part.etag) for part in parts])
    assert store.usage("owner").bytes == 30
    sound()


def test_a_size_that_is_known_is_refused_before_the_body_is_read(
    store: Store, bucket: Bucket
) -> None:
    def body() -> Iterator[bytes]:
        yield b"x" * 100_000
        pytest.fail("the rest of the body was read")

    store.set_quota("owner", Quota(bytes=150_000))
    with pytest.raises(faults.QuotaExceeded):
        store.put(bucket, "k", body(), size=200_000)
    upload = store.create_upload(bucket, "k")
    with pytest.raises(faults.QuotaExceeded):
        store.put_part(upload, 1, body(), size=200_000)
    store.put(bucket, "k", [b"x" * 100_000])
    store.put(bucket, "k", [b"x" * 120_000], size=120_000)


def test_more_buckets_than_allowed_are_refused(store: Store, bucket: Bucket) -> None:
    store.set_quota("owner", Quota(buckets=2))
    store.create_bucket("second", "owner")
    with pytest.raises(faults.QuotaExceeded):
        store.create_bucket("third", "owner")
    with pytest.raises(faults.NoSuchBucket):
        store.bucket("third")
    store.create_bucket("third", "somebody else")


def test_who_has_no_quota_of_their_own_has_that_of_all(
    root: Path, url: str | None, store: Store
) -> None:
    other = Store(root, url, quota=Quota(buckets=1))
    assert other.quota("ann") == Quota(buckets=1)
    other.create_bucket("first", "ann")
    with pytest.raises(faults.QuotaExceeded):
        other.create_bucket("second", "ann")
    other.set_quota("ann", Quota())
    other.create_bucket("second", "ann")
    other.set_quota("ann", None)
    assert other.quota("ann") == Quota(buckets=1)
    other.close()


def test_a_quota_lowered_below_what_there_is_lets_it_shrink(
    store: Store, versioned: Bucket
) -> None:
    made = [store.put(versioned, "k", [b"x" * 10]) for _ in range(3)]
    store.set_quota("owner", Quota(objects=1, bytes=1))
    store.delete(versioned, "k")
    for version in made:
        store.delete(versioned, "k", version.version_id)
    assert store.usage("owner").objects == 0


def test_of_many_writers_in_many_buckets_no_more_succeed_than_there_is_room_for(
    store: Store, sound: Sound
) -> None:
    store.set_quota("owner", Quota(objects=5))
    buckets = [store.create_bucket(f"bucket-{number}", "owner") for number in range(4)]
    outcomes: list[str] = []
    barrier = threading.Barrier(4)

    def write(bucket: Bucket) -> None:
        barrier.wait()
        for number in range(3):
            try:
                store.put(bucket, f"k{number}", [b"x"])
                outcomes.append("kept")
            except faults.QuotaExceeded:
                outcomes.append("refused")

    threads = [threading.Thread(target=write, args=(bucket,)) for bucket in buckets]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert outcomes.count("kept") == 5
    assert store.usage("owner").objects == 5
    sound()
