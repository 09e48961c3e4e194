"""Objects of parts whose content lies in a folder: what is sent, and when the files go."""

import io
from collections.abc import Callable
from pathlib import Path

import pytest

from s3store.records import Bucket
from s3store.store import Store
from s3store.sweep import Swept, sweep
from tests.s3store.audit import files
from tests.s3store.conftest import FOLDERS
from tests.s3store.test_multipart import content, whole

pytestmark = pytest.mark.parametrize("kind", FOLDERS)

Sound = Callable[[], None]


def test_an_uploaded_object_is_sent_from_its_files(store: Store, bucket: Bucket) -> None:
    whole(store, bucket, "k", b"0123456789", b"abcdefghij", b"end")
    with store.open(bucket, "k") as opened:
        slices = opened.slices(8, 13)
        assert slices is not None
        sent = io.BytesIO()
        for file, start, length in slices:
            file.seek(start)
            sent.write(file.read(length))
        assert sent.getvalue() == b"89abcdefghije"
        assert opened.slices(0, 0) == []


def test_a_reader_of_many_parts_keeps_reading_when_they_are_deleted(
    store: Store, bucket: Bucket, root: Path, sound: Sound
) -> None:
    whole(store, bucket, "k", b"0123456789", b"abcdefghij", b"end")
    with store.open(bucket, "k") as opened:
        store.delete(bucket, "k")
        assert sweep(store) == Swept(0, 0)
        assert content(opened) == b"0123456789abcdefghijend"
        assert store.usage("owner").bytes == 0
    assert sweep(store) == Swept(0, files=3)
    assert files(root) == set()
    sound()


def test_an_object_of_parts_that_nobody_reads_is_removed_at_once(
    store: Store, bucket: Bucket, root: Path, sound: Sound
) -> None:
    whole(store, bucket, "k", b"0123456789", b"end")
    store.put(bucket, "k", [b"x" * 100_000])
    assert len(files(root)) == 1
    sound()
