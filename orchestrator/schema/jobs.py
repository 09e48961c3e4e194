"""The journal of the workflow engine: jobs, their steps, their locks; and client tokens."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import BigInteger, ForeignKey, Index, Integer, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from orchestrator.ids import new_id
from orchestrator.schema.base import Base, Created, Instant, now

# SQLite only numbers rows by itself in a column that is called exactly INTEGER.
_Number = BigInteger().with_variant(Integer(), "sqlite")


class JobState(StrEnum):
    """Where a job is. Queued, running and undoing jobs are taken up again after a crash."""

    QUEUED = "queued"
    RUNNING = "running"
    UNDOING = "undoing"
    STUCK = "stuck"
    DONE = "done"
    FAILED = "failed"


class Job(Base):
    """One run of a workflow. ``seq`` orders jobs; ``id`` is what clients see."""

    __tablename__ = "job"
    __table_args__ = (Index("ix_job_state_not_before", "state", "not_before"),)

    seq: Mapped[int] = mapped_column(_Number, primary_key=True, autoincrement=True)
    id: Mapped[str] = mapped_column(String(36), unique=True, default=new_id)
    workflow: Mapped[str] = mapped_column(String(60))
    version: Mapped[int]
    args: Mapped[str] = mapped_column(Text)
    state: Mapped[str] = mapped_column(String(10), default=JobState.QUEUED)
    command: Mapped[str | None] = mapped_column(String(60))
    account_id: Mapped[str | None] = mapped_column(String(36), index=True)
    user_id: Mapped[str | None] = mapped_column(String(36))
    resource_kind: Mapped[str] = mapped_column(String(30))
    resource_id: Mapped[str] = mapped_column(String(36), index=True)
    owner: Mapped[str | None] = mapped_column(String(200))
    lease_until: Mapped[datetime | None]
    epoch: Mapped[int] = mapped_column(default=0)
    not_before: Mapped[datetime] = mapped_column(Instant(), default=now)
    fault_kind: Mapped[str | None] = mapped_column(String(20))
    fault_subject: Mapped[str | None] = mapped_column(String(40))
    fault: Mapped[str | None] = mapped_column(String(1024))
    detail: Mapped[str | None] = mapped_column(Text)
    created: Mapped[Created]
    ended: Mapped[datetime | None]


class StepState(StrEnum):
    """Where a step is; one that has not been started has no row."""

    STARTED = "started"
    DONE = "done"
    UNDONE = "undone"


class JobStep(Base):
    """What the journal knows of one step of one job. ``output`` is JSON."""

    __tablename__ = "job_step"

    job: Mapped[int] = mapped_column(_Number, ForeignKey("job.seq"), primary_key=True)
    name: Mapped[str] = mapped_column(String(40), primary_key=True)
    place: Mapped[int]
    state: Mapped[str] = mapped_column(String(10))
    tries: Mapped[int] = mapped_column(default=0)
    output: Mapped[str | None] = mapped_column(Text)
    error: Mapped[str | None] = mapped_column(String(1024))
    started: Mapped[Created]
    ended: Mapped[datetime | None]


class ResourceLock(Base):
    """A ticket in the queue of a resource; ``held`` is 1 for the one job that works on it."""

    __tablename__ = "resource_lock"
    __table_args__ = (UniqueConstraint("resource", "held"),)

    resource: Mapped[str] = mapped_column(String(36), primary_key=True)
    job: Mapped[int] = mapped_column(_Number, ForeignKey("job.seq"), primary_key=True, index=True)
    held: Mapped[int | None]


class ClientToken(Base):
    """A token with which a client makes a request once, however often it sends it."""

    __tablename__ = "client_token"
    __table_args__ = (UniqueConstraint("account_id", "action", "token"),)

    id: Mapped[int] = mapped_column(_Number, primary_key=True, autoincrement=True)
    account_id: Mapped[str] = mapped_column(String(36))
    action: Mapped[str] = mapped_column(String(60))
    token: Mapped[str] = mapped_column(String(128))
    digest: Mapped[str] = mapped_column(String(64))
    resource_id: Mapped[str] = mapped_column(String(36))
    job_id: Mapped[str] = mapped_column(String(36))
    created: Mapped[datetime] = mapped_column(Instant(), default=now, index=True)
