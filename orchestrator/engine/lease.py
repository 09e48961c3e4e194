"""Leases: which runner works on which job.

A job is runnable when it is unfinished, due, owned by nobody (or by somebody whose lease ran out),
and first in the queue of every resource it locks. Taking it is one compare-and-set on its row, and
one on its tickets; the unique key over (resource, held) makes two holders impossible even where
tickets become visible out of order. No database feature is needed that SQLite or MariaDB lack.
"""

from collections.abc import Collection, Iterator
from datetime import timedelta
from functools import partial

from sqlalchemy import ColumnElement, exists, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, aliased

from orchestrator.engine.journal import Claim
from orchestrator.schema.base import now
from orchestrator.schema.jobs import Job, JobState, ResourceLock
from orchestrator.schema.session import Sessions

_LIVE = (JobState.QUEUED, JobState.RUNNING, JobState.UNDOING)
_LOOK_AT = 16


def claim(sessions: Sessions, owner: str, lease: float) -> Claim | None:
    """Take the next runnable job, or None."""
    with sessions.read() as db:
        candidates = _runnable(db)
    for seq in candidates:
        try:
            taken = sessions.transact(partial(_take, seq=seq, owner=owner, lease=lease))
        except IntegrityError:
            continue  # another job of the same resource was quicker
        if taken is not None:
            return taken
    return None


def renew(sessions: Sessions, owner: str, seqs: Collection[int], lease: float) -> None:
    """Show life: prolong the leases of the jobs this owner has in hand."""
    with sessions.write() as db:
        db.execute(
            update(Job)
            .where(Job.seq.in_(seqs), Job.owner == owner)
            .values(lease_until=now() + timedelta(seconds=lease))
        )


def drop(sessions: Sessions, taken: Claim) -> None:
    """Give a job back as it is, for any runner to take up."""
    with sessions.write() as db:
        db.execute(
            update(Job)
            .where(Job.seq == taken.seq, Job.epoch == taken.epoch, Job.state.in_(_LIVE))
            .values(owner=None, lease_until=None)
        )


def forsake(sessions: Sessions, node: str) -> int:
    """Drop the leases of dead runners of this node, at its start. Returns how many there were."""
    with sessions.write() as db:
        result = db.execute(
            update(Job)
            .where(Job.owner.startswith(f"{node}/", autoescape=True), Job.state.in_(_LIVE))
            .values(owner=None, lease_until=None)
        )
        return int(result.rowcount)  # type: ignore[attr-defined]


def _runnable(db: Session) -> Iterator[int]:
    """Sequence numbers of jobs that look runnable, oldest first."""
    rows = db.scalars(
        select(Job.seq)
        .where(Job.state.in_(_LIVE), Job.not_before <= now(), _unowned(), ~_blocked())
        .order_by(Job.seq)
        .limit(_LOOK_AT)
    ).all()
    return iter(rows)


def _unowned() -> ColumnElement[bool]:
    return or_(Job.owner.is_(None), Job.lease_until < now())


def _blocked() -> ColumnElement[bool]:
    """Somebody holds, or waits longer for, a resource this job needs."""
    mine, other = aliased(ResourceLock), aliased(ResourceLock)
    return exists(
        select(1)
        .select_from(mine)
        .join(other, other.resource == mine.resource)
        .where(
            mine.job == Job.seq,
            other.job != Job.seq,
            or_(other.job < Job.seq, other.held == 1),
        )
    )


def _take(db: Session, seq: int, owner: str, lease: float) -> Claim | None:
    taken = db.execute(
        update(Job)
        .where(Job.seq == seq, Job.state.in_(_LIVE), _unowned())
        .values(
            owner=owner,
            epoch=Job.epoch + 1,
            lease_until=now() + timedelta(seconds=lease),
        )
    )
    if taken.rowcount != 1:  # type: ignore[attr-defined]
        return None
    db.execute(update(ResourceLock).where(ResourceLock.job == seq).values(held=1))
    job = db.get_one(Job, seq)
    return Claim(
        seq=job.seq,
        id=job.id,
        workflow=job.workflow,
        version=job.version,
        args=job.args,
        state=JobState(job.state),
        epoch=job.epoch,
        owner=owner,
    )
