"""SIGKILL at any instant: what was acknowledged is there, the rest is as if it had not begun.

Writers are forked, write, copy and delete as fast as they can, and are killed together. Each says
in a log of its own what it is about to do and what it has been told is done. Then the store is
opened anew, swept, and compared with its files and with the logs.
"""

import hashlib
import os
import random
import signal
import time
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

from s3store import faults
from s3store.store import Store
from s3store.sweep import sweep
from tests.s3store.audit import assert_sound

ROUNDS = 25
WRITERS = 3


def write_for_ever(root: Path, number: int, log: int) -> None:
    """One writer: its own keys, which nobody else touches, and keys it shares with the others."""
    store, dice = Store(root), random.Random(os.getpid())
    bucket = store.bucket("bucket")
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
        elif action < 0.8:
            with suppress(faults.NoSuchKey), store.open(bucket, shared) as source:
                store.copy(source, bucket, f"shared-{dice.randrange(4)}")
        else:
            store.put(bucket, shared, [content])


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
