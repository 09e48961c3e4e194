"""SIGKILL at any instant: what was acknowledged is there, the rest is as if it had not begun.

Writers are forked, write, copy and delete as fast as they can, small and large, whole and in parts,
with versioning and without, and are killed together. Each says in a log of its own what it is about
to do and what it has been told is done. Then the store is opened anew, swept, checked, and compared
with its files and with the logs.
"""

import hashlib
import os
import random
import signal
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

from s3store import faults
from s3store.fsck import check
from s3store.records import Bucket, Choice
from s3store.store import Store
from s3store.sweep import sweep
from tests.s3store.audit import assert_sound
from tests.s3store.conftest import LEAST_PART

ROUNDS = 12
WRITERS = 3


def write_for_ever(root: Path, number: int, log: int) -> None:
    """One writer: its own keys, which nobody else touches, and keys it shares with the others."""
    store, dice = Store(root, least_part=LEAST_PART), random.Random(os.getpid())
    bucket, versioned = store.bucket("bucket"), store.bucket("versioned")
    while True:
        own, shared = f"own-{number}-{dice.randrange(4)}", f"shared-{dice.randrange(4)}"
        content = dice.randbytes(dice.choice((0, 10, 3000, 200_000)))
        etag = hashlib.md5(content).hexdigest()
        action = dice.random()
        if action < 0.5:
            os.write(log, f"try {own} {etag}\n".encode())
            store.put(bucket, own, [content[:1000], content[1000:]])
            os.write(log, f"did {own} {etag}\n".encode())
        elif action < 0.7:
            os.write(log, f"try {own} -\n".encode())
            store.delete(bucket, own)
            os.write(log, f"did {own} -\n".encode())
        elif action < 0.75:
            with suppress(faults.NoSuchKey), store.open(bucket, shared) as source:
                store.copy(source, bucket, f"shared-{dice.randrange(4)}")
        elif action < 0.8:
            store.delete(versioned, shared)
            for version in store.scan_versions(versioned)[5:]:
                store.delete(versioned, version.key, version.version_id)
        elif action < 0.9:
            write_in_parts(store, dice.choice((bucket, versioned)), shared, dice)
        else:
            store.put(dice.choice((bucket, versioned)), shared, [content])


def write_in_parts(store: Store, bucket: Bucket, key: str, dice: random.Random) -> None:
    """An upload in parts, one of them twice, one left out, completed, aborted or left alone."""
    upload = store.create_upload(bucket, key)
    chosen = []
    for number in (1, 2, 2, 3):
        part = store.put_part(upload, number, [dice.randbytes(20_000)])
        chosen.append(Choice(number, part.etag))
    fate = dice.random()
    if fate < 0.6:
        store.complete_upload(upload, [chosen[0], chosen[2]])
    elif fate < 0.8:
        store.abort_upload(upload)


def fork(root: Path, number: int, log: Path) -> int:
    """Start a writer; its process id."""
    child = os.fork()
    if child:
        return child
    code = 1
    try:
        write_for_ever(root, number, os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND))
    finally:
        os._exit(code)


def written(logs: list[Path]) -> int:
    """How much all logs hold: it grows when the writers have come to work."""
    return sum(log.stat().st_size for log in logs)


def allowed(log: Path) -> dict[str, set[str]]:
    """For each key the ETags it may have now, "-" standing for no object."""
    found: dict[str, set[str]] = {}
    for line in log.read_text().splitlines():
        word, key, etag = line.split()
        found[key] = {etag} if word == "did" else found.get(key, {"-"}) | {etag}
    return found


def test_a_store_survives_sigkill_at_any_instant(tmp_path: Path) -> None:
    root = tmp_path / "objects"
    logs = [tmp_path / f"log-{number}" for number in range(WRITERS)]
    for log in logs:
        log.touch()
    first = Store(root)
    first.create_bucket("bucket", "owner")
    first.create_bucket("versioned", "owner", versioning="Enabled")
    first.close()
    dice, rubbish = random.Random(7), 0
    for _ in range(ROUNDS):
        before = written(logs)
        children = [fork(root, number, logs[number]) for number in range(WRITERS)]
        deadline = time.monotonic() + 20
        while written(logs) == before and time.monotonic() < deadline:
            time.sleep(0.002)
        time.sleep(dice.uniform(0, 0.12))
        for child in children:
            os.kill(child, signal.SIGKILL)
        for child in children:
            _, status = os.waitpid(child, 0)
            assert os.WTERMSIG(status) == signal.SIGKILL, "a writer failed by itself"
        store = Store(root)
        swept = sweep(store, timedelta(0))
        rubbish += swept.uploads + swept.files
        assert list(check(store)) == []
        assert_sound(root)
        etags = {e.key.decode(): e.etag for e in store.list(store.bucket("bucket")).entries}
        for log in logs:
            for key, states in allowed(log).items():
                now = etags.get(key, "-")
                assert now in states
                with log.open("a") as file:
                    file.write(f"did {key} {now}\n")
        store.close()
    done = sum(log.read_text().count("did") for log in logs)
    assert done > ROUNDS
    assert rubbish > 0, "no kill hit an upload half-way: the test proves nothing"


