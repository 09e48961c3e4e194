"""Every workflow, every step: failed, crashed before and after each commit, repeated.

New workflows are tested by existing: the scenarios are a table, and one that is missing fails.
"""

from collections.abc import Iterator
from itertools import count

import pytest
from sqlalchemy import select

from orchestrator.driver.ports import Refused, Transient
from orchestrator.engine import lease
from orchestrator.engine.workflow import WORKFLOWS
from orchestrator.resources import jobs
from orchestrator.schema import Base
from orchestrator.schema.jobs import JobState
from tests.orchestrator.cloud import Cloud
from tests.orchestrator.workflows.scenarios import SCENARIOS, Scenario

NAMES = sorted(SCENARIOS)
BOTH_WAYS = sorted(name for name in SCENARIOS if not WORKFLOWS[name].forward)
UNDOABLE = [(name, step.name) for name in BOTH_WAYS for step in WORKFLOWS[name].steps]
_JOURNAL = {"job", "job_step", "resource_lock", "client_token"}
# What a job that was undone may leave on rows: numbers that only grow, when and why it failed.
_TRACES = {"changed", "cursor", "reason", "told"}
STEPS = [(name, step.name) for name in NAMES for step in WORKFLOWS[name].steps]


class Crash(BaseException):
    """The process dies here: nothing after this point runs, nothing is cleaned up."""


class Saboteur:
    """A witness that does something at one of the points it is shown."""

    def __init__(self, at: int, error: BaseException) -> None:
        self.at = at
        self.error = error
        self.seen = 0

    def __call__(self, point: str, step: str) -> None:
        """Count the point, and strike when it is the one."""
        self.seen += 1
        if self.seen == self.at:
            raise self.error


class Failing:
    """A witness that fails one step, at its act or after it, as often as told."""

    def __init__(self, step: str, point: str, error: Exception, times: int) -> None:
        self.wanted = (point, step)
        self.error = error
        self.times = times

    def __call__(self, point: str, step: str) -> None:
        """Fail if it is the step."""
        if (point, step) == self.wanted and self.times > 0:
            self.times -= 1
            raise self.error


def _begin(cloud: Cloud, scenario: Scenario) -> tuple[str, str]:
    subject = scenario.prepare(cloud)
    return subject, scenario.request(cloud, subject).id


def _crash_at(cloud: Cloud, at: int) -> bool:
    """Run until the crash; False when the job ended before it got that far."""
    try:
        cloud.run(Saboteur(at, Crash()))
    except Crash:
        return True
    return False


def _ended(cloud: Cloud, job: str) -> JobState:
    assert cloud.audit() == []
    return JobState(cloud.job(job).state)


def test_every_workflow_has_a_scenario() -> None:
    """A workflow nobody tries is a workflow nobody trusts."""
    assert set(SCENARIOS) == set(WORKFLOWS)


@pytest.mark.parametrize("name", NAMES)
def test_undisturbed_it_is_done(cloud: Cloud, name: str) -> None:
    """The scenario itself works."""
    subject, job = _begin(cloud, SCENARIOS[name])
    cloud.run()
    assert _ended(cloud, job) is JobState.DONE
    assert SCENARIOS[name].done(cloud, subject)


@pytest.mark.parametrize("name", NAMES)
def test_a_crash_at_any_point_is_made_good(cloud: Cloud, name: str) -> None:
    """Crash at the first point, resume; begin again and crash at the second; and so on."""
    scenario = SCENARIOS[name]
    subject, job = _begin(cloud, scenario)
    crashes = 0
    # Every resumed run is crashed again at its own next point, so that all points of the job are
    # crashed at, before and after each commit, within one job.
    for at in _growing():
        if not _crash_at(cloud, at):
            break
        crashes += 1
        lease.forsake(cloud.sessions, "test")  # what a restarted orchestrator does first
    assert _ended(cloud, job) is JobState.DONE
    assert scenario.done(cloud, subject)
    assert crashes >= len(WORKFLOWS[name].steps)


def _growing() -> Iterator[int]:
    """1, 1, 2, 2, 3, 3 …: each point twice, so that a resumed run is crashed where it began too."""
    return (1 + number // 2 for number in count())


@pytest.mark.parametrize(("name", "step"), UNDOABLE)
@pytest.mark.parametrize("point", ["act", "commit"])
def test_a_refused_step_is_undone_even_over_crashes(
    cloud: Cloud, name: str, step: str, point: str
) -> None:
    """Refuse a step before or after its act, and crash at each point of the way back.

    Hosts, and the rows there were before the request, are then as if nobody had asked.
    """
    scenario = SCENARIOS[name]
    subject = scenario.prepare(cloud)
    before, rows = cloud.world.snapshot(), _rows(cloud)
    job = scenario.request(cloud, subject).id
    for at in _growing():
        try:
            cloud.run(Both(Failing(step, point, Refused("no"), 99), Saboteur(at, Crash())))
        except Crash:
            lease.forsake(cloud.sessions, "test")
        else:
            break
    assert _ended(cloud, job) is JobState.FAILED
    assert cloud.job(job).fault_kind is not None
    assert cloud.world.snapshot() == before
    assert {key: row for key, row in _rows(cloud).items() if key in rows} == rows


def _rows(cloud: Cloud) -> dict[tuple[object, ...], dict[str, object]]:
    """Every row by table and key, without the journal and traces of undone jobs."""
    tables = [table for table in Base.metadata.sorted_tables if table.name not in _JOURNAL]
    with cloud.sessions.read() as db:
        return {
            (table.name, *(row[column] for column in table.primary_key)): {
                str(name): value for name, value in row.items() if name not in _TRACES
            }
            for table in tables
            for row in db.execute(select(table)).mappings()
        }


class Both:
    """Two witnesses."""

    def __init__(self, first: Failing, second: Saboteur) -> None:
        self.first = first
        self.second = second

    def __call__(self, point: str, step: str) -> None:
        """The second is shown the point first: it may die before anything fails."""
        self.second(point, step)
        self.first(point, step)


@pytest.mark.parametrize(("name", "step"), STEPS)
@pytest.mark.parametrize("point", ["act", "commit"])
def test_a_passing_trouble_is_waited_out(cloud: Cloud, name: str, step: str, point: str) -> None:
    """A step that fails transiently, before or after its act, is repeated until it works."""
    subject, job = _begin(cloud, SCENARIOS[name])
    cloud.run(Failing(step, point, Transient("not now"), 3))
    assert _ended(cloud, job) is JobState.DONE
    assert SCENARIOS[name].done(cloud, subject)


@pytest.mark.parametrize("name", sorted(set(NAMES) - set(BOTH_WAYS)))
def test_a_way_without_return_is_stuck_visibly_and_can_be_resumed(cloud: Cloud, name: str) -> None:
    """A forward job that cannot go on keeps its locks; an operator lets it try again."""
    step = WORKFLOWS[name].steps[0].name
    subject, job = _begin(cloud, SCENARIOS[name])
    cloud.run(Failing(step, "act", Refused("never"), 99))
    assert cloud.job(job).state == JobState.STUCK
    with cloud.sessions.write() as db:
        jobs.resume(db, job)
    cloud.run()
    assert _ended(cloud, job) is JobState.DONE
    assert SCENARIOS[name].done(cloud, subject)
