"""The power fails at any instant: what was acknowledged is there whole, and nothing is half."""

import os
import random
import shutil
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from s3store.fsck import check
from s3store.records import Choice
from s3store.store import Store
from s3store.sweep import sweep
from tests.s3store import powercut
from tests.s3store.conftest import LEAST_PART
from tests.s3store.powercut import Disk, Note

CUTS = 12


def work(root: Path, acknowledgements: Path, durable: bool) -> None:
    """Write and delete in every way there is, and say after each what is so now."""
    store, dice = Store(root, least_part=LEAST_PART, durable=durable), random.Random(1)
    bucket, versioned = store.bucket("bucket"), store.bucket("versioned")
    said = os.open(acknowledgements, os.O_WRONLY)

    def acknowledge(where: str, key: str, etag: str) -> None:
        os.write(said, f"{where} {key} {etag}\n".encode())

    for turn in range(2):
        for key, size in (("small", 100), ("large", 40_000)):
            for where in (bucket, versioned):
                version = store.put(where, key, [dice.randbytes(size), b"!"])
                acknowledge(where.name, key, version.etag)
        with store.open(bucket, "large") as source:
            copied = store.copy(source, bucket, "copy")
        acknowledge("bucket", "copy", copied.etag)
        upload = store.create_upload(bucket, "parts")
        parts = [store.put_part(upload, number, [dice.randbytes(9_000)]) for number in (1, 2, 3)]
        made = store.complete_upload(upload, [Choice(p.number, p.etag) for p in parts[:2]])
        acknowledge("bucket", "parts", made.etag)
        if turn:
            store.delete(bucket, "small")
            acknowledge("bucket", "small", "-")
            store.delete(versioned, "large")
            acknowledge("versioned", "large", "-")
    store.close()


def acknowledged(notes: list[Note], inode: int) -> dict[tuple[str, str], str]:
    """What each key was last said to be."""
    text = b"".join(note.data for note in notes if note.inode == inode and note.kind == "W")
    lines = (line.split() for line in text.decode().splitlines())
    return {(where, key): etag for where, key, etag in lines}


def possible(notes: list[Note], inode: int, cut: int) -> dict[tuple[str, str], set[str]]:
    """What each key may be if the power fails at a cut: what it was said to be, or becomes next."""
    now = acknowledged(notes[:cut], inode)
    later = acknowledged(notes[: cut + _next(notes[cut:], inode)], inode)
    return {key: {now.get(key, "-"), later[key]} for key in later}


def _next(notes: list[Note], inode: int) -> int:
    return next((n + 1 for n, note in enumerate(notes) if note.inode == inode), len(notes))


def worked(tmp_path: Path, durable: bool) -> tuple[Disk, list[Note], int]:
    """The disk before the work, what was done to it, and the inode of the acknowledgements."""
    below, root = tmp_path / "disk", tmp_path / "disk" / "objects"
    below.mkdir()
    store = Store(root)
    store.create_bucket("bucket", "owner")
    store.create_bucket("versioned", "owner", versioning="Enabled")
    store.close()
    said = below / "said"
    said.touch()
    disk = Disk(below)
    script = (
        "import sys, pathlib; from tests.s3store.test_powercut import work;"
        f" work(*map(pathlib.Path, sys.argv[1:]), durable={durable})"
    )
    command = [sys.executable, "-c", script, str(root), str(said)]
    return disk, powercut.run(command, below, tmp_path), said.stat().st_ino


def test_after_a_power_failure_all_that_was_acknowledged_is_there(tmp_path: Path) -> None:
    disk, notes, inode = worked(tmp_path, durable=True)
    assert {note.kind for note in notes} >= set("CWSRLU")
    dice = random.Random(2)
    cuts = [*sorted(dice.sample(range(len(notes)), CUTS)), len(notes)]
    done = 0
    for number, cut in enumerate(cuts):
        for note in notes[done:cut]:
            disk.apply(note)
        done = cut
        left = tmp_path / f"left-{number}"
        disk.fail(tmp_path / "disk", left, None if number % 2 else dice)
        survived(left / "objects", possible(notes, inode, cut))
        shutil.rmtree(left)


def test_durability_that_was_traded_away_is_gone_and_this_test_can_tell(tmp_path: Path) -> None:
    disk, notes, inode = worked(tmp_path, durable=False)
    for note in notes:
        disk.apply(note)
    disk.fail(tmp_path / "disk", tmp_path / "left", None)
    with pytest.raises(AssertionError):
        survived(tmp_path / "left" / "objects", possible(notes, inode, len(notes)))


def survived(root: Path, keys: dict[tuple[str, str], set[str]]) -> None:
    """The store is sound after a sweep, and every key is what it may be."""
    store = Store(root)
    sweep(store, timedelta(seconds=-1))
    assert list(check(store)) == []
    for (where, key), etags in keys.items():
        shown = {e.key.decode(): e.etag for e in store.list(store.bucket(where)).entries}
        assert shown.get(key, "-") in etags
    store.close()
