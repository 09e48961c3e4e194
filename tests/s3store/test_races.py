"""Many at once, threads and processes: each change is whole, and all agree on their order."""

import json
import os
import random
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import NamedTuple

import pytest

from s3store import faults
from s3store.fsck import check
from s3store.records import Bucket, Choice, Condition
from s3store.store import Store
from s3store.sweep import sweep
from tests.s3store.audit import assert_sound
from tests.s3store.conftest import LEAST_PART

Sound = Callable[[], None]


def together(*jobs: Callable[[], object]) -> list[object]:
    """Run jobs at the same time; what each returned, or the fault it met."""
    barrier = threading.Barrier(len(jobs))
    outcomes: list[object] = [None] * len(jobs)

    def run(number: int) -> None:
        barrier.wait()
        try:
            outcomes[number] = jobs[number]()
        except faults.StoreFault as fault:
            outcomes[number] = fault

    threads = [threading.Thread(target=run, args=(number,)) for number in range(len(jobs))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return outcomes


@pytest.mark.parametrize("kind", ["files", "mariadb"])
def test_of_completing_and_aborting_exactly_one_happens(
    store: Store, bucket: Bucket, sound: Sound
) -> None:
    for number in range(15):
        key = f"k{number}"
        upload = store.create_upload(bucket, key)
        part = store.put_part(upload, 1, [b"x" * 20])
        choices = [Choice(1, part.etag)]
        completed, again, aborted = together(
            partial(store.complete_upload, upload, choices),
            partial(store.complete_upload, upload, choices),
            partial(store.abort_upload, upload),
        )
        exists = any(entry.key == key.encode() for entry in store.list(bucket).entries)
        if isinstance(aborted, faults.NoSuchUpload):
            assert exists
            assert completed == again
            assert not isinstance(completed, faults.StoreFault)
        else:
            assert isinstance(completed, faults.NoSuchUpload)
            assert isinstance(again, faults.NoSuchUpload)
            assert not exists
    sound()


@pytest.mark.parametrize("kind", ["files", "mariadb"])
def test_a_part_that_comes_while_its_upload_is_completed_is_in_it_or_refused(
    store: Store, bucket: Bucket, sound: Sound
) -> None:
    for number in range(15):
        upload = store.create_upload(bucket, f"k{number}")
        first = store.put_part(upload, 1, [b"a" * 20])
        completed, replaced = together(
            partial(store.complete_upload, upload, [Choice(1, first.etag)]),
            partial(store.put_part, upload, 1, [b"b" * 20]),
        )
        if isinstance(replaced, faults.NoSuchUpload):
            with store.open(bucket, f"k{number}") as opened:
                assert b"".join(opened.read()) == b"a" * 20
        else:
            assert isinstance(completed, faults.InvalidPart)
            store.abort_upload(upload)
    sound()


@pytest.mark.parametrize("kind", ["inline", "files", "mariadb"])
def test_of_creators_in_many_threads_one_wins_each_time_the_key_is_free(
    store: Store, bucket: Bucket, sound: Sound
) -> None:
    absent = Condition(absent=True)
    for _ in range(5):
        outcomes = together(
            *(lambda n=n: store.put(bucket, "k", [b"%d" % n], condition=absent) for n in range(6))
        )
        assert sum(isinstance(each, faults.ConditionFailed) for each in outcomes) == 5
        deleted = together(
            *(lambda: store.delete(bucket, "k").existed for _ in range(4)),
        )
        assert sorted(map(str, deleted)) == ["False"] * 3 + ["True"]
    sound()


# -- a history of one key, written by several processes --------------------------------------------


class Call(NamedTuple):
    """What a process did to a key, and when it began and ended, in ns on the machine's clock.

    ``value`` is what was written, what was read, or empty for no object.
    """

    kind: str
    value: str
    began: int
    ended: int


def act_and_tell(root: Path, url: str | None, seed: int, log: Path) -> None:
    """Write, delete and read one key for a while, and keep a history of it."""
    store, dice = Store(root, url, least_part=LEAST_PART), random.Random(seed)
    bucket = store.bucket("bucket")
    history = []
    for turn in range(40):
        kind = dice.choice(("write", "write", "delete", "read", "read", "parts"))
        value = "" if kind == "delete" else f"{seed}-{turn}-" + "x" * dice.choice((0, 30_000))
        began = time.monotonic_ns()
        if kind == "write":
            store.put(bucket, "k", [value.encode()])
        elif kind == "delete":
            store.delete(bucket, "k")
        elif kind == "parts":
            upload = store.create_upload(bucket, "k")
            part = store.put_part(upload, 1, [value.encode()])
            began, kind = time.monotonic_ns(), "write"
            store.complete_upload(upload, [Choice(1, part.etag)])
        else:
            value = ""
            with suppress(faults.NoSuchKey), store.open(bucket, "k") as opened:
                value = b"".join(opened.read()).decode()
        history.append(Call(kind, value, began, time.monotonic_ns()))
    log.write_text(json.dumps(history))


def explained(read: Call, writes: list[Call]) -> bool:
    """Whether some write before or during the read gave its value, none having come between."""
    sources = [each for each in writes if each.value == read.value and each.began < read.ended]
    return any(
        not any(source.ended < other.began and other.ended < read.began for other in writes)
        for source in sources
    )


@pytest.mark.parametrize("kind", ["inline", "mariadb"])
def test_processes_agree_on_the_order_of_all_changes_of_a_key(
    store: Store, bucket: Bucket, root: Path, url: str | None, tmp_path: Path
) -> None:
    logs = [tmp_path / f"history-{number}" for number in range(4)]
    store.close()
    children = []
    for number, log in enumerate(logs):
        child = os.fork()
        if not child:
            code = 1
            try:
                act_and_tell(root, url, number, log)
                code = 0
            finally:
                os._exit(code)
        children.append(child)
    assert [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children] == [0] * 4
    calls = [Call(*each) for log in logs for each in json.loads(log.read_text())]
    nothing_at_first = Call("delete", "", 0, 1)
    writes = [nothing_at_first, *(each for each in calls if each.kind != "read")]
    reads = [each for each in calls if each.kind == "read"]
    assert [read for read in reads if not explained(read, writes)] == []
    sweep(store)
    assert list(check(store)) == []
    assert_sound(root, url)
