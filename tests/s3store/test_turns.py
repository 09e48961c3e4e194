"""Group commit: changes that wait go together, and each has its own outcome."""

import threading
from collections.abc import Callable, Sequence
from contextvars import ContextVar
from typing import Any

import pytest
from sqlalchemy import Connection, event, text

from s3store import faults
from s3store.index.turns import Change, Turns
from s3store.records import Bucket, Condition, Quota
from s3store.store import Store

NO_CONNECTION: Any = None


class Gate:
    """A first change that keeps the writer's turn until it is opened."""

    def __init__(self) -> None:
        self.entered, self.open = threading.Event(), threading.Event()

    def __call__(self, _: Connection) -> None:
        self.entered.set()
        assert self.open.wait(20)


def waiting(turns: Turns, number: int) -> bool:
    return len(turns._queue) == number


def in_threads(jobs: Sequence[Callable[[], Any]]) -> tuple[list[threading.Thread], list[Any]]:
    """Run jobs at once; their results or what they raised, in a list that fills."""
    outcomes: list[Any] = [None] * len(jobs)

    def run(number: int) -> None:
        try:
            outcomes[number] = jobs[number]()
        except faults.StoreFault as fault:
            outcomes[number] = fault

    threads = [threading.Thread(target=run, args=(number,)) for number in range(len(jobs))]
    for thread in threads:
        thread.start()
    return threads, outcomes


def until(true: Callable[[], bool]) -> None:
    pause = threading.Event()
    for _ in range(4000):
        if true():
            return
        pause.wait(0.005)
    pytest.fail("it never came to that")


def behind_a_gate(
    turns: Turns,
    run: Callable[[Callable[[Connection], Any]], Any],
    jobs: Sequence[Callable[[], Any]],
) -> list[Any]:
    """Have jobs wait behind one that holds the turn, so that they come in one batch."""
    gate = Gate()
    first, _ = in_threads([lambda: run(gate)])
    assert gate.entered.wait(20)
    threads, outcomes = in_threads(jobs)
    until(lambda: waiting(turns, len(jobs)))
    gate.open.set()
    for thread in (*first, *threads):
        thread.join()
    return outcomes


def test_changes_that_wait_are_committed_together() -> None:
    batches: list[int] = []

    def commit(batch: Sequence[Change]) -> None:
        batches.append(len(batch))
        for change in batch:
            change.result = change.work(NO_CONNECTION)

    turns = Turns(commit)
    jobs = [lambda n=n: turns.run(lambda _: n, True) for n in range(5)]
    outcomes = behind_a_gate(turns, lambda work: turns.run(work, True), jobs)
    assert outcomes == [0, 1, 2, 3, 4]
    assert batches == [1, 5]


def test_a_commit_that_fails_fails_everybody_who_waited_for_it() -> None:
    def commit(batch: Sequence[Change]) -> None:
        for change in batch:
            change.result = change.work(NO_CONNECTION)
        if len(batch) > 1:
            raise faults.StoreFull("no room")

    turns = Turns(commit)
    jobs = [lambda n=n: turns.run(lambda _: n, True) for n in range(3)]
    outcomes = behind_a_gate(turns, lambda work: turns.run(work, True), jobs)
    assert sorted(type(outcome).__name__ for outcome in outcomes) == [
        "StoreBusy",
        "StoreBusy",
        "StoreFull",
    ]
    assert turns.run(lambda _: "still works", True) == "still works"


def test_work_done_by_another_thread_sees_the_context_of_its_caller() -> None:
    variable: ContextVar[int] = ContextVar("variable")

    def commit(batch: Sequence[Change]) -> None:
        for change in batch:
            change.result = change.work(NO_CONNECTION)

    turns = Turns(commit)

    def job(number: int) -> int:
        variable.set(number)
        return turns.run(lambda _: variable.get(), True)

    jobs = [lambda n=n: job(n) for n in range(3)]
    assert behind_a_gate(turns, lambda work: turns.run(work, True), jobs) == [0, 1, 2]


@pytest.mark.parametrize("kind", ["inline"])
def test_small_uploads_that_wait_share_one_commit_and_one_refused_spoils_none(
    store: Store, bucket: Bucket, sound: Callable[[], None]
) -> None:
    store.put(bucket, "taken", [b"first"])
    commits: list[str] = []
    event.listen(store.index.engine, "commit", lambda _: commits.append("commit"))
    absent = Condition(absent=True)
    keys = ["a", "taken", "b", "a"]
    jobs = [lambda k=k: store.put(bucket, k, [k.encode()], condition=absent) for k in keys]
    turns = store.index._turns
    assert turns is not None
    outcomes = behind_a_gate(turns, store.index.change, jobs)
    assert len(commits) == 2
    assert isinstance(outcomes[1], faults.ConditionFailed)
    assert sorted(isinstance(outcomes[n], faults.ConditionFailed) for n in (0, 3)) == [False, True]
    assert [(e.key, e.size) for e in store.list(bucket).entries] == [
        (b"a", 1),
        (b"b", 1),
        (b"taken", 5),
    ]
    assert store.usage("owner").objects == 3
    sound()


@pytest.mark.parametrize("kind", ["inline"])
def test_a_change_refused_after_it_wrote_is_taken_back_and_the_others_stay(
    store: Store, bucket: Bucket, sound: Callable[[], None]
) -> None:
    store.put(bucket, "replaced", [b"old"])
    store.set_quota("owner", Quota(bytes=9))
    turns = store.index._turns
    assert turns is not None
    bodies = {"a": b"123", "replaced": b"far too long", "b": b"123"}
    jobs = [lambda k=k, b=b: store.put(bucket, k, [b]).size for k, b in bodies.items()]
    outcomes = behind_a_gate(turns, store.index.change, jobs)
    assert isinstance(outcomes.pop(1), faults.QuotaExceeded)
    assert outcomes == [3, 3]
    with store.open(bucket, "replaced") as opened:
        assert b"".join(opened.read()) == b"old"
    assert store.usage("owner").bytes == 9
    sound()


@pytest.mark.parametrize("kind", ["inline"])
def test_a_change_that_breaks_its_statement_spoils_no_other(store: Store, bucket: Bucket) -> None:
    def wrong(connection: Connection) -> None:
        connection.execute(text("INSERT INTO format (number) VALUES (2)"))

    def job() -> str:
        try:
            store.index.change(wrong)
        except Exception as error:
            return type(error).__name__
        return "went through"

    turns = store.index._turns
    assert turns is not None
    jobs = [job, lambda: store.put(bucket, "k", [b"x"]).key]
    assert behind_a_gate(turns, store.index.change, jobs) == ["IntegrityError", "k"]
    assert store.head(bucket, "k").size == 1
