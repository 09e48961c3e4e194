"""Versioning: what a key shows, what is under it, and what deleting does to that."""

import threading
from collections.abc import Callable

import pytest

from s3store import faults
from s3store.records import Bucket, Condition, Deleted, Doomed, Draft
from s3store.store import Store
from tests.s3store.conftest import KINDS

pytestmark = pytest.mark.parametrize("kind", KINDS)

Sound = Callable[[], None]
ABSENT = Condition(absent=True)


def read(store: Store, bucket: Bucket, key: str, version_id: str | None = None) -> bytes:
    with store.open(bucket, key, version_id) as opened:
        return b"".join(opened.read())


def ids(store: Store, bucket: Bucket) -> list[tuple[str, str, bool, bool]]:
    """Key, public id, whether it is the latest and whether a marker, of all versions."""
    found = store.list_versions(bucket).entries
    return [(each.key, each.version_id, each.latest, each.marker) for each in found]


def keys(store: Store, bucket: Bucket) -> list[bytes]:
    return [entry.key for entry in store.list(bucket).entries]


def test_every_version_stays_readable_and_the_newest_is_shown(
    store: Store, versioned: Bucket, sound: Sound
) -> None:
    first = store.put(versioned, "k", [b"first"])
    second = store.put(versioned, "k", [b"second"])
    assert first.version_id != second.version_id
    assert read(store, versioned, "k") == b"second"
    assert read(store, versioned, "k", first.version_id) == b"first"
    assert ids(store, versioned) == [
        ("k", second.version_id, True, False),
        ("k", first.version_id, False, False),
    ]
    assert keys(store, versioned) == [b"k"]
    sound()


def test_deleting_adds_a_marker_and_removing_the_marker_brings_the_object_back(
    store: Store, versioned: Bucket, sound: Sound
) -> None:
    version = store.put(versioned, "k", [b"data"])
    done = store.delete(versioned, "k", owner="deleter")
    assert done.marker_id
    assert done == Deleted("k", None, marker=True, existed=True, marker_id=done.marker_id)
    assert keys(store, versioned) == []
    with pytest.raises(faults.IsDeleteMarker) as refused:
        store.open(versioned, "k")
    assert (refused.value.version_id, refused.value.latest) == (done.marker_id, True)
    assert store.list_versions(versioned).entries[0].owner == "deleter"
    undone = store.delete(versioned, "k", done.marker_id)
    assert undone == Deleted("k", done.marker_id, True, True, done.marker_id)
    assert store.head(versioned, "k") == version
    sound()


def test_a_marker_is_no_object_whichever_way_it_is_asked_for(
    store: Store, versioned: Bucket
) -> None:
    marker = store.delete(versioned, "k").marker_id
    store.put(versioned, "k", [b"data"])
    with pytest.raises(faults.IsDeleteMarker) as refused:
        store.head(versioned, "k", marker)
    assert refused.value.latest is False
    with pytest.raises(faults.IsDeleteMarker):
        store.set_tags(versioned, "k", marker, {"a": "1"})


def test_markers_upon_markers_are_all_kept(store: Store, versioned: Bucket, sound: Sound) -> None:
    outcomes = [store.delete(versioned, "k") for _ in range(3)]
    assert [outcome.existed for outcome in outcomes] == [False] * 3
    assert [latest for _, _, latest, _ in ids(store, versioned)] == [True, False, False]
    with pytest.raises(faults.BucketNotEmpty):
        store.delete_bucket(versioned)
    for outcome in outcomes:
        store.delete(versioned, "k", outcome.marker_id)
    sound()
    store.delete_bucket(versioned)


def test_removing_the_newest_version_shows_the_next_one(
    store: Store, versioned: Bucket, sound: Sound
) -> None:
    made = [store.put(versioned, "k", [b"%d" % number]) for number in range(3)]
    for newest, left in ((made[2], b"1"), (made[1], b"0")):
        store.delete(versioned, "k", newest.version_id)
        assert read(store, versioned, "k") == left
        sound()
    store.delete(versioned, "k", made[0].version_id)
    with pytest.raises(faults.NoSuchKey):
        store.head(versioned, "k")
    sound()