def test_processes_that_open_a_new_store_together_agree_on_it(tmp_path: Path) -> None:
    root = tmp_path / "objects"
    children = []
    for number in range(4):
        child = os.fork()
        if not child:
            code = 1
            try:
                store = Store(root)
                bucket = store.create_bucket(f"bucket-{number}", "owner")
                store.put(bucket, "k", [b"x"])
                code = 0
            finally:
                os._exit(code)
        children.append(child)
    assert [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children] == [0] * 4
    store = Store(root)
    assert len(store.buckets("owner")) == 4
    store.close()
    assert_sound(root)


# -- one step after the other ----------------------------------------------------------------------

STEPS = 8


def kill_at(step: int) -> None:
    """Die at the so-manieth line of the store's own code from now on."""
    left = step

    def trace(frame: FrameType, _event: str, _argument: object) -> Any:
        nonlocal left
        if "/s3store/" not in frame.f_code.co_filename:
            return None
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return trace

    sys.settrace(trace)


def lines_of(act: Callable[[], object]) -> int:
    """How many lines of the store's own code something runs through."""
    count = 0

    def trace(frame: FrameType, _event: str, _argument: object) -> Any:
        nonlocal count
        if "/s3store/" not in frame.f_code.co_filename:
            return None
        count += 1
        return trace

    sys.settrace(trace)
    try:
        act()
    finally:
        sys.settrace(None)
    return count


def put(store: Store, size: int, key: str = "k") -> None:
    store.put(store.bucket("bucket"), key, [os.urandom(size)])


def put_in_parts(store: Store) -> None:
    bucket = store.bucket("bucket")
    upload = store.create_upload(bucket, "k")
    parts = [store.put_part(upload, number, [b"%d" % number * 20]) for number in (1, 2)]
    store.complete_upload(upload, [Choice(part.number, part.etag) for part in parts])


def copy(store: Store) -> None:
    bucket = store.bucket("bucket")
    with store.open(bucket, "large") as source:
        store.copy(source, bucket, "k")


def abort(store: Store) -> None:
    for upload in store.scan_uploads(store.bucket("bucket")):
        store.abort_upload(upload)


ACTS: dict[str, Callable[[Store], object]] = {
    "small": lambda store: put(store, 10),
    "large": lambda store: put(store, 40_000),
    "parts": put_in_parts,
    "copy": copy,
    "delete": lambda store: store.delete(store.bucket("bucket"), "k"),
    "abort": abort,
}


@pytest.mark.parametrize("act", sorted(ACTS))
def test_a_change_cut_off_at_any_step_has_happened_or_not(tmp_path: Path, act: str) -> None:
    root = tmp_path / "objects"
    store = Store(root, least_part=LEAST_PART)
    bucket = store.create_bucket("bucket", "owner")
    put(store, 40_000, "large")

    def prepare() -> str:
        put(store, 50_000)
        upload = store.create_upload(bucket, "open")
        store.put_part(upload, 1, [b"part"])
        return store.head(bucket, "k").etag

    for _ in range(2):  # the first time more is computed
        prepare()
        lines = lines_of(lambda: ACTS[act](store))
    killed = 0
    for step in range(1, lines, max(lines // STEPS, 1)):
        before = prepare()
        child = os.fork()
        if not child:
            try:
                other = Store(root, least_part=LEAST_PART)
                other.bucket("bucket")
                kill_at(step)
                ACTS[act](other)
            finally:
                os._exit(0)
        _, status = os.waitpid(child, 0)
        killed += os.WIFSIGNALED(status)
        sweep(store, timedelta(0))
        assert list(check(store)) == []
        assert_sound(root)
        shown = {entry.key: entry.etag for entry in store.list(bucket).entries}
        assert act == "delete" or b"k" in shown
        if shown.get(b"k") != before:
            assert act != "abort"
            store.delete(bucket, "k")
    store.close()
    assert killed >= STEPS // 2
