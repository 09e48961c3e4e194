"""Regions, zones, pods and clusters."""

from collections.abc import Collection
from ipaddress import AddressValueError, IPv4Address

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from orchestrator.faults import Fault, Kind, invalid
from orchestrator.resources.scope import Found, Scope, Window, fetch, like
from orchestrator.schema.zones import Allocation, Cluster, Pod, Region, Zone

BASIC = "Basic"
HYPERVISOR = "KVM"


def find(db: Session, _scope: Scope, ident: str) -> Zone | None:
    """A zone by id; every user sees zones."""
    return db.get(Zone, ident)


def find_pod(db: Session, _scope: Scope, ident: str) -> Pod | None:
    """A pod by id."""
    return db.get(Pod, ident)


def find_cluster(db: Session, _scope: Scope, ident: str) -> Cluster | None:
    """A cluster by id."""
    return db.get(Cluster, ident)


def page(
    db: Session,
    window: Window,
    *,
    ident: str | None = None,
    name: str | None = None,
    available: bool | None = None,
    keyword: str | None = None,
) -> Found[Zone]:
    """Zones, by name."""
    statement = select(Zone).order_by(Zone.name)
    if ident is not None:
        statement = statement.where(Zone.id == ident)
    if name is not None:
        statement = statement.where(Zone.name == name)
    if available:
        statement = statement.where(Zone.allocation == Allocation.ENABLED)
    if keyword:
        statement = statement.where(like(keyword, Zone.name))
    return fetch(db, statement, window)


def page_pods(
    db: Session,
    window: Window,
    *,
    ident: str | None = None,
    name: str | None = None,
    zone_id: str | None = None,
    keyword: str | None = None,
) -> Found[Pod]:
    """Pods, by name."""
    statement = select(Pod).order_by(Pod.name, Pod.id)
    for column, value in ((Pod.id, ident), (Pod.name, name), (Pod.zone_id, zone_id)):
        if value is not None:
            statement = statement.where(column == value)
    if keyword:
        statement = statement.where(like(keyword, Pod.name))
    return fetch(db, statement, window)


def page_clusters(
    db: Session,
    window: Window,
    *,
    ident: str | None = None,
    name: str | None = None,
    zone_id: str | None = None,
    pod_id: str | None = None,
    keyword: str | None = None,
) -> Found[Cluster]:
    """Clusters, by name."""
    statement = select(Cluster).order_by(Cluster.name, Cluster.id)
    for column, value in (
        (Cluster.id, ident),
        (Cluster.name, name),
        (Cluster.zone_id, zone_id),
        (Cluster.pod_id, pod_id),
    ):
        if value is not None:
            statement = statement.where(column == value)
    if keyword:
        statement = statement.where(like(keyword, Cluster.name))
    return fetch(db, statement, window)


def regions(db: Session) -> list[Region]:
    """All regions, by number."""
    return list(db.scalars(select(Region).order_by(Region.number)))


def names(db: Session, ids: Collection[str]) -> dict[str, str]:
    """Names of many zones at once."""
    rows = db.scalars(select(Zone).where(Zone.id.in_(set(ids))))
    return {zone.id: zone.name for zone in rows}


def many(db: Session, ids: Collection[str]) -> dict[str, Zone]:
    """Many zones at once, by id."""
    return {zone.id: zone for zone in db.scalars(select(Zone).where(Zone.id.in_(set(ids))))}


def pods(db: Session, ids: Collection[str | None]) -> dict[str, Pod]:
    """Many pods at once, by id."""
    return {pod.id: pod for pod in db.scalars(select(Pod).where(Pod.id.in_(set(ids))))}


def clusters(db: Session, ids: Collection[str | None]) -> dict[str, Cluster]:
    """Many clusters at once, by id."""
    rows = db.scalars(select(Cluster).where(Cluster.id.in_(set(ids))))
    return {cluster.id: cluster for cluster in rows}


def create(
    db: Session,
    *,
    name: str,
    network_type: str,
    security_groups: bool,
    dns1: str,
    dns2: str | None,
    internal_dns1: str,
    domain: str | None,
    allocation: str,
) -> Zone:
    """Make a zone. Its network type is for ever."""
    if network_type != BASIC:
        text = "Only zones of network type Basic are offered."
        raise invalid("zone", text, field="networktype")
    for field, value in (("dns1", dns1), ("dns2", dns2), ("internaldns1", internal_dns1)):
        if value is not None:
            address(value, field)
    zone = Zone(
        name=name,
        network_type=network_type,
        security_groups=security_groups,
        dns1=dns1,
        dns2=dns2,
        internal_dns1=internal_dns1,
        domain=domain,
        allocation=allocation,
    )
    _add(db, zone, "zone", name)
    return zone


def update(
    db: Session, zone: Zone, *, name: str | None, allocation: str | None, dns1: str | None
) -> None:
    """Change what is given of a zone."""
    if dns1 is not None:
        address(dns1, "dns1")
    zone.name = name or zone.name
    zone.allocation = allocation or zone.allocation
    zone.dns1 = dns1 or zone.dns1
    try:
        db.flush()
    except IntegrityError:
        text = f"There already is a zone named {name!r}."
        raise Fault(Kind.EXISTS, "zone", text, field="name") from None


def create_pod(
    db: Session,
    zone: Zone,
    *,
    name: str,
    gateway: str,
    netmask: str,
    start_ip: str,
    end_ip: str | None,
) -> Pod:
    """Make a pod of a zone."""
    address(gateway, "gateway")
    address(start_ip, "startip")
    if end_ip is not None:
        address(end_ip, "endip")
    pod = Pod(
        name=name,
        zone_id=zone.id,
        gateway=gateway,
        netmask=netmask,
        start_ip=start_ip,
        end_ip=end_ip,
    )
    _add(db, pod, "pod", name)
    return pod


def create_cluster(db: Session, pod: Pod, *, name: str, hypervisor: str) -> Cluster:
    """Make a cluster of a pod."""
    if hypervisor.upper() != HYPERVISOR:
        text = f"{hypervisor} hosts are not offered; give {HYPERVISOR}."
        raise invalid("cluster", text, field="hypervisor")
    cluster = Cluster(name=name, zone_id=pod.zone_id, pod_id=pod.id, hypervisor=HYPERVISOR)
    _add(db, cluster, "cluster", name)
    return cluster


def address(text: str, field: str) -> IPv4Address:
    """An IPv4 address.

    Raises:
        Fault: invalid, naming the field.
    """
    try:
        return IPv4Address(text)
    except AddressValueError:
        raise invalid("network", f"{text!r} is no IPv4 address.", field=field) from None


def _add(db: Session, row: Zone | Pod | Cluster, subject: str, name: str) -> None:
    try:
        with db.begin_nested():
            db.add(row)
    except IntegrityError:
        text = f"There already is a {subject} named {name!r}."
        raise Fault(Kind.EXISTS, subject, text, field="name") from None
