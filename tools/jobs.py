"""Jobs as an operator sees them: read from the database, whether the cloud runs or not."""

from collections.abc import Iterator
from contextlib import contextmanager

from orchestrator.faults import Fault
from orchestrator.resources import jobs
from orchestrator.resources.scope import Scope, Window
from orchestrator.schema.jobs import Job, JobState
from orchestrator.schema.session import Sessions
from orchestrator.settings import Settings
from tools.refusal import Refusal

_EVERYTHING = Scope(everything=True)
_UNFINISHED = (JobState.QUEUED, JobState.RUNNING, JobState.UNDOING, JobState.STUCK)


def listing(settings: Settings, *, limit: int, everything: bool) -> list[str]:
    """Lines about unfinished jobs, or about all of the latest ones, newest first."""
    with _database(settings) as sessions, sessions.read() as db:
        rows = jobs.page(db, _EVERYTHING, Window(limit=limit)).rows
        return [_line(job) for job in rows if everything or job.state in _UNFINISHED]


def story(settings: Settings, ident: str) -> list[str]:
    """Lines about one job: what it is, and each step with its state, tries and last error."""
    with _database(settings) as sessions, sessions.read() as db:
        job = jobs.find(db, _EVERYTHING, ident)
        if job is None:
            raise Refusal(f"There is no job {ident}.", "pileus jobs list --all shows them")
        lines = [_line(job), f"  arguments  {job.args}"]
        lines += [f"  {name:9}  {text}" for name, text in _why(job)]
        for step in jobs.steps(db, job):
            error = f"  {step.error}" if step.error else ""
            lines.append(f"  step {step.name:20} {step.state:8} tries {step.tries}{error}")
        return lines


def resume(settings: Settings, ident: str) -> None:
    """Let a stuck job try again."""
    with _database(settings) as sessions, sessions.write() as db:
        try:
            jobs.resume(db, ident)
        except Fault as fault:
            raise Refusal(fault.public) from None


@contextmanager
def _database(settings: Settings) -> Iterator[Sessions]:
    sessions = Sessions(settings.url)
    try:
        yield sessions
    finally:
        sessions.close()


def _line(job: Job) -> str:
    when = job.created.strftime("%Y-%m-%d %H:%M:%S")
    about = f"{job.resource_kind} {job.resource_id}"
    return f"{job.id}  {when}  {job.state:8} {job.workflow:20} {about}"


def _why(job: Job) -> Iterator[tuple[str, str]]:
    if job.fault:
        yield "fault", f"{job.fault_kind}: {job.fault}"
    if job.detail:
        yield "detail", job.detail
