"""Leases and locks: one runner per job, one job per resource, in the order of asking."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import select, update

from orchestrator.driver.memory.fleet import memory_fleet
from orchestrator.driver.memory.world import World
from orchestrator.engine import journal, lease
from orchestrator.engine.journal import LostLease
from orchestrator.engine.pool import Pool
from orchestrator.engine.runner import Runner
from orchestrator.engine.workflow import WORKFLOWS, Args, Step, Work, Workflow
from orchestrator.schema import migrate
from orchestrator.schema.base import now
from orchestrator.schema.jobs import Job, JobState, ResourceLock
from orchestrator.schema.session import Sessions


@dataclass(frozen=True)
class Nothing(Args):
    """No arguments but a name."""

    name: str


RAN: list[str] = []


def _run(work: Work[Nothing]) -> None:
    RAN.append(work.args.name)


@pytest.fixture
def workflow() -> Iterator[Workflow[Nothing]]:
    """A workflow of one step that notes that it ran."""
    RAN.clear()
    yield Workflow("test.note", Nothing, (Step("note", _run),))
    del WORKFLOWS["test.note"]


@pytest.fixture(params=["sqlite", "mariadb"])
def sessions(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Sessions]:
    """A database with our tables, of each kind."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path / 'cloud.sqlite'}"
    else:
        url = request.getfixturevalue("mariadb").database("engine_test")
    opened = Sessions(url)
    migrate.upgrade(opened.engine)
    yield opened
    opened.close()


def _record(sessions: Sessions, workflow: Workflow[Nothing], name: str, *locks: str) -> int:
    with sessions.write() as db:
        job = journal.start(db, workflow, Nothing(name), resource=("thing", name), locks=locks)
        return job.seq


def _pool(sessions: Sessions, node: str = "node") -> Pool:
    return Pool(Runner(sessions, memory_fleet(World())), node, 1, 0.01)


def test_jobs_of_one_resource_run_in_the_order_of_asking(
    sessions: Sessions, workflow: Workflow[Nothing]
) -> None:
    """A later job waits, even while the earlier one only waits itself."""
    first = _record(sessions, workflow, "first", "a", "b")
    _record(sessions, workflow, "second", "b")
    _record(sessions, workflow, "free", "c")
    with sessions.write() as db:
        db.execute(update(Job).where(Job.seq == first).values(state=JobState.STUCK))
    _pool(sessions).drain()
    assert RAN == ["free"]
    with sessions.write() as db:
        db.execute(update(Job).where(Job.seq == first).values(state=JobState.RUNNING))
    _pool(sessions).drain()
    assert RAN == ["free", "first", "second"]


def test_a_job_that_became_visible_late_does_not_join_one_that_runs(
    sessions: Sessions, workflow: Workflow[Nothing]
) -> None:
    """Numbers may be committed out of order; the holder still stands alone."""
    late = _record(sessions, workflow, "late", "a")
    with sessions.write() as db:
        db.execute(update(Job).where(Job.seq == late).values(state=JobState.DONE))
    early = _record(sessions, workflow, "early", "a")
    with sessions.write() as db:
        db.execute(update(ResourceLock).where(ResourceLock.job == early).values(held=1))
        db.execute(update(Job).where(Job.seq == late).values(state=JobState.QUEUED))
    assert lease.claim(sessions, "node/1", 60) is None


def test_many_claimers_never_share_a_job(sessions: Sessions, workflow: Workflow[Nothing]) -> None:
    """Eight threads, forty jobs of four resources: each runs once, none beside its neighbour."""
    for number in range(40):
        _record(sessions, workflow, str(number), f"resource-{number % 4}")
    pools = [_pool(sessions, f"node{number}") for number in range(8)]
    threads = [threading.Thread(target=_drain_all, args=(pool, sessions)) for pool in pools]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(RAN, key=int) == [str(number) for number in range(40)]
    for resource in range(4):
        mine = [int(name) for name in RAN if int(name) % 4 == resource]
        assert mine == sorted(mine)


def _drain_all(pool: Pool, sessions: Sessions) -> None:
    """Run jobs until none is unfinished, whoever runs them."""
    while True:
        pool.drain()
        with sessions.read() as db:
            if db.scalar(select(Job.seq).where(Job.state != JobState.DONE).limit(1)) is None:
                return


def test_a_stale_owner_cannot_write_the_journal(
    sessions: Sessions, workflow: Workflow[Nothing]
) -> None:
    """Once another runner has the job, the first one's next write is refused."""
    seq = _record(sessions, workflow, "x", "a")
    stale = lease.claim(sessions, "dead/1", 60)
    assert stale is not None
    with sessions.write() as db:
        db.execute(update(Job).where(Job.seq == seq).values(lease_until=now()))
    assert lease.claim(sessions, "alive/2", 60) is not None
    with pytest.raises(LostLease), sessions.write() as db:
        journal.finish(db, stale, JobState.DONE)


def test_a_lease_that_is_renewed_does_not_run_out(
    sessions: Sessions, workflow: Workflow[Nothing]
) -> None:
    """The heartbeat keeps a long job with its runner."""
    _record(sessions, workflow, "x", "a")
    claim = lease.claim(sessions, "node/1", 0.0)
    assert claim is not None
    lease.renew(sessions, "node/1", [claim.seq], 60)
    assert lease.claim(sessions, "other/2", 60) is None


def test_a_restarted_node_takes_its_own_jobs_up_at_once(
    sessions: Sessions, workflow: Workflow[Nothing]
) -> None:
    """It is alone under its name, so its predecessor is dead; other nodes' leases stand."""
    _record(sessions, workflow, "mine", "a")
    _record(sessions, workflow, "theirs", "b")
    assert lease.claim(sessions, "node/1", 600) is not None
    assert lease.claim(sessions, "node2/1", 600) is not None
    assert lease.forsake(sessions, "node") == 1
    _pool(sessions).drain()
    assert RAN == ["mine"]


def test_a_job_of_an_unknown_workflow_is_stuck_not_guessed(
    sessions: Sessions, workflow: Workflow[Nothing]
) -> None:
    """So is one whose arguments are of another version, or whose journal has other steps."""
    unknown = _record(sessions, workflow, "x", "a")
    newer = _record(sessions, workflow, "y", "b")
    with sessions.write() as db:
        db.execute(update(Job).where(Job.seq == unknown).values(workflow="gone.away"))
        db.execute(update(Job).where(Job.seq == newer).values(version=2))
    _pool(sessions).drain()
    with sessions.read() as db:
        assert set(db.scalars(select(Job.state))) == {JobState.STUCK}
    assert RAN == []