def test_a_version_that_is_not_there_is_deleted_without_effect(
    store: Store, versioned: Bucket
) -> None:
    store.put(versioned, "k", [b"data"])
    for wrong in ("0" * 32, "null", "", "nonsense", "\udcff", "x" * 5000):
        assert store.delete(versioned, "k", wrong).existed is False
        with pytest.raises(faults.NoSuchVersion):
            store.head(versioned, "k", wrong)
    assert len(ids(store, versioned)) == 1


def test_a_version_belongs_to_its_key_and_its_bucket(
    store: Store, bucket: Bucket, versioned: Bucket
) -> None:
    version = store.put(versioned, "k", [b"data"]).version_id
    for where, key in ((versioned, "other"), (bucket, "k")):
        with pytest.raises(faults.NoSuchVersion):
            store.head(where, key, version)
        assert store.delete(where, key, version).existed is False


def test_what_was_there_before_versioning_becomes_the_null_version(
    store: Store, bucket: Bucket, sound: Sound
) -> None:
    store.put(bucket, "k", [b"before"])
    enabled = store.set_versioning(bucket, "Enabled")
    assert enabled.versioning == "Enabled"
    after = store.put(bucket, "k", [b"after"])
    assert ids(store, bucket) == [
        ("k", after.version_id, True, False),
        ("k", "null", False, False),
    ]
    assert read(store, bucket, "k", "null") == b"before"
    store.delete(bucket, "k", "null")
    assert len(ids(store, bucket)) == 1
    sound()


def test_with_versioning_suspended_writes_replace_the_null_version_only(
    store: Store, versioned: Bucket, sound: Sound
) -> None:
    kept = store.put(versioned, "k", [b"kept"])
    store.set_versioning(versioned, "Suspended")
    store.put(versioned, "k", [b"one"])
    assert store.put(versioned, "k", [b"two"]).version_id == "null"
    assert ids(store, versioned) == [
        ("k", "null", True, False),
        ("k", kept.version_id, False, False),
    ]
    assert read(store, versioned, "k") == b"two"
    sound()


def test_with_versioning_suspended_deleting_replaces_the_null_version_by_a_null_marker(
    store: Store, versioned: Bucket, sound: Sound
) -> None:
    kept = store.put(versioned, "k", [b"kept"])
    store.set_versioning(versioned, "Suspended")
    store.put(versioned, "k", [b"null"])
    for existed in (True, False):
        done = store.delete(versioned, "k")
        assert done == Deleted("k", None, True, existed, "null")
    assert ids(store, versioned) == [
        ("k", "null", True, True),
        ("k", kept.version_id, False, False),
    ]
    store.put(versioned, "k", [b"again"])
    assert [marker for *_, marker in ids(store, versioned)] == [False, False]
    sound()


def test_an_old_null_version_goes_when_suspended_writing_takes_its_place(
    store: Store, bucket: Bucket, sound: Sound
) -> None:
    store.put(bucket, "k", [b"before"])
    store.set_versioning(bucket, "Enabled")
    middle = store.put(bucket, "k", [b"middle"])
    store.set_versioning(bucket, "Suspended")
    store.put(bucket, "k", [b"last"])
    assert ids(store, bucket) == [
        ("k", "null", True, False),
        ("k", middle.version_id, False, False),
    ]
    sound()


def test_a_marker_counts_as_absent_for_conditions(store: Store, versioned: Bucket) -> None:
    tag = store.put(versioned, "k", [b"data"]).etag
    store.delete(versioned, "k")
    with pytest.raises(faults.NoSuchKey):
        store.put(versioned, "k", [b"x"], condition=Condition(etags=frozenset({tag})))
    with pytest.raises(faults.NoSuchKey):
        store.delete(versioned, "k", condition=Condition(etags=frozenset({"*"})))
    store.put(versioned, "k", [b"new"], condition=ABSENT)
    with pytest.raises(faults.ConditionFailed):
        store.put(versioned, "k", [b"newer"], condition=ABSENT)


