"""Content in files: one for each version, gone with it."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from s3store import faults
from s3store.records import Attributes, Bucket, Draft
from s3store.store import Store
from tests.s3store.audit import files

Sound = Callable[[], None]


def content(store: Store, bucket: Bucket, key: str) -> bytes:
    with store.open(bucket, key) as opened:
        return b"".join(opened.read())


def test_a_new_version_takes_the_place_and_the_room_of_the_old_one(
    store: Store, bucket: Bucket, root: Path
) -> None:
    old = store.put(bucket, "k", [b"old"])
    new = store.put(bucket, "k", [b"new"])
    assert content(store, bucket, "k") == b"new"
    assert files(root) == {new.id} != {old.id}


def test_a_full_disk_is_reported_and_leaves_nothing(
    root: Path, sound: Sound, store: Store, bucket: Bucket
) -> None:
    script = (
        "import resource, signal, sys, pathlib; from s3store import faults, store\n"
        "made = store.Store(pathlib.Path(sys.argv[1])); bucket = made.bucket('bucket')\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (2_000_000, 2_000_000))\n"
        "try: made.put(bucket, 'k', [bytes(1_000_000)] * 3)\n"
        "except faults.StoreFull: print('full')\n"
    )
    command = [sys.executable, "-c", script, str(root)]
    assert subprocess.check_output(command, text=True) == "full\n"
    sound()
    assert files(root) == set()


def test_a_copy_shares_the_content_and_outlives_its_source(
    store: Store, bucket: Bucket, root: Path, sound: Sound
) -> None:
    store.put(bucket, "from", [b"data"], Draft(Attributes(metadata={"a": "1"})))
    with store.open(bucket, "from") as source:
        copied = store.copy(source, bucket, "to")
        assert (root / "blobs" / copied.id[:2] / copied.id).stat().st_nlink == 2
    store.delete(bucket, "from")
    assert content(store, bucket, "to") == b"data"
    assert copied.attributes.metadata == {"a": "1"}
    sound()


def test_content_that_vanished_is_reported_as_damage(
    store: Store, bucket: Bucket, root: Path
) -> None:
    store.blobs.remove(store.put(bucket, "k", [b"data"]).id)
    with pytest.raises(faults.Damaged):
        store.open(bucket, "k")
