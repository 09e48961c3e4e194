"""The sweep removes what nobody will ever see, and nothing else."""

import os
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from s3store import faults
from s3store.index import versions
from s3store.records import Bucket
from s3store.store import Store
from s3store.sweep import Swept, keep_sweeping, sweep
from tests.s3store.audit import assert_sound, files, rows

NOW = timedelta(0)
LONG_AGO = datetime.now(UTC) - timedelta(days=3)


def age(path: Path) -> None:
    os.utime(path, (LONG_AGO.timestamp(), LONG_AGO.timestamp()))


def begin(store: Store, root: Path, name: str, when: datetime) -> Path:
    """An upload whose process died while the body came."""
    store.index.change(lambda c: versions.announce(c, name, when))
    store.blobs.write(name, [b"half"])
    return root / "incoming" / name


def test_a_sound_store_is_left_alone(store: Store, bucket: Bucket, root: Path) -> None:
    written = store.put(bucket, "k", [b"x"])
    age(root / "blobs" / written.id[:2] / written.id)
    assert sweep(store) == Swept(0, 0)
    assert_sound(root)


def test_an_upload_nobody_continues_is_given_up(store: Store, bucket: Bucket, root: Path) -> None:
    age(begin(store, root, "a" * 32, LONG_AGO))
    begin(store, root, "b" * 32, datetime.now(UTC))
    assert sweep(store) == Swept(uploads=1, files=0)
    assert [row.id for row in rows(root, "arrival")] == ["b" * 32]
    assert files(root) == {"b" * 32}


def test_an_old_upload_lives_as_long_as_bytes_arrive(
    store: Store, bucket: Bucket, root: Path
) -> None:
    begin(store, root, "a" * 32, LONG_AGO)
    assert sweep(store) == Swept(0, 0)
    assert files(root) == {"a" * 32}


def test_files_without_a_row_are_removed_wherever_they_lie(
    store: Store, bucket: Bucket, root: Path
) -> None:
    store.put(bucket, "k", [b"x"])
    young = "c" * 32
    for name in ("a" * 32, "b" * 32, young):
        store.blobs.write(name, [b"rubbish"])
    store.blobs.keep("b" * 32)
    age(root / "incoming" / ("a" * 32))
    age(root / "blobs" / "bb" / ("b" * 32))
    assert sweep(store) == Swept(uploads=0, files=2)
    store.blobs.remove(young)
    assert_sound(root)


def test_an_upload_that_was_given_up_cannot_finish(
    store: Store, bucket: Bucket, root: Path
) -> None:
    store.put(bucket, "k", [b"old"])

    def body() -> Iterator[bytes]:
        yield b"new"
        time.sleep(0.02)
        assert sweep(store, NOW) == Swept(uploads=1, files=0)

    with pytest.raises(faults.UploadAborted):
        store.put(bucket, "k", body())
    assert store.head(bucket, "k").size == 3
    assert_sound(root)


def test_a_sweep_between_the_rename_and_the_commit_wins_cleanly(
    store: Store, bucket: Bucket, root: Path
) -> None:
    begin(store, root, "a" * 32, LONG_AGO)
    store.blobs.keep("a" * 32)
    age(root / "blobs" / "aa" / ("a" * 32))
    assert sweep(store) == Swept(uploads=1, files=0)
    with pytest.raises(faults.UploadAborted):
        store.index.change(lambda c: versions.arrive(c, "a" * 32))
    assert_sound(root)
    assert files(root) == set()


def test_sweeping_goes_on_by_itself_until_it_is_stopped(
    store: Store, bucket: Bucket, root: Path
) -> None:
    age(begin(store, root, "a" * 32, LONG_AGO))
    others = set(threading.enumerate())
    stop = keep_sweeping(store, timedelta(milliseconds=10))
    deadline = time.monotonic() + 10
    while files(root) and time.monotonic() < deadline:
        time.sleep(0.01)
    stop.set()
    for thread in set(threading.enumerate()) - others:
        thread.join()
    assert_sound(root)
    assert files(root) == set()
