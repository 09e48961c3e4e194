"""Connecting storage: making a pool usable and finding out how large it is."""

from dataclasses import dataclass

from sqlalchemy.orm import Session

from orchestrator.engine.workflow import Args, DbStep, Step, Work, Workflow
from orchestrator.resources import hosts, pools
from orchestrator.schema.jobs import Job
from orchestrator.schema.pools import PoolState, StoragePool
from orchestrator.workflows.asking import Ask
from orchestrator.workflows.asking import start as record


@dataclass(frozen=True)
class OfPool(Args):
    """A job about one pool."""

    pool: str


def connect(ask: Ask, pool: StoragePool) -> Job:
    """Connect a pool that was just recorded."""
    resource = ("storagepool", pool.id)
    return record(ask, CONNECT, OfPool(pool.id), resource=resource, locks=[pool.id])


def _mount(work: Work[OfPool]) -> list[int]:
    """Make it usable; the output is its capacity and what is used."""
    with work.sessions.read() as db:
        pool = db.get_one(StoragePool, work.args.pool)
        host_id = hosts.reaching(db, pool.zone_id)
    facts = work.fleet.host(host_id).storage.ensure_pool(pools.port(pool))
    return [facts.capacity, facts.used]


def _failed(db: Session, work: Work[OfPool]) -> None:
    db.get_one(StoragePool, work.args.pool).state = PoolState.ERROR


def _up(db: Session, work: Work[OfPool]) -> None:
    pool = db.get_one(StoragePool, work.args.pool)
    pool.capacity, pool.taken = work.outputs["mount"]
    pool.state = PoolState.UP


CONNECT = Workflow(
    "pool.connect",
    OfPool,
    (
        Step("mount", _mount),
        DbStep("up", _up),
    ),
    release=_failed,
)
