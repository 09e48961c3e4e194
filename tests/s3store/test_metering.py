"""What accounts have, and what they had at each hour."""

import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

from s3store.metering import KEPT, keep_metering, meter, metered, usages
from s3store.records import Sample, Usage
from s3store.store import Store
from tests.mariadb import MariaDb

HOUR = timedelta(hours=1)
NOON = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


def test_what_accounts_have_is_noted_once_an_hour_and_kept(store: Store) -> None:
    one, two = store.create_bucket("one", "alice"), store.create_bucket("two", "alice")
    store.create_bucket("three", "bob")
    store.put(one, "a", [b"12345"])
    store.put(two, "b", [b"x" * 100_000])
    meter(store, NOON + timedelta(minutes=3))
    store.put(two, "c", [b"123"])
    meter(store, NOON + timedelta(minutes=59))
    store.delete(one, "a")
    meter(store, NOON + HOUR)
    alice = [
        Sample("alice", NOON, Usage(2, 2, 100_005)),
        Sample("alice", NOON + HOUR, Usage(2, 2, 100_003)),
    ]
    assert metered(store, NOON, NOON + 2 * HOUR, "alice") == alice
    everybody = metered(store, NOON, NOON + HOUR)
    assert everybody == [alice[0], Sample("bob", NOON, Usage(1, 0, 0))]
    assert metered(store, NOON - HOUR, NOON) == []
    assert usages(store) == {"alice": Usage(2, 2, 100_003), "bob": Usage(1, 0, 0)}


def test_an_account_without_a_bucket_has_no_sample(store: Store) -> None:
    bucket = store.create_bucket("gone", "alice")
    meter(store, NOON)
    store.delete_bucket(bucket)
    meter(store, NOON + HOUR)
    assert [sample.taken for sample in metered(store, NOON, NOON + 2 * HOUR)] == [NOON]


def test_what_is_too_old_is_forgotten(store: Store) -> None:
    store.create_bucket("long", "alice")
    meter(store, NOON)
    meter(store, NOON + KEPT)
    assert len(metered(store, NOON, NOON + 2 * KEPT)) == 2
    meter(store, NOON + KEPT + HOUR)
    kept = metered(store, NOON, NOON + 2 * KEPT)
    assert [sample.taken for sample in kept] == [NOON + KEPT, NOON + KEPT + HOUR]


def test_several_processes_may_meter_the_same_hour(store: Store) -> None:
    store.create_bucket("shared", "alice")
    threads = [threading.Thread(target=meter, args=(store, NOON)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(metered(store, NOON, NOON + HOUR)) == 1


def test_the_thread_meters_at_once_and_goes_on(store: Store) -> None:
    store.create_bucket("watched", "alice")
    hours, second = iter(range(100)), threading.Event()

    def clock() -> datetime:
        number = next(hours)
        if number == 2:
            second.set()
        return NOON + number * HOUR

    stop = keep_metering(store, timedelta(milliseconds=5), clock)
    assert second.wait(20)
    stop.set()
    assert len(metered(store, NOON, NOON + 2 * HOUR)) == 2


def test_mariadb_notes_the_same(mariadb: MariaDb, tmp_path: Path) -> None:
    store = Store(tmp_path, mariadb.database("metering"))
    store.put(store.create_bucket("one", "alice"), "a", [b"12345"])
    for _ in range(2):
        meter(store, NOON)
    has = Usage(1, 1, 5)
    assert metered(store, NOON, NOON + HOUR) == [Sample("alice", NOON, has)]
    assert usages(store) == {"alice": has}
    store.close()
