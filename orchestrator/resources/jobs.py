"""Jobs, as their owners and operators see them."""

from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from orchestrator.faults import Fault, Kind, not_found
from orchestrator.resources.scope import Found, Scope, Window, fetch, owned
from orchestrator.schema.base import now
from orchestrator.schema.jobs import Job, JobState, JobStep


def find(db: Session, scope: Scope, ident: str) -> Job | None:
    """A job by its public id."""
    return db.scalar(owned(select(Job).where(Job.id == ident), Job.account_id, scope))


def page(db: Session, scope: Scope, window: Window, *, since: datetime | None = None) -> Found[Job]:
    """Jobs, newest first."""
    statement = owned(select(Job), Job.account_id, scope).order_by(Job.seq.desc())
    if since is not None:
        statement = statement.where(Job.created >= since)
    return fetch(db, statement, window)


def steps(db: Session, job: Job) -> list[JobStep]:
    """The journal of a job."""
    rows = db.scalars(select(JobStep).where(JobStep.job == job.seq).order_by(JobStep.place))
    return list(rows)


def pending(db: Session, resource_ids: list[str]) -> dict[str, str]:
    """Ids of unfinished jobs about these resources, by resource id."""
    ended = (JobState.DONE, JobState.FAILED)
    unfinished = db.execute(
        select(Job.resource_id, Job.id).where(
            Job.resource_id.in_(resource_ids), Job.state.not_in(ended)
        )
    )
    return {row.resource_id: row.id for row in unfinished}


def fault(db: Session, ident: str) -> str | None:
    """What a job says it failed of, if it did."""
    return db.scalar(select(Job.fault).where(Job.id == ident))


def resume(db: Session, ident: str) -> None:
    """Let a stuck job try again from where it stopped, with all its tries.

    Raises:
        Fault: not_found; wrong_state, when it is not stuck.
    """
    job = db.scalar(select(Job).where(Job.id == ident))
    if job is None:
        raise not_found("job", ident)
    if job.state != JobState.STUCK:
        raise Fault(Kind.WRONG_STATE, "job", f"Job {ident} is {job.state}, not stuck.")
    job.state = JobState.RUNNING if job.fault_kind is None else JobState.UNDOING
    job.not_before = now()
    job.owner = None
    db.execute(update(JobStep).where(JobStep.job == job.seq).values(tries=0))
