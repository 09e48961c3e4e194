"""Object lock: what it keeps from being removed, and what may be changed of it."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from s3store import faults, locks
from s3store.records import Bucket, Draft, Lock
from s3store.store import Store

NOW = datetime(2026, 1, 1, tzinfo=UTC)
SOON, LATER = NOW + timedelta(days=1), NOW + timedelta(days=2)
PAST = NOW - timedelta(days=1)
FUTURE = datetime.now(UTC).replace(microsecond=0) + timedelta(days=1)


@pytest.mark.parametrize(
    ("lock", "bypass", "stays"),
    [
        (Lock(), False, False),
        (Lock(hold=True), True, True),
        (Lock("GOVERNANCE", SOON), False, True),
        (Lock("GOVERNANCE", SOON), True, False),
        (Lock("COMPLIANCE", SOON), True, True),
        (Lock("COMPLIANCE", PAST), False, False),
        (Lock("GOVERNANCE", SOON, hold=True), True, True),
    ],
)
def test_what_a_lock_keeps(lock: Lock, bypass: bool, stays: bool) -> None:
    if stays:
        with pytest.raises(faults.Locked):
            locks.check_removal(lock, NOW, bypass)
    else:
        locks.check_removal(lock, NOW, bypass)


@pytest.mark.parametrize(
    ("old", "new", "bypass", "allowed"),
    [
        (Lock(), Lock("COMPLIANCE", SOON), False, True),
        (Lock("COMPLIANCE", SOON), Lock("COMPLIANCE", LATER), False, True),
        (Lock("COMPLIANCE", LATER), Lock("COMPLIANCE", SOON), True, False),
        (Lock("COMPLIANCE", SOON), Lock("GOVERNANCE", LATER), True, False),
        (Lock("COMPLIANCE", SOON), Lock(), True, False),
        (Lock("COMPLIANCE", PAST), Lock(), False, True),
        (Lock("GOVERNANCE", SOON), Lock("GOVERNANCE", LATER), False, True),
        (Lock("GOVERNANCE", LATER), Lock("GOVERNANCE", SOON), False, False),
        (Lock("GOVERNANCE", LATER), Lock("GOVERNANCE", SOON), True, True),
        (Lock("GOVERNANCE", SOON), Lock("COMPLIANCE", LATER), False, False),
        (Lock("GOVERNANCE", SOON), Lock("COMPLIANCE", LATER), True, True),
        (Lock("GOVERNANCE", SOON), Lock(), False, False),
        (Lock("COMPLIANCE", SOON), Lock("COMPLIANCE", SOON, hold=True), False, True),
        (Lock(hold=True), Lock(), False, True),
    ],
)
def test_what_may_be_changed_of_a_lock(old: Lock, new: Lock, bypass: bool, allowed: bool) -> None:
    if allowed:
        locks.check_change(old, new, NOW, bypass)
    else:
        with pytest.raises(faults.Locked):
            locks.check_change(old, new, NOW, bypass)


@pytest.mark.parametrize("kind", ["files", "mariadb"])
def test_a_locked_version_stays_but_its_key_may_be_deleted(
    store: Store, versioned: Bucket, sound: Callable[[], None]
) -> None:
    kept = store.put(versioned, "k", [b"x"], Draft(lock=Lock("GOVERNANCE", FUTURE)))
    assert store.head(versioned, "k").lock == Lock("GOVERNANCE", FUTURE)
    assert store.delete(versioned, "k").marker
    with pytest.raises(faults.Locked):
        store.delete(versioned, "k", kept.version_id)
    sound()
    assert store.delete(versioned, "k", kept.version_id, bypass=True).existed
    sound()


def test_half_a_lock_is_changed_in_one_transaction_with_what_it_was(
    store: Store, versioned: Bucket
) -> None:
    store.put(versioned, "k", [b"x"], Draft(lock=Lock("COMPLIANCE", FUTURE)))
    held = store.set_lock(versioned, "k", None, lambda old: replace(old, hold=True))
    assert held.lock == Lock("COMPLIANCE", FUTURE, hold=True)
    with pytest.raises(faults.Locked):
        store.set_lock(versioned, "k", None, Lock(), bypass=True)
    assert store.head(versioned, "k").lock == held.lock


def test_locks_need_versioning(store: Store, bucket: Bucket, versioned: Bucket) -> None:
    locked = Draft(lock=Lock(hold=True))
    with pytest.raises(faults.WrongBucketState):
        store.put(bucket, "k", [b"x"], locked)
    with pytest.raises(faults.WrongBucketState):
        store.create_upload(bucket, "k", locked)
    store.put(bucket, "k", [b"x"])
    with pytest.raises(faults.WrongBucketState):
        store.set_lock(bucket, "k", None, Lock(hold=True))
    with pytest.raises(faults.WrongBucketState):
        store.set_setting(bucket, "lock", {"Enabled": True})
    store.set_setting(versioned, "lock", {"Enabled": True})
    with pytest.raises(faults.WrongBucketState):
        store.set_versioning(versioned, "Suspended")
    with pytest.raises(faults.WrongBucketState):
        store.set_setting(versioned, "lock", None)


def test_a_null_version_that_is_held_cannot_be_written_over(
    store: Store, bucket: Bucket, sound: Callable[[], None]
) -> None:
    store.put(bucket, "k", [b"before"])
    store.set_versioning(bucket, "Enabled")
    store.set_lock(bucket, "k", "null", Lock(hold=True))
    store.set_versioning(bucket, "Suspended")
    for write in (lambda: store.put(bucket, "k", [b"x"]), lambda: store.delete(bucket, "k")):
        with pytest.raises(faults.Locked):
            write()
    assert store.head(bucket, "k").size == 6
    sound()
