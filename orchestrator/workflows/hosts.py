"""Connecting a host: finding out what it has, before anything is placed there."""

from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from orchestrator.engine.workflow import Args, DbStep, Step, Work, Workflow
from orchestrator.schema.base import now
from orchestrator.schema.jobs import Job
from orchestrator.schema.networks import Network
from orchestrator.schema.zones import Host, HostState
from orchestrator.workflows import plugging
from orchestrator.workflows.asking import Ask
from orchestrator.workflows.asking import start as record


@dataclass(frozen=True)
class OfHost(Args):
    """A job about one host."""

    host: str


def connect(ask: Ask, host: Host) -> Job:
    """Connect a host that was just recorded."""
    return record(ask, CONNECT, OfHost(host.id), resource=("host", host.id), locks=[host.id])


def tell(ask: Ask, host: Host) -> Job:
    """Tell a host its networks, and the routers it carries, once more."""
    return record(ask, TELL, OfHost(host.id), resource=("host", host.id), locks=[host.id])


def _tell(work: Work[OfHost]) -> None:
    with work.sessions.read() as db:
        routed = select(Network.id).where(Network.router_host_id == work.args.host)
        network_ids = set(db.scalars(routed))
    plugging.tell_hosts(work, [work.args.host])
    plugging.tell_routers(work, network_ids)


def _probe(work: Work[OfHost]) -> dict[str, Any]:
    """What the host has; may boot a probe guest there."""
    return asdict(work.fleet.host(work.args.host).hypervisor.facts())


def _failed(db: Session, work: Work[OfHost]) -> None:
    db.get_one(Host, work.args.host).state = HostState.ERROR


def _up(db: Session, work: Work[OfHost]) -> None:
    host = db.get_one(Host, work.args.host)
    facts = work.outputs["probe"]
    host.hypervisor, host.version = facts["hypervisor"], facts["version"]
    host.cpus, host.clock = facts["cpus"], facts["mhz"]
    host.mhz = facts["cpus"] * facts["mhz"]
    host.memory = facts["memory"]
    host.state = HostState.UP
    host.observed = now()


CONNECT = Workflow(
    "host.connect",
    OfHost,
    (
        Step("probe", _probe),
        DbStep("up", _up),
    ),
    release=_failed,
)
TELL = Workflow("host.tell", OfHost, (Step("tell", _tell),), forward=True)
