"""The journal: every change to a job's rows, each a compare-and-set under the job's lease epoch.

A journal write by a runner that lost its lease touches no row, and raises :class:`LostLease`.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from orchestrator.engine.workflow import Args, Workflow
from orchestrator.faults import Fault
from orchestrator.schema.base import now
from orchestrator.schema.jobs import Job, JobState, JobStep, ResourceLock, StepState

_TEXT: Final = 1000


class LostLease(Exception):
    """Another runner owns the job now; this one must leave it alone."""


@dataclass(frozen=True)
class Claim:
    """A job in the hands of a runner, at one epoch of its lease."""

    seq: int
    id: str
    workflow: str
    version: int
    args: str
    state: JobState
    epoch: int
    owner: str


@dataclass(frozen=True)
class Line:
    """What the journal says of one step."""

    name: str
    state: StepState
    tries: int
    output: Any


def start(
    db: Session,
    workflow: Workflow[Any],
    args: Args,
    *,
    resource: tuple[str, str],
    locks: Sequence[str],
    command: str | None = None,
    account_id: str | None = None,
    user_id: str | None = None,
) -> Job:
    """Record a job in the caller's transaction; a runner takes it up after the commit.

    Args:
        resource: kind (wire noun) and id of what the job is about.
        locks: ids of every resource no other job may touch meanwhile. Jobs of one resource run in
            the order in which they were recorded.
        command: the native command that asked, by which the job's result is rendered.
    """
    kind, ident = resource
    job = Job(
        workflow=workflow.name,
        version=args.VERSION,
        args=workflow.dump(args),
        command=command,
        account_id=account_id,
        user_id=user_id,
        resource_kind=kind,
        resource_id=ident,
    )
    db.add(job)
    db.flush()
    db.add_all(ResourceLock(resource=lock, job=job.seq) for lock in sorted(set(locks)))
    db.flush()
    return job


def lines(db: Session, seq: int) -> dict[str, Line]:
    """The journal of a job, by step name, in order."""
    rows = db.scalars(select(JobStep).where(JobStep.job == seq).order_by(JobStep.place))
    return {
        row.name: Line(row.name, StepState(row.state), row.tries, json.loads(row.output or "null"))
        for row in rows
    }


def hold(db: Session, claim: Claim, lease: float, **values: Any) -> None:
    """Prolong the lease and set job columns, or raise LostLease."""
    result = db.execute(
        update(Job)
        .where(Job.seq == claim.seq, Job.epoch == claim.epoch, Job.owner == claim.owner)
        .values(lease_until=now() + timedelta(seconds=lease), **values)
    )
    if result.rowcount != 1:  # type: ignore[attr-defined]
        raise LostLease(claim.id)


def begin_step(db: Session, claim: Claim, place: int, name: str) -> None:
    """Journal that a step is started (again)."""
    row = db.get(JobStep, (claim.seq, name))
    if row is None:
        row = JobStep(job=claim.seq, name=name, place=place, state=StepState.STARTED, tries=0)
        db.add(row)
    row.tries += 1


def end_step(db: Session, claim: Claim, name: str, state: StepState, output: Any = None) -> None:
    """Journal that a step is done or undone."""
    values: dict[str, Any] = {"state": state, "ended": now()}
    if output is not None:
        values["output"] = json.dumps(output)
    db.execute(update(JobStep).where(JobStep.job == claim.seq, JobStep.name == name).values(values))


def note_error(db: Session, claim: Claim, name: str, error: str) -> None:
    """Keep the text of a step's last failure."""
    db.execute(
        update(JobStep)
        .where(JobStep.job == claim.seq, JobStep.name == name)
        .values(error=error[:_TEXT])
    )


def finish(db: Session, claim: Claim, state: JobState) -> None:
    """End a job, done or failed, and let go of its resources."""
    hold(db, claim, 0, state=state, ended=now(), owner=None)
    db.execute(delete(ResourceLock).where(ResourceLock.job == claim.seq))


def postpone(db: Session, claim: Claim, lease: float, until: datetime) -> None:
    """Give a job back to be taken up again later."""
    hold(db, claim, lease, not_before=until)
    db.execute(
        update(Job)
        .where(Job.seq == claim.seq, Job.epoch == claim.epoch)
        .values(owner=None, lease_until=None)
    )


def fault_columns(fault: Fault, trace: str | None) -> dict[str, Any]:
    """A fault as columns of the job row."""
    return {
        "fault_kind": fault.kind,
        "fault_subject": fault.subject,
        "fault": fault.public[:_TEXT],
        "detail": trace or fault.detail,
    }
