"""What hosts say they have, and whether that is what the rows say.

Silence of a host is *unknown*, never *stopped*: a host that cannot be asked is Disconnected, and
nothing is concluded about what it runs.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from orchestrator.driver.ports import Fleet, MachineFacts, NetworkFacts, Transient
from orchestrator.reconcile.system import SystemAsk
from orchestrator.schema.base import now
from orchestrator.schema.instances import Instance
from orchestrator.schema.jobs import ResourceLock
from orchestrator.schema.networks import Network, Nic
from orchestrator.schema.session import Sessions
from orchestrator.schema.zones import Host, HostState
from orchestrator.workflows import hosts as workflow

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Observation:
    """What one host said, and when it was asked."""

    host: str
    asked: datetime
    machines: Mapping[str, MachineFacts]
    network: NetworkFacts


def observe(sessions: Sessions, fleet: Fleet) -> list[Observation]:
    """Ask every connected host, and note which of them answer."""
    with sessions.read() as db:
        known = (HostState.UP, HostState.DISCONNECTED)
        ids = list(db.scalars(select(Host.id).where(Host.state.in_(known))))
    heard = [observation for ident in ids if (observation := _ask(fleet, ident)) is not None]
    with sessions.write() as db:
        answered = {observation.host: observation.asked for observation in heard}
        for host in db.scalars(select(Host).where(Host.id.in_(ids))):
            host.state = HostState.UP if host.id in answered else HostState.DISCONNECTED
            host.observed = answered.get(host.id, host.observed)
    return heard


def mend_networks(sessions: Sessions, seen: Observation) -> None:
    """Tell a host its networks again, if ports or routers it should have are not there."""
    with sessions.write() as db:
        if _lacks(db, seen) and not _busy(db, seen.host):
            log.warning("host %s lost networks; telling it again", seen.host)
            workflow.tell(SystemAsk(db), db.get_one(Host, seen.host))


def _ask(fleet: Fleet, ident: str) -> Observation | None:
    asked = now()
    try:
        drivers = fleet.host(ident)
        return Observation(ident, asked, drivers.hypervisor.observe(), drivers.network.observe())
    except Transient as silence:
        log.warning("host %s does not answer: %s", ident, silence)
        return None


def _lacks(db: Session, seen: Observation) -> bool:
    settled = (
        select(Nic.id)
        .join(Instance, Instance.id == Nic.instance_id)
        .where(Nic.host_id == seen.host, Instance.changed < seen.asked)
    )
    ports = set(db.scalars(settled))
    routers = set(db.scalars(select(Network.id).where(Network.router_host_id == seen.host)))
    return not (ports <= seen.network.ports and routers <= seen.network.routers)


def _busy(db: Session, host_id: str) -> bool:
    """A job about the host is under way already."""
    locks = select(ResourceLock.job).where(ResourceLock.resource == host_id)
    return db.scalar(locks.limit(1)) is not None
