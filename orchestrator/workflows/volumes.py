"""The life of a data volume: create, attach, detach, delete."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from orchestrator.driver.ports import Pool
from orchestrator.engine.workflow import Args, DbStep, Step, Work, Workflow
from orchestrator.faults import Fault, Kind, wrong_state
from orchestrator.resources import hosts, pools, tokens, volumes
from orchestrator.resources.states import move
from orchestrator.schema.instances import Instance, InstanceState
from orchestrator.schema.jobs import Job
from orchestrator.schema.offerings import DiskOffering
from orchestrator.schema.pools import StoragePool
from orchestrator.schema.volumes import Volume, VolumeKind, VolumeState
from orchestrator.schema.zones import Zone
from orchestrator.workflows.asking import Ask
from orchestrator.workflows.asking import start as record

_SUBJECT = "volume"


@dataclass(frozen=True)
class OfVolume(Args):
    """A job about one volume."""

    volume: str


@dataclass(frozen=True)
class Attach(Args):
    """A job that plugs a volume in. ``fresh``: it has no bytes yet."""

    volume: str
    instance: str
    fresh: bool


@dataclass(frozen=True)
class Detach(Args):
    """A job that pulls a volume out."""

    volume: str
    instance: str


# -- what requests call ----------------------------------------------------------------------


def create(
    ask: Ask,
    zone: Zone,
    offering: DiskOffering,
    *,
    account_id: str,
    name: str,
    size: int,
    token: str | None,
    params: Mapping[str, object],
) -> Job:
    """Make a data volume of ``size`` bytes. The row is there at once.

    ``token`` and ``params`` make the same request twice one request.

    Raises:
        Fault: mismatch.
    """
    earlier = tokens.replayed(ask.db, account_id, ask.command, token, params)
    if earlier is not None:
        return earlier
    volume = volumes.create(ask.db, account_id, zone, offering, name=name, size=size)
    job = _begin(ask, CREATE, OfVolume(volume.id), volume, [volume.id])
    tokens.remember(ask.db, job, ask.command, token, params)
    return job


def attach(ask: Ask, volume: Volume, instance: Instance, slot: int | None) -> Job:
    """Plug a volume into an instance of the same account and zone.

    Raises:
        Fault: in_use, wrong_state, invalid, mismatch, limit, no_capacity.
    """
    if volume.account_id != instance.account_id:
        text = "Volume and instance belong to different accounts."
        raise Fault(Kind.INVALID, _SUBJECT, text, field="virtualmachineid")
    fresh = volume.state == VolumeState.ALLOCATED
    volumes.plug(ask.db, volume, instance, slot)
    args = Attach(volume.id, instance.id, fresh)
    return _begin(ask, ATTACH, args, volume, [volume.id, instance.id])


def detach(ask: Ask, volume: Volume) -> Job:
    """Pull a data volume out of its instance.

    Raises:
        Fault: wrong_state, when it is not attached; invalid for a root volume.
    """
    if volume.instance_id is None:
        raise wrong_state(_SUBJECT, volume.id, "not attached", "attached")
    if volume.kind == VolumeKind.ROOT:
        raise Fault(Kind.INVALID, _SUBJECT, "A root volume stays with its instance.", field="id")
    move(ask.db, volume, to=VolumeState.DETACHING)
    args = Detach(volume.id, volume.instance_id)
    return _begin(ask, DETACH, args, volume, [volume.id, volume.instance_id])


def delete(ask: Ask, volume: Volume) -> Job:
    """Delete a volume that is not attached, and its bytes.

    Raises:
        Fault: in_use, while it is attached.
    """
    if volume.instance_id is not None:
        text = f"Volume {volume.id} is attached; detach it first."
        raise Fault(Kind.IN_USE, _SUBJECT, text, field="id")
    move(ask.db, volume, to=VolumeState.DESTROYING)
    return _begin(ask, DELETE, OfVolume(volume.id), volume, [volume.id])


def _begin(ask: Ask, workflow: Workflow[Any], args: Args, volume: Volume, locks: list[str]) -> Job:
    return record(
        ask,
        workflow,
        args,
        resource=(_SUBJECT, volume.id),
        locks=locks,
        owner=volume.account_id,
    )


# -- steps -----------------------------------------------------------------------------------


def _place(work: Work[Any]) -> tuple[Volume, Pool | None, str]:
    """The volume, its pool if it has one, and a host that reaches it."""
    with work.sessions.read() as db:
        volume = db.get_one(Volume, work.args.volume)
        pool = db.get(StoragePool, volume.pool_id) if volume.pool_id else None
        host_id = hosts.reaching(db, volume.zone_id) if pool else ""
    return volume, pools.port(pool) if pool else None, host_id


def _make_disk(work: Work[Attach]) -> None:
    volume, pool, host_id = _place(work)
    if pool is not None:
        work.fleet.host(host_id).storage.ensure_disk(pool, volume.id, volume.size, None)


def _drop_new_disk(work: Work[Attach]) -> None:
    if work.args.fresh:
        _drop_disk(work)


def _drop_disk(work: Work[Any]) -> None:
    volume, pool, host_id = _place(work)
    if pool is not None:
        work.fleet.host(host_id).storage.ensure_disk_absent(pool, volume.id)


def _hot_plug(work: Work[Any]) -> None:
    """Plug the disk into the guest, if it runs; a stopped one finds it at its next start."""
    with work.sessions.read() as db:
        instance = db.get_one(Instance, work.args.instance)
        disk = volumes.disk(db, db.get_one(Volume, work.args.volume))
    if instance.state == InstanceState.RUNNING and instance.host_id:
        work.fleet.host(instance.host_id).hypervisor.ensure_attached(instance.id, disk)


def _hot_unplug(work: Work[Any]) -> None:
    with work.sessions.read() as db:
        instance = db.get_one(Instance, work.args.instance)
    if instance.host_id:
        hypervisor = work.fleet.host(instance.host_id).hypervisor
        hypervisor.ensure_detached(instance.id, work.args.volume)


def _never_attached(db: Session, work: Work[Attach]) -> None:
    volume = db.get_one(Volume, work.args.volume)
    volumes.unplug(db, volume)
    if work.args.fresh:
        volume.pool_id = None
    move(db, volume, to=VolumeState.ALLOCATED if work.args.fresh else VolumeState.READY)


def _still_attached(db: Session, work: Work[Detach]) -> None:
    move(db, db.get_one(Volume, work.args.volume), to=VolumeState.READY)


def _attached(db: Session, work: Work[Attach]) -> None:
    move(db, db.get_one(Volume, work.args.volume), to=VolumeState.READY)


def _detached(db: Session, work: Work[Detach]) -> None:
    volume = db.get_one(Volume, work.args.volume)
    volumes.unplug(db, volume)
    move(db, volume, to=VolumeState.READY)


def _deleted(db: Session, work: Work[OfVolume]) -> None:
    db.delete(db.get_one(Volume, work.args.volume))


# -- workflows -------------------------------------------------------------------------------

CREATE = Workflow("volume.create", OfVolume, ())
ATTACH = Workflow(
    "volume.attach",
    Attach,
    (
        Step("disk", _make_disk, undo=_drop_new_disk),
        Step("plug", _hot_plug, undo=_hot_unplug),
        DbStep("attached", _attached),
    ),
    release=_never_attached,
)
DETACH = Workflow(
    "volume.detach",
    Detach,
    (
        Step("unplug", _hot_unplug, undo=_hot_plug),
        DbStep("detached", _detached),
    ),
    release=_still_attached,
)
DELETE = Workflow(
    "volume.delete",
    OfVolume,
    (Step("disk", _drop_disk), DbStep("deleted", _deleted)),
    forward=True,
)
