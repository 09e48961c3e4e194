"""Hosts and what they have left.

What instances hold of a host is counted in the host's row, in the transaction that gives or takes
it, by an update that refuses to go over what there is: no two requests share the last gigabyte.
"""

from collections.abc import Collection

from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from orchestrator import placement
from orchestrator.driver.ports import Transient
from orchestrator.faults import Fault, Kind, invalid
from orchestrator.resources import configuration, urls
from orchestrator.resources.scope import Found, Scope, Window, fetch, like
from orchestrator.schema.instances import Instance
from orchestrator.schema.zones import Allocation, Cluster, Host, HostState

_CANDIDATES = 64


def find(db: Session, _scope: Scope, ident: str) -> Host | None:
    """A host by id."""
    return db.get(Host, ident)


def page(
    db: Session,
    window: Window,
    *,
    ident: str | None = None,
    name: str | None = None,
    zone_id: str | None = None,
    pod_id: str | None = None,
    cluster_id: str | None = None,
    state: str | None = None,
    keyword: str | None = None,
) -> Found[Host]:
    """Hosts, by name."""
    statement = select(Host).order_by(Host.name, Host.id)
    for column, value in (
        (Host.id, ident),
        (Host.name, name),
        (Host.zone_id, zone_id),
        (Host.pod_id, pod_id),
        (Host.cluster_id, cluster_id),
        (Host.state, state),
    ):
        if value is not None:
            statement = statement.where(column == value)
    if keyword:
        statement = statement.where(like(keyword, Host.name))
    return fetch(db, statement, window)


def names(db: Session, ids: Collection[str | None]) -> dict[str, str]:
    """Names of many hosts at once."""
    rows = db.scalars(select(Host).where(Host.id.in_(set(ids))))
    return {host.id: host.name for host in rows}


def create(db: Session, cluster: Cluster, url: str) -> Host:
    """Record a host that is about to be connected."""
    name = urls.split(url, "host").hostname
    if name is None:
        text = f"{url!r} is no host URL; give http://name-or-address."
        raise invalid("host", text, field="url")
    host = Host(
        name=name,
        url=url,
        zone_id=cluster.zone_id,
        pod_id=cluster.pod_id,
        cluster_id=cluster.id,
    )
    try:
        with db.begin_nested():
            db.add(host)
    except IntegrityError:
        text = f"There already is a host at {url}."
        raise Fault(Kind.EXISTS, "host", text, field="url") from None
    return host


def reaching(db: Session, zone_id: str) -> str:
    """Some host of the zone that is up, to work on the zone's storage.

    Raises:
        Transient: there is none now; a step that needs one waits.
    """
    up = select(Host.id).where(Host.zone_id == zone_id, Host.state == HostState.UP)
    found = db.scalar(up.order_by(Host.created).limit(1))
    if found is None:
        raise Transient(f"no host of zone {zone_id} is up")
    return found


def reserve(db: Session, instance: Instance, host_id: str | None = None) -> None:
    """Place an instance on a host and take what it needs there.

    Args:
        host_id: the only host that will do, if the caller chose one.

    Raises:
        Fault: no_capacity, with what each host lacked in its detail.
    """
    ask = placement.Request(mhz=instance.cpus * instance.mhz, memory=instance.memory)
    rooms = _rooms(db, instance.zone_id, host_id)
    reasons: list[str] = []
    while rooms:
        choice = placement.place(ask, rooms)
        if choice.host is None:
            reasons += choice.reasons
            break
        if _take(db, choice.host, ask):
            instance.host_id = choice.host.id
            return
        rooms.remove(choice.host)
        reasons.append(f"{choice.host.name}: taken by another request meanwhile")
    raise Fault(
        Kind.NO_CAPACITY,
        "virtualmachine",
        f"No host of the zone has {ask.mhz} MHz and {ask.memory >> 20} MiB free. "
        "Choose a smaller offering, or stop something.",
        detail="; ".join(reasons) or "there is no host that is up",
    )


def release(db: Session, instance: Instance) -> None:
    """Give back what an instance holds of its host. Nothing happens when it holds nothing."""
    if instance.host_id is None:
        return
    db.execute(
        update(Host)
        .where(Host.id == instance.host_id)
        .values(
            mhz_taken=Host.mhz_taken - instance.cpus * instance.mhz,
            memory_taken=Host.memory_taken - instance.memory,
        )
        .execution_options(synchronize_session=False)
    )
    instance.host_id = None


def _rooms(db: Session, zone_id: str, host_id: str | None) -> list[placement.Room]:
    statement = select(Host).where(
        Host.zone_id == zone_id,
        Host.state == HostState.UP,
        Host.allocation == Allocation.ENABLED,
    )
    if host_id is not None:
        statement = statement.where(Host.id == host_id)
    roomiest = statement.order_by((Host.memory - Host.memory_taken).desc()).limit(_CANDIDATES)
    mhz_factor, memory_factor = configuration.numbers(
        db, "cpu.overprovisioning.factor", "mem.overprovisioning.factor"
    )
    return [
        placement.Room(
            id=host.id,
            name=host.name,
            mhz=int(host.mhz * mhz_factor),
            mhz_taken=host.mhz_taken,
            memory=int(host.memory * memory_factor),
            memory_taken=host.memory_taken,
        )
        for host in db.scalars(roomiest)
    ]


def _take(db: Session, room: placement.Room, ask: placement.Request) -> bool:
    """Compare and set: take it only if it still fits."""
    taken = db.execute(
        update(Host)
        .where(
            Host.id == room.id,
            Host.mhz_taken <= room.mhz - ask.mhz,
            Host.memory_taken <= room.memory - ask.memory,
        )
        .values(
            mhz_taken=Host.mhz_taken + ask.mhz,
            memory_taken=Host.memory_taken + ask.memory,
        )
        .execution_options(synchronize_session=False)
    )
    return bool(taken.rowcount == 1)  # type: ignore[attr-defined]
