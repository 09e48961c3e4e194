"""Buckets and objects, as callers of the library see them."""

import hashlib
import threading
from collections.abc import Callable, Iterator

import pytest

from s3store import faults
from s3store.checksums import Digests
from s3store.records import Attributes, Bucket, Condition, Deleted, Doomed, Draft
from s3store.store import Store
from tests.s3store.conftest import KINDS, Contents

Sound = Callable[[], None]

pytestmark = pytest.mark.parametrize("kind", KINDS)


def content(store: Store, bucket: Bucket, key: str) -> bytes:
    with store.open(bucket, key) as opened:
        return b"".join(opened.read())


# -- buckets ---------------------------------------------------------------------------------------


def test_a_bucket_is_found_by_its_name_and_listed_for_its_owner(store: Store) -> None:
    made = store.create_bucket("b2", "ann")
    store.create_bucket("b1", "ann")
    store.create_bucket("b3", "ben")
    assert store.bucket("b2") == made
    assert [each.name for each in store.buckets("ann")] == ["b1", "b2"]


def test_a_bucket_name_is_taken_for_everyone(store: Store, bucket: Bucket) -> None:
    with pytest.raises(faults.BucketExists) as refused:
        store.create_bucket(bucket.name, "someone else")
    assert refused.value.owner == "owner"


def test_a_bucket_with_an_object_cannot_be_removed(store: Store, bucket: Bucket) -> None:
    store.put(bucket, "k", [b"x"])
    with pytest.raises(faults.BucketNotEmpty):
        store.delete_bucket(bucket)
    store.delete(bucket, "k")
    store.delete_bucket(bucket)
    with pytest.raises(faults.NoSuchBucket):
        store.bucket(bucket.name)
    with pytest.raises(faults.NoSuchBucket):
        store.delete_bucket(bucket)


def test_an_upload_into_a_bucket_removed_meanwhile_leaves_nothing(
    store: Store, bucket: Bucket, contents: Contents
) -> None:
    def body() -> Iterator[bytes]:
        yield b"first"
        store.delete_bucket(bucket)
        store.create_bucket(bucket.name, "the next owner")

    with pytest.raises(faults.NoSuchBucket):
        store.put(bucket, "k", body())
    assert contents() == set()
    assert store.list(store.bucket(bucket.name)).items == ()


# -- objects ---------------------------------------------------------------------------------------


def test_an_object_comes_back_with_everything_that_was_said_about_it(
    store: Store, bucket: Bucket
) -> None:
    said = Attributes({"ContentType": "text/plain"}, {"name": "Jürgen \udcff", "": ""}, "GLACIER")
    written = store.put(bucket, "a/ü", [b"hello ", b"world"], Draft(said), checksum="crc32")
    with store.open(bucket, "a/ü") as opened:
        assert opened.version == written == store.head(bucket, "a/ü")
        assert b"".join(opened.read()) == b"hello world"
    assert written.etag == hashlib.md5(b"hello world").hexdigest()
    assert written.checksum.digest.hex() == "0d4a1185"
    assert written.attributes == said


def test_an_empty_object_is_an_object(store: Store, bucket: Bucket) -> None:
    written = store.put(bucket, "k", [])
    assert (written.size, written.etag) == (0, "d41d8cd98f00b204e9800998ecf8427e")
    assert content(store, bucket, "k") == b""


@pytest.mark.parametrize(
    "key", ["a", "a/", "a/b", "a//b", "..", "../../etc/passwd", "/", "\x01", "k" * 1024]
)
def test_keys_are_only_names(store: Store, bucket: Bucket, sound: Sound, key: str) -> None:
    for other in ("a", "a/", "a/b"):
        store.put(bucket, other, [other.encode()])
    store.put(bucket, key, [b"this one"])
    assert content(store, bucket, key) == b"this one"
    sound()


def test_a_reader_keeps_reading_what_was_there_when_it_began(store: Store, bucket: Bucket) -> None:
    store.put(bucket, "k", [b"old"])
    with store.open(bucket, "k") as opened:
        store.put(bucket, "k", [b"new"])
        store.delete(bucket, "k")
        assert b"".join(opened.read()) == b"old"


def test_until_the_last_byte_is_safe_the_old_object_is_seen(store: Store, bucket: Bucket) -> None:
    store.put(bucket, "k", [b"old"])
    seen = []

    def body() -> Iterator[bytes]:
        yield b"n"
        seen.append(content(store, bucket, "k"))
        yield b"ew"

    store.put(bucket, "k", body(), check=lambda _: seen.append(content(store, bucket, "k")))
    assert seen == [b"old", b"old"]
    assert content(store, bucket, "k") == b"new"


def test_a_body_that_breaks_off_leaves_the_old_object_and_no_file(
    store: Store, bucket: Bucket, sound: Sound
) -> None:
    store.put(bucket, "k", [b"old"])

    def body() -> Iterator[bytes]:
        yield b"new"
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        store.put(bucket, "k", body())
    assert content(store, bucket, "k") == b"old"
    sound()


