"""What time takes away: destroyed instances, finished jobs, used tokens, forgotten templates."""

from datetime import timedelta

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from orchestrator.reconcile.system import SystemAsk
from orchestrator.resources import configuration
from orchestrator.schema.base import now
from orchestrator.schema.instances import Instance, InstanceState
from orchestrator.schema.jobs import ClientToken, Job, JobState, JobStep, ResourceLock
from orchestrator.schema.session import Sessions
from orchestrator.schema.templates import Template, TemplateState
from orchestrator.workflows import instances, templates

_AT_ONCE = 100
_TOKENS_LIVE = timedelta(days=2)


def expire(sessions: Sessions) -> None:
    """One pass over everything that has a time limit; a bounded number of each."""
    for sweep in (_expunge, _forget_instances, _forget_jobs, _forget_tokens, _forget_templates):
        with sessions.write() as db:
            sweep(db)


def _expunge(db: Session) -> None:
    """Free what destroyed instances still hold, after the delay."""
    before = now() - timedelta(seconds=configuration.integer(db, "expunge.delay"))
    due = select(Instance).where(
        Instance.state == InstanceState.DESTROYED,
        Instance.expunged.is_(None),
        Instance.changed < before,
    )
    for instance in db.scalars(due.limit(_AT_ONCE)):
        instances.destroy(SystemAsk(db), instance, expunge=True)


def _forget_instances(db: Session) -> None:
    """Drop the rows of expunged instances nobody asks about any more."""
    before = now() - timedelta(seconds=configuration.integer(db, "expunge.memory"))
    locked = select(ResourceLock.resource)
    due = select(Instance).where(Instance.expunged < before, Instance.id.not_in(locked))
    for instance in db.scalars(due.limit(_AT_ONCE)):
        db.delete(instance)


def _forget_jobs(db: Session) -> None:
    before = now() - timedelta(minutes=configuration.integer(db, "job.expire.minutes"))
    ended = (JobState.DONE, JobState.FAILED)
    due = select(Job.seq).where(Job.state.in_(ended), Job.ended < before).limit(_AT_ONCE)
    seqs = list(db.scalars(due))
    db.execute(delete(JobStep).where(JobStep.job.in_(seqs)))
    db.execute(delete(Job).where(Job.seq.in_(seqs)))


def _forget_tokens(db: Session) -> None:
    db.execute(delete(ClientToken).where(ClientToken.created < now() - _TOKENS_LIVE))


def _forget_templates(db: Session) -> None:
    """Remove deleted templates from the pools once no instance stands on them."""
    locked = select(ResourceLock.resource)
    due = select(Template).where(
        Template.state == TemplateState.DELETED,
        Template.id.not_in(select(Instance.template_id)),
        Template.id.not_in(locked),
    )
    for template in db.scalars(due.limit(_AT_ONCE)):
        templates.forget(SystemAsk(db), template)
