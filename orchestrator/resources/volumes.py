"""Volumes: root and data disks."""

from collections.abc import Collection

from sqlalchemy import select
from sqlalchemy.orm import Session, load_only

from orchestrator.driver import ports
from orchestrator.faults import Fault, Kind, not_found, wrong_state
from orchestrator.resources import pools
from orchestrator.resources.scope import Found, Scope, Window, fetch, like, owned
from orchestrator.resources.states import move
from orchestrator.schema.base import now
from orchestrator.schema.instances import Instance, InstanceState
from orchestrator.schema.offerings import DiskOffering
from orchestrator.schema.pools import StoragePool
from orchestrator.schema.volumes import Volume, VolumeKind, VolumeState
from orchestrator.schema.zones import Host, Zone

SLOTS = range(1, 26)
_NAMES = load_only(Instance.name, Instance.display_name, Instance.state, raiseload=True)
_ATTACHABLE = (InstanceState.RUNNING, InstanceState.STOPPED)


def find(db: Session, scope: Scope, ident: str) -> Volume | None:
    """A volume by id."""
    statement = select(Volume).where(Volume.id == ident, Volume.state != VolumeState.DESTROYING)
    return db.scalar(owned(statement, Volume.account_id, scope))


def page(
    db: Session,
    scope: Scope,
    window: Window,
    *,
    ids: Collection[str] = (),
    name: str | None = None,
    kind: str | None = None,
    instance_id: str | None = None,
    zone_id: str | None = None,
    keyword: str | None = None,
) -> Found[Volume]:
    """Volumes, oldest first."""
    statement = owned(
        select(Volume).where(Volume.state != VolumeState.DESTROYING), Volume.account_id, scope
    )
    if ids:
        statement = statement.where(Volume.id.in_(ids))
    for column, value in (
        (Volume.name, name),
        (Volume.kind, kind),
        (Volume.instance_id, instance_id),
        (Volume.zone_id, zone_id),
    ):
        if value is not None:
            statement = statement.where(column == value)
    if keyword:
        statement = statement.where(like(keyword, Volume.name))
    return fetch(db, statement.order_by(Volume.created, Volume.id), window)


def instances(db: Session, rows: Collection[Volume]) -> dict[str, Instance]:
    """Names and states of the instances these volumes are attached to, by id."""
    wanted = {row.instance_id for row in rows}
    statement = select(Instance).options(_NAMES).where(Instance.id.in_(wanted))
    return {instance.id: instance for instance in db.scalars(statement)}


def offerings(db: Session, rows: Collection[Volume]) -> dict[str, DiskOffering]:
    """The disk offerings of these volumes, by id."""
    wanted = {row.offering_id for row in rows}
    found = db.scalars(select(DiskOffering).where(DiskOffering.id.in_(wanted)))
    return {offering.id: offering for offering in found}


def create(
    db: Session, account_id: str, zone: Zone, offering: DiskOffering, *, name: str, size: int
) -> Volume:
    """Record a data volume; it gets bytes when it is first attached."""
    volume = Volume(
        name=name,
        account_id=account_id,
        zone_id=zone.id,
        kind=VolumeKind.DATA,
        size=size,
        offering_id=offering.id,
        state=VolumeState.ALLOCATED,
    )
    db.add(volume)
    db.flush()
    return volume


def add_root(db: Session, instance: Instance, size: int, pool: StoragePool) -> Volume:
    """The root volume of a new instance."""
    volume = Volume(
        name=f"ROOT-{instance.name}",
        account_id=instance.account_id,
        zone_id=instance.zone_id,
        kind=VolumeKind.ROOT,
        size=size,
        template_id=instance.template_id,
        instance_id=instance.id,
        slot=0,
        pool_id=pool.id,
        state=VolumeState.CREATING,
        attached=now(),
    )
    db.add(volume)
    db.flush()
    return volume


def of(db: Session, instance_id: str) -> list[Volume]:
    """The volumes of an instance, root first."""
    mine = Volume.instance_id == instance_id
    return list(db.scalars(select(Volume).where(mine).order_by(Volume.slot)))


def root(db: Session, instance_id: str) -> Volume | None:
    """The root volume of an instance."""
    return db.scalar(
        select(Volume).where(Volume.instance_id == instance_id, Volume.kind == VolumeKind.ROOT)
    )


def in_slot(db: Session, instance_id: str | None, slot: int | None) -> Volume:
    """The volume in a slot of an instance.

    Raises:
        Fault: missing, unless both are given; not_found, when the slot is empty.
    """
    if instance_id is None or slot is None:
        text = "Name the volume by id, or by virtualmachineid and deviceid."
        raise Fault(Kind.MISSING, "volume", text, field="id")
    volume = next((volume for volume in of(db, instance_id) if volume.slot == slot), None)
    if volume is None:
        raise not_found("volume", f"{instance_id}, device {slot}", field="deviceid")
    return volume


def disk(db: Session, volume: Volume) -> ports.Disk:
    """The volume as the hypervisor knows it."""
    pool = db.get_one(StoragePool, volume.pool_id)
    return ports.Disk(volume=volume.id, pool=pools.port(pool), slot=volume.slot or 0)


def plug(db: Session, volume: Volume, instance: Instance, slot: int | None) -> None:
    """Reserve a slot of an instance for a volume that is about to be attached.

    Raises:
        Fault: in_use (the volume, or the slot), wrong_state, mismatch (another zone).
    """
    if volume.instance_id is not None:
        text = f"Volume {volume.id} is attached already; detach it first."
        raise Fault(Kind.IN_USE, "volume", text, field="id")
    if instance.state not in _ATTACHABLE:
        raise wrong_state("virtualmachine", instance.id, instance.state, "Running or Stopped")
    if volume.zone_id != instance.zone_id:
        text = "Volume and instance are in different zones."
        raise Fault(Kind.MISMATCH, "volume", text, field="id")
    move(
        db,
        volume,
        to=VolumeState.ATTACHING,
        instance_id=instance.id,
        slot=_slot(db, instance.id, slot),
        pool_id=volume.pool_id or _pool(db, instance).id,
        attached=now(),
    )


def unplug(db: Session, volume: Volume) -> None:
    """Free the slot of a volume that was detached."""
    volume.instance_id = None
    volume.slot = None
    volume.attached = None


def part(db: Session, instance_id: str) -> None:
    """Detach every data volume of an instance that is no more."""
    for volume in of(db, instance_id):
        if volume.kind == VolumeKind.DATA:
            unplug(db, volume)


def _slot(db: Session, instance_id: str, wanted: int | None) -> int:
    taken = {volume.slot for volume in of(db, instance_id)}
    if wanted is None:
        free = next((slot for slot in SLOTS if slot not in taken), None)
        if free is None:
            text = f"The instance has {len(SLOTS)} data volumes; it can take no more."
            raise Fault(Kind.LIMIT, "volume", text)
        return free
    if wanted in taken:
        text = f"Device {wanted} of the instance is taken; leave deviceid out for a free one."
        raise Fault(Kind.IN_USE, "volume", text, field="deviceid")
    return wanted


def _pool(db: Session, instance: Instance) -> StoragePool:
    host = db.get(Host, instance.host_id) if instance.host_id else None
    return pools.primary(db, instance.zone_id, host.cluster_id if host else None)