def test_a_digest_the_caller_refuses_leaves_nothing(
    store: Store, bucket: Bucket, sound: Sound
) -> None:
    def refuse(taken: Digests) -> None:
        assert taken["sha256"] == hashlib.sha256(b"data").digest()
        raise ValueError("not what was promised")

    with pytest.raises(ValueError, match="promised"):
        store.put(bucket, "k", [b"data"], digests=["sha256"], check=refuse)
    with pytest.raises(faults.NoSuchKey):
        store.head(bucket, "k")
    sound()


def test_deleting_what_is_not_there_says_so(store: Store, bucket: Bucket) -> None:
    store.put(bucket, "k", [b"x"])
    assert store.delete(bucket, "k").existed is True
    assert store.delete(bucket, "k").existed is False


def test_many_objects_are_deleted_at_once_each_under_its_own_condition(
    store: Store, bucket: Bucket, sound: Sound
) -> None:
    etag = store.put(bucket, "a", [b"x"]).etag
    store.put(bucket, "b", [b"y"])
    right, wrong = Condition(etags=frozenset({etag})), Condition(etags=frozenset({"other"}))
    wanted = [Doomed("a", None, right), Doomed("b", None, wrong), Doomed("c")]
    outcome = store.delete_all(bucket, wanted)
    assert isinstance(outcome[0], Deleted)
    assert isinstance(outcome[2], Deleted)
    assert (outcome[0].existed, outcome[2].existed) == (True, False)
    assert isinstance(outcome[1], faults.ConditionFailed)
    assert [entry.key for entry in store.list(bucket).entries] == [b"b"]
    sound()


# -- conditions ------------------------------------------------------------------------------------


def test_create_only_refuses_a_key_that_is_taken(store: Store, bucket: Bucket) -> None:
    store.put(bucket, "k", [b"1"], condition=Condition(absent=True))
    with pytest.raises(faults.ConditionFailed):
        store.put(bucket, "k", [b"2"], condition=Condition(absent=True))
    assert content(store, bucket, "k") == b"1"


def test_replace_only_refuses_another_version_and_an_absent_one(
    store: Store, bucket: Bucket
) -> None:
    etag = store.put(bucket, "k", [b"1"]).etag
    store.put(bucket, "k", [b"2"], condition=Condition(etags=frozenset({etag})))
    with pytest.raises(faults.ConditionFailed):
        store.put(bucket, "k", [b"3"], condition=Condition(etags=frozenset({etag})))
    with pytest.raises(faults.NoSuchKey):
        store.put(bucket, "other", [b"3"], condition=Condition(etags=frozenset({"*"})))


def test_a_condition_is_decided_again_with_the_commit(store: Store, bucket: Bucket) -> None:
    def body() -> Iterator[bytes]:
        yield b"slow"
        store.put(bucket, "k", [b"quick"])

    with pytest.raises(faults.ConditionFailed):
        store.put(bucket, "k", body(), condition=Condition(absent=True))
    assert content(store, bucket, "k") == b"quick"


def test_of_many_creators_at_once_exactly_one_wins(store: Store, bucket: Bucket) -> None:
    outcomes: list[str] = []
    barrier = threading.Barrier(8)

    def create(number: int) -> None:
        barrier.wait()
        try:
            store.put(bucket, "k", [b"%d" % number], condition=Condition(absent=True))
            outcomes.append("won")
        except faults.ConditionFailed:
            outcomes.append("lost")

    threads = [threading.Thread(target=create, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["lost"] * 7 + ["won"]


# -- copies ----------------------------------------------------------------------------------------


def test_a_copy_onto_itself_replaces_the_attributes_only(
    store: Store, bucket: Bucket, sound: Sound
) -> None:
    store.put(bucket, "k", [b"data"], Draft(Attributes(metadata={"a": "1"})))
    with store.open(bucket, "k") as source:
        store.copy(source, bucket, "k", Draft(Attributes(metadata={"b": "2"})))
    assert store.head(bucket, "k").attributes.metadata == {"b": "2"}
    assert content(store, bucket, "k") == b"data"
    sound()


def test_a_copy_with_another_checksum_computes_it(store: Store, bucket: Bucket) -> None:
    store.put(bucket, "from", [b"data"])
    with store.open(bucket, "from") as source:
        copied = store.copy(source, bucket, "to", checksum="sha256")
    assert copied.checksum.digest == hashlib.sha256(b"data").digest()


def test_a_source_that_goes_away_is_copied_all_the_same(store: Store, bucket: Bucket) -> None:
    store.put(bucket, "from", [b"data"])
    with store.open(bucket, "from") as source:
        store.delete(bucket, "from")
        store.copy(source, bucket, "to")
    assert content(store, bucket, "to") == b"data"
