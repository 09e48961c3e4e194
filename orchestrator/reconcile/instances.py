"""Drift of instances: the differences between what rows say and what a host says.

The comparison is a pure function over a snapshot. Only instances at rest are compared: not those a
job works on, nor those that changed after the host was asked, whose observation is stale.
"""

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from orchestrator.driver.ports import Power
from orchestrator.faults import Fault
from orchestrator.reconcile.hosts import Observation
from orchestrator.reconcile.system import SystemAsk
from orchestrator.schema.instances import Instance, InstanceState
from orchestrator.schema.jobs import ResourceLock
from orchestrator.schema.session import Sessions
from orchestrator.workflows import instances as workflow

log = logging.getLogger(__name__)


class Drift(StrEnum):
    """How an instance differs from its row."""

    POWERED_OFF = "powered off"
    LEFT_OVER = "left over"


@dataclass(frozen=True)
class Known:
    """What the row of an instance at rest says."""

    id: str
    state: str
    host: str | None


def differences(seen: Observation, known: Iterable[Known]) -> dict[str, Drift]:
    """What is not as it should be on this host, by instance id.

    ``known`` are the instances at rest that this host should run, or that it reports.
    """
    drift: dict[str, Drift] = {}
    rows = {row.id: row for row in known}
    for row in rows.values():
        facts = seen.machines.get(row.id)
        running = facts is not None and facts.power is Power.RUNNING
        should_run = row.state == InstanceState.RUNNING and row.host == seen.host
        if should_run and not running:
            drift[row.id] = Drift.POWERED_OFF
        if facts is not None and not should_run:
            drift[row.id] = Drift.LEFT_OVER
    return drift


def mend(sessions: Sessions, seen: Observation) -> None:
    """Note the observed power, and start the workflows that bring rows and host together."""
    with sessions.write() as db:
        _note(db, seen)
        drift = differences(seen, _known(db, seen))
    for ident, kind in drift.items():
        log.warning("instance %s on host %s: %s", ident, seen.host, kind)
        with sessions.write() as db:
            _mend(db, seen, ident, kind)


def _mend(db: Session, seen: Observation, ident: str, kind: Drift) -> None:
    instance = db.get_one(Instance, ident)
    ask = SystemAsk(db)
    try:
        if kind is Drift.POWERED_OFF:
            workflow.stop(ask, instance, forced=True)
        elif kind is Drift.LEFT_OVER:
            workflow.clear(ask, instance, seen.host)
    except Fault as changed:
        log.info("instance %s changed meanwhile: %s", ident, changed.public)


def _note(db: Session, seen: Observation) -> None:
    for power in Power:
        ids = [ident for ident, facts in seen.machines.items() if facts.power is power]
        db.execute(
            update(Instance)
            .where(Instance.id.in_(ids), Instance.observed_power.is_distinct_from(power))
            .values(observed_power=power)
        )


def _known(db: Session, seen: Observation) -> list[Known]:
    working = select(ResourceLock.resource)
    mine = (Instance.host_id == seen.host) | Instance.id.in_(list(seen.machines))
    rows = db.scalars(
        select(Instance).where(mine, Instance.changed < seen.asked, Instance.id.not_in(working))
    )
    return [Known(row.id, row.state, row.host_id) for row in rows]