def test_a_condition_on_a_version_is_held_against_that_version(
    store: Store, versioned: Bucket
) -> None:
    old = store.put(versioned, "k", [b"old"])
    new = store.put(versioned, "k", [b"new"])
    wrong, right = (Condition(etags=frozenset({each.etag})) for each in (new, old))
    doomed = [Doomed("k", old.version_id, wrong), Doomed("k", old.version_id, right)]
    outcomes = store.delete_all(versioned, doomed)
    assert [type(outcome) for outcome in outcomes] == [faults.ConditionFailed, Deleted]


def test_versions_are_listed_in_pages_by_key_and_newest_first(
    store: Store, versioned: Bucket
) -> None:
    expected = []
    for key in ("a", "a/x", "a0", "b"):
        made = [store.put(versioned, key, [b"%d" % number]).version_id for number in range(3)]
        expected += [(key, each) for each in reversed(made)]
    for limit in (1, 2, 5, 100):
        found, after = [], None
        while True:
            page = store.list_versions(versioned, after=after, limit=limit)
            found += [(each.key, each.version_id) for each in page.entries]
            if page.more is None:
                break
            after = page.more
        assert found == expected
    grouped = store.list_versions(versioned, delimiter="/", limit=4)
    assert (len(grouped.entries), grouped.prefixes) == (3, (b"a/",))
    assert grouped.more == (b"a/", None)
    rest = store.list_versions(versioned, delimiter="/", after=grouped.more)
    assert [each.key for each in rest.entries] == ["a0"] * 3 + ["b"] * 3


def test_a_listing_goes_on_behind_a_version_that_was_removed_meanwhile(
    store: Store, versioned: Bucket
) -> None:
    for number in range(6):
        store.put(versioned, "k", [b"%d" % number])
    seen = 0
    after = None
    while True:
        page = store.list_versions(versioned, after=after, limit=2)
        for version in page.entries:
            store.delete(versioned, version.key, version.version_id)
            seen += 1
        if page.more is None:
            break
        after = page.more
    assert seen == 6
    store.delete_bucket(versioned)


def test_tags_and_access_lists_belong_to_one_version(store: Store, versioned: Bucket) -> None:
    old = store.put(versioned, "k", [b"old"], Draft(tags={"a": "1"}, acl={"Grants": []}))
    store.put(versioned, "k", [b"new"])
    changed = store.set_tags(versioned, "k", old.version_id, {"b": "ü"})
    assert (changed.tags, changed.acl, changed.modified) == ({"b": "ü"}, old.acl, old.modified)
    assert store.head(versioned, "k").tags == {}
    assert store.set_acl(versioned, "k", None, {"Grants": [1]}).acl == {"Grants": [1]}
    assert store.head(versioned, "k", old.version_id) == changed
    assert store.set_tags(versioned, "k", old.version_id, {}).tags == {}


def test_an_owner_who_is_not_named_is_the_buckets(store: Store, bucket: Bucket) -> None:
    assert store.put(bucket, "k", [b"x"]).owner == "owner"
    assert store.put(bucket, "k", [b"x"], Draft(owner="guest")).owner == "guest"
    assert store.list(bucket).entries[0].owner == "guest"


def test_settings_are_kept_as_they_were_said(store: Store, bucket: Bucket) -> None:
    document = {"Rules": [{"ID": "ü", "Days": 1}]}
    assert store.set_setting(bucket, "lifecycle", document).settings == {"lifecycle": document}
    store.set_setting(bucket, "policy", "text" * 10_000)
    assert store.bucket("bucket").settings == {"lifecycle": document, "policy": "text" * 10_000}
    store.set_setting(bucket, "lifecycle", None)
    assert store.set_setting(bucket, "policy", None).settings == {}


def test_writers_of_one_key_all_leave_their_version_and_one_is_shown(
    store: Store, versioned: Bucket, sound: Sound
) -> None:
    def write(number: int) -> None:
        for turn in range(5):
            store.put(versioned, "k", [b"%d-%d" % (number, turn)])
            if turn == 2:
                store.delete(versioned, "k")

    threads = [threading.Thread(target=write, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(ids(store, versioned)) == 24
    assert [latest for _, _, latest, _ in ids(store, versioned)] == [True] + [False] * 23
    sound()
