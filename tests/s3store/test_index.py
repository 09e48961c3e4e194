"""What the index itself refuses."""

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event

from s3store import faults
from s3store.index import database, scans
from s3store.index.scans import Rows
from s3store.listing import Start
from s3store.records import Bucket
from s3store.store import Store


def test_an_index_of_another_format_is_refused(store: Store, bucket: Bucket, root: Path) -> None:
    with closing(sqlite3.connect(root / "index.sqlite")) as connection, connection:
        connection.execute("UPDATE format SET number = 1")
    other = Store(root)
    with pytest.raises(faults.WrongFormat):
        other.bucket(bucket.name)
    other.close()


def test_an_index_locked_for_too_long_is_busy(
    store: Store, bucket: Bucket, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "_PATIENCE", 0.05)
    impatient = Store(root)
    with closing(sqlite3.connect(root / "index.sqlite", isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        with pytest.raises(faults.StoreBusy):
            impatient.put(bucket, "k", [b"x"])
        connection.execute("ROLLBACK")
    impatient.put(bucket, "k", [b"x"])
    impatient.close()


def test_a_change_waits_for_that_of_another_process(
    store: Store, bucket: Bucket, root: Path
) -> None:
    with closing(sqlite3.connect(root / "index.sqlite", isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        with ThreadPoolExecutor() as pool:
            waiting = pool.submit(store.put, bucket, "k", [b"x"])
            with pytest.raises(TimeoutError):
                waiting.result(0.1)
            connection.execute("COMMIT")
            assert waiting.result(20).key == "k"
    assert store.head(bucket, "k").size == 1


def test_an_index_without_room_is_full(store: Store, bucket: Bucket, root: Path) -> None:
    def limit(connection: Any, *_: object) -> None:
        connection.execute("PRAGMA max_page_count=1")

    store.close()
    event.listen(store.index.engine, "connect", limit)
    with pytest.raises(faults.StoreFull):
        store.set_setting(bucket, "policy", "x" * 1_000_000)
    with pytest.raises(faults.StoreFull):
        store.create_bucket("other", "owner", settings={"policy": "x" * 1_000_000})


def test_reading_does_not_wait_for_a_writer(store: Store, bucket: Bucket, root: Path) -> None:
    store.put(bucket, "k", [b"x"])
    with closing(sqlite3.connect(root / "index.sqlite", isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        assert store.head(bucket, "k").size == 1
        assert len(store.list(bucket).entries) == 1


def test_connections_that_rest_leave_some_to_everybody_else(store: Store, bucket: Bucket) -> None:
    with ExitStack() as many:
        for _ in range(2 * database._CONNECTIONS):
            many.enter_context(store.index._connection())
    assert store.list(bucket).items == ()


def test_what_a_listing_meets_alone_is_sought_key_by_key(store: Store, bucket: Bucket) -> None:
    asked: list[str] = []
    with store.index.look() as connection:
        driver: Any = connection.connection.dbapi_connection
        for kind in (scans.ENTRIES, scans.VERSIONS, scans.UPLOADS):
            driver.set_trace_callback(asked.append)
            Rows[Any](connection, bucket, kind).pick([b"a", b"c"], Start(b"a", True), 10)
            driver.set_trace_callback(None)
            plan = driver.execute(f"EXPLAIN QUERY PLAN {asked[-1]}").fetchall()
            assert len(plan) == 1, "one step: no sorting"
            assert plan[0][3].endswith("AND key=?)")


def test_a_listing_is_answered_from_the_unique_index(
    store: Store, bucket: Bucket, root: Path
) -> None:
    store.put(bucket, "k", [b"x"])
    with closing(sqlite3.connect(root / "index.sqlite")) as connection:
        plan = connection.execute(
            "EXPLAIN QUERY PLAN SELECT key, size FROM version WHERE bucket_id = ? AND latest = 1"
            " AND key > ? AND key < ? ORDER BY key LIMIT 10",
            (bucket.id, b"a", b"z"),
        ).fetchall()
        versions = connection.execute(
            "EXPLAIN QUERY PLAN SELECT id FROM version WHERE bucket_id = ? AND key >= ?"
            " AND (key > ? OR position > ?) ORDER BY key, position LIMIT 10",
            (bucket.id, b"a", b"a", 1),
        ).fetchall()
    assert len(plan) == 1, "one step: no sorting"
    assert "(bucket_id=? AND latest=? AND key>? AND key<?)" in plan[0][3]
    assert len(versions) == 1, "one step: no sorting"
    assert "(bucket_id=? AND key>?)" in versions[0][3]
