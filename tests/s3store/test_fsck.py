"""The check finds what is wrong, and its repair removes rubbish and nothing else."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import Connection, event, text

from s3store import fsck
from s3store.engines.ports import Engine
from s3store.fsck import check
from s3store.index.ledger import held
from s3store.records import Bucket, Choice, Draft, Version
from s3store.sealing import Sealing
from s3store.store import Store
from tests.s3store.audit import files
from tests.s3store.conftest import KINDS

pytestmark = pytest.mark.parametrize("kind", KINDS)

Sound = Callable[[], None]


def change(store: Store, statement: str, id: str = "") -> None:
    values = {"id": id} if id else {}
    store.index.change(lambda connection: connection.execute(text(statement), values))


def kinds(store: Store, repair: bool = False) -> list[str]:
    return sorted(found.kind for found in check(store, repair))


@pytest.fixture
def filled(store: Store, bucket: Bucket, versioned: Bucket) -> Version:
    """A store with something of everything; the version of an object of parts."""
    for where in (bucket, versioned):
        for key in ("a", "b"):
            store.put(where, key, [key.encode()])
            store.put(where, key, [key.encode() * 100_000])
    store.delete(versioned, "b")
    cipher = Sealing(bytes(32))
    store.put(bucket, "sealed", [b"small"], Draft(seal={"a": "b"}, cipher=cipher))
    upload = store.create_upload(bucket, "k")
    parts = [store.put_part(upload, number, [b"x" * 20]) for number in (1, 2, 3)]
    open_one = store.create_upload(bucket, "open")
    store.put_part(open_one, 1, [b"y"])
    return store.complete_upload(upload, [Choice(part.number, part.etag) for part in parts[:2]])


def test_nothing_is_found_in_a_sound_store(store: Store, filled: Version, sound: Sound) -> None:
    assert list(check(store)) == []
    assert list(check(store, repair=True)) == []
    sound()


def test_a_missing_file_is_reported_and_its_row_stays(
    store: Store, bucket: Bucket, filled: Version
) -> None:
    lost = store.head(bucket, "a")
    store.blobs.discard(lost.id)
    for repair in (False, True):
        found = list(check(store, repair))
        assert [(each.kind, each.repaired) for each in found] == [(fsck.MISSING, False)]
        assert found[0].subject == "bucket/a (null)"
    assert store.head(bucket, "a") == lost


def test_changed_bytes_are_reported_and_stay(
    store: Store, bucket: Bucket, filled: Version, root: Path, engine: Engine | None
) -> None:
    for name, damage in (
        (store.head(bucket, "a").id, b"A" * 100_000),
        (store.parts_of(filled)[1].id, b"short"),
        (store.parts(store.list_uploads(bucket).entries[0])[0][0].id, b"Y"),
    ):
        store.blobs.write(name, [damage])
        store.blobs.keep(name)
    before = files(root, engine)
    assert kinds(store, repair=True) == [fsck.DAMAGED] * 3
    assert files(root, engine) == before


def test_small_content_that_is_missing_or_changed_is_reported(store: Store, bucket: Bucket) -> None:
    made = [store.put(bucket, key, [b"content"]) for key in "abc"]
    if not made[0].inline:
        assert kinds(store) == []
        return
    change(store, "DELETE FROM content WHERE id = :id", made[0].id)
    change(store, "UPDATE content SET body = 'CONTENT' WHERE id = :id", made[1].id)
    assert kinds(store, repair=True) == [fsck.DAMAGED, fsck.MISSING]


def test_files_without_a_row_are_removed_by_the_repair(
    store: Store, bucket: Bucket, filled: Version, sound: Sound
) -> None:
    for name in ("a" * 32, "b" * 32):
        store.blobs.write(name, [b"rubbish"])
    store.blobs.keep("b" * 32)
    assert kinds(store) == [fsck.STRAY_FILE] * 2
    assert all(found.repaired for found in check(store, repair=True))
    sound()
    assert kinds(store) == []


def test_a_file_under_way_is_left_alone(store: Store, bucket: Bucket) -> None:
    found: list[fsck.Finding] = []

    def look(_: object) -> None:
        found.extend(check(store, repair=True))

    store.put(bucket, "k", [b"x" * 100_000], check=look)
    assert found == []
    assert list(check(store)) == []


def test_rows_that_belong_to_nothing_are_removed_by_the_repair(
    store: Store, bucket: Bucket, filled: Version, sound: Sound
) -> None:
    change(store, "DELETE FROM version WHERE id = :id", filled.id)
    change(store, "INSERT INTO content (id, body) VALUES (:id, 'x')", "c" * 32)
    wrong = [fsck.STRAY_CONTENT, fsck.STRAY_PARTS, fsck.WRONG_COUNTERS]
    assert kinds(store) == wrong
    assert kinds(store, repair=True) == wrong
    sound()
    assert kinds(store) == []


def test_a_key_is_made_to_show_its_newest_version(
    store: Store, versioned: Bucket, filled: Version, sound: Sound
) -> None:
    change(store, "UPDATE version SET latest = NULL WHERE latest IS NOT NULL")
    assert set(kinds(store)) == {fsck.WRONG_LATEST}
    kinds(store, repair=True)
    assert kinds(store) == []
    assert [entry.key for entry in store.list(versioned).entries] == [b"a"]
    sound()


def test_counters_are_made_right_even_beyond_a_quota(
    store: Store, bucket: Bucket, filled: Version, sound: Sound
) -> None:
    right = store.usage("owner")
    change(store, "UPDATE bucket SET objects = 0, bytes = 1")
    assert kinds(store, repair=True) == [fsck.WRONG_COUNTERS] * 2
    assert store.usage("owner") == right
    sound()


def test_a_repair_waits_for_a_change_of_the_bucket(store: Store, bucket: Bucket) -> None:
    store.put(bucket, "k", [b"x"])
    change(store, "UPDATE version SET latest = NULL")

    def hold(connection: Connection) -> Future[list[str]]:
        with held(connection, bucket.id, store.default_quota):
            repairing = pool.submit(kinds, store, True)
            with pytest.raises(TimeoutError):
                repairing.result(0.3)
            return repairing

    with ThreadPoolExecutor() as pool:
        assert store.index.change(hold).result(20) == [fsck.WRONG_LATEST]
    assert store.head(bucket, "k").latest


def test_a_bucket_that_is_removed_meanwhile_needs_no_repair(store: Store, bucket: Bucket) -> None:
    def remove(_c: object, _cursor: object, statement: str, *_: object) -> None:
        if statement.startswith("SELECT bucket.objects"):
            store.delete_bucket(bucket)

    change(store, "UPDATE bucket SET objects = 1")
    event.listen(store.index.engine, "after_cursor_execute", remove)
    assert kinds(store, repair=True) == []
