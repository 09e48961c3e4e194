"""The audit: compares the rows of a cloud at rest with what its hosts really have.

Used after every crash test, over simulated and real guests alike: it asks the drivers, not their
fakes. An empty list means that nothing is stuck and nothing has leaked.
"""

from collections import Counter
from collections.abc import Iterator

from sqlalchemy import select
from sqlalchemy.orm import Session

from orchestrator.driver.ports import Fleet, Power
from orchestrator.resources import networks, pools, volumes
from orchestrator.schema.instances import Instance, InstanceState
from orchestrator.schema.jobs import Job, JobState, ResourceLock
from orchestrator.schema.networks import Network, Nic
from orchestrator.schema.pools import PoolRole, PoolState, StoragePool
from orchestrator.schema.session import Sessions
from orchestrator.schema.templates import Template, TemplateState
from orchestrator.schema.volumes import Volume, VolumeState
from orchestrator.schema.zones import Host, HostState

_AT_REST = {
    InstanceState.RUNNING,
    InstanceState.STOPPED,
    InstanceState.DESTROYED,
    InstanceState.ERROR,
}


def audit(sessions: Sessions, fleet: Fleet) -> list[str]:
    """Every way in which rows and hosts disagree; the cloud must be at rest."""
    with sessions.read() as db:
        return [
            *_jobs(db),
            *_instances(db),
            *_hosts(db, fleet),
            *_pools(db, fleet),
            *_networks(db, fleet),
        ]


def _jobs(db: Session) -> Iterator[str]:
    for job in db.scalars(select(Job)):
        if job.state not in (JobState.DONE, JobState.FAILED):
            yield f"job {job.workflow} {job.id} is {job.state}: {job.detail}"
    for lock in db.scalars(select(ResourceLock)):
        yield f"job {lock.job} still locks {lock.resource}"


def _instances(db: Session) -> Iterator[str]:
    for instance in db.scalars(select(Instance)):
        if instance.state not in _AT_REST:
            yield f"instance {instance.id} is still {instance.state}"
        holds = instance.host_id is not None
        if holds != (instance.state == InstanceState.RUNNING):
            yield f"instance {instance.id} is {instance.state} but holds host: {holds}"
        gone = instance.state == InstanceState.ERROR or instance.expunged is not None
        cards = networks.nics(db, [instance.id]).get(instance.id, [])
        if gone and (cards or volumes.of(db, instance.id)):
            yield f"instance {instance.id} is gone but keeps cards or volumes"
    for volume in db.scalars(select(Volume)):
        if volume.state not in (VolumeState.READY, VolumeState.ALLOCATED):
            yield f"volume {volume.id} is still {volume.state}"


def _hosts(db: Session, fleet: Fleet) -> Iterator[str]:
    for host in db.scalars(select(Host).where(Host.state == HostState.UP)):
        mine = list(db.scalars(select(Instance).where(Instance.host_id == host.id)))
        mhz = sum(instance.cpus * instance.mhz for instance in mine)
        memory = sum(instance.memory for instance in mine)
        if (host.mhz_taken, host.memory_taken) != (mhz, memory):
            yield f"host {host.name} counts {host.mhz_taken} MHz, {host.memory_taken} B"
        seen = fleet.host(host.id).hypervisor.observe()
        should = {
            instance.id: frozenset(volume.id for volume in volumes.of(db, instance.id))
            for instance in mine
        }
        for ident, facts in seen.items():
            if ident not in should or facts.power is not Power.RUNNING:
                yield f"host {host.name} has machine {ident} ({facts.power}) it should not have"
            elif facts.volumes != should[ident]:
                yield f"machine {ident} has volumes {facts.volumes}, should have {should[ident]}"
        for ident in should.keys() - seen.keys():
            yield f"host {host.name} lacks machine {ident}"


def _pools(db: Session, fleet: Fleet) -> Iterator[str]:
    for pool in db.scalars(select(StoragePool).where(StoragePool.state == PoolState.UP)):
        host = db.scalars(
            select(Host.id).where(Host.zone_id == pool.zone_id, Host.state == HostState.UP)
        ).first()
        if host is None:
            continue
        seen = fleet.host(host).storage.observe(pools.port(pool))
        disks, images = _should_hold(db, pool)
        if seen.disks != disks:
            yield f"pool {pool.name}: disks {seen.disks ^ disks} differ"
        if seen.images - images:
            yield f"pool {pool.name}: images {seen.images - images} should not be there"
        if pool.role == PoolRole.IMAGE and images - seen.images:
            yield f"store {pool.name} lacks images {images - seen.images}"
        if seen.strays:
            yield f"pool {pool.name}: strays {seen.strays}"


def _should_hold(db: Session, pool: StoragePool) -> tuple[set[str], set[str]]:
    if pool.role == PoolRole.PRIMARY:
        disks = set(
            db.scalars(
                select(Volume.id).where(
                    Volume.pool_id == pool.id, Volume.state == VolumeState.READY
                )
            )
        )
        return disks, set(db.scalars(select(Template.id)))
    ready = select(Template.id).where(
        Template.store_id == pool.id, Template.state == TemplateState.READY
    )
    return set(), set(db.scalars(ready))


def _networks(db: Session, fleet: Fleet) -> Iterator[str]:
    for host in db.scalars(select(Host).where(Host.state == HostState.UP)):
        seen = fleet.host(host.id).network.observe()
        running = set(
            db.scalars(
                select(Nic.id)
                .join(Instance, Instance.id == Nic.instance_id)
                .where(Instance.host_id == host.id)
            )
        )
        wired = {nic.id for nic in networks.plugged(db, host.id)}
        if wired != running or seen.ports != frozenset(running):
            yield f"host {host.name}: ports {seen.ports}, wired {wired}, should be {running}"
        routed = set(db.scalars(select(Network.id).where(Network.router_host_id == host.id)))
        if seen.routers != routed:
            yield f"host {host.name}: routers {seen.routers}, should be {routed}"
    twice = [ip for ip, count in Counter(db.scalars(select(Nic.ip))).items() if count > 1]
    if twice:
        yield f"addresses given out twice: {twice}"
