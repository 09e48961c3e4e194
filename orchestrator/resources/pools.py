"""Primary storage pools and image stores."""

from collections.abc import Collection
from urllib.parse import unquote

from sqlalchemy import or_, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from orchestrator.driver import ports
from orchestrator.faults import Fault, Kind, invalid
from orchestrator.resources import urls
from orchestrator.resources.scope import Found, Scope, Window, fetch, like
from orchestrator.schema.pools import PoolRole, PoolState, StoragePool
from orchestrator.schema.zones import Cluster, Zone

_SCHEMES = frozenset({"file", "sharedmountpoint"})


def find(db: Session, _scope: Scope, ident: str) -> StoragePool | None:
    """A pool by id."""
    return db.get(StoragePool, ident)


def page(
    db: Session,
    window: Window,
    *,
    role: PoolRole,
    ident: str | None = None,
    name: str | None = None,
    zone_id: str | None = None,
    cluster_id: str | None = None,
    keyword: str | None = None,
) -> Found[StoragePool]:
    """Pools of one role, by name."""
    statement = select(StoragePool).where(StoragePool.role == role)
    for column, value in (
        (StoragePool.id, ident),
        (StoragePool.name, name),
        (StoragePool.zone_id, zone_id),
        (StoragePool.cluster_id, cluster_id),
    ):
        if value is not None:
            statement = statement.where(column == value)
    if keyword:
        statement = statement.where(like(keyword, StoragePool.name))
    return fetch(db, statement.order_by(StoragePool.name, StoragePool.id), window)


def create_primary(db: Session, cluster: Cluster, *, name: str, url: str) -> StoragePool:
    """Record a cluster's primary pool that is about to be connected."""
    return _create(db, PoolRole.PRIMARY, cluster.zone_id, cluster, name, url)


def create_image_store(db: Session, zone: Zone, *, name: str, url: str) -> StoragePool:
    """Record a zone's image store that is about to be connected."""
    return _create(db, PoolRole.IMAGE, zone.id, None, name, url)


def image_store(db: Session, zone_id: str) -> StoragePool:
    """The store that holds the zone's templates.

    Raises:
        Fault: unavailable, when the zone has none that is up.
    """
    pool = _some(db, PoolRole.IMAGE, zone_id)
    if pool is None:
        raise Fault(Kind.UNAVAILABLE, "imagestore", "The zone has no image store that is up.")
    return pool


def primary(db: Session, zone_id: str, cluster_id: str | None = None) -> StoragePool:
    """A pool for disks that instances of the cluster (or any of the zone) can use.

    Raises:
        Fault: no_capacity, when there is none that is up.
    """
    pool = _some(db, PoolRole.PRIMARY, zone_id, cluster_id)
    if pool is None:
        text = "The zone has no primary storage that is up."
        raise Fault(Kind.NO_CAPACITY, "storagepool", text)
    return pool


def primaries(db: Session, zone_id: str) -> list[ports.Pool]:
    """Every primary pool of a zone that is up, as drivers know it."""
    rows = db.scalars(
        select(StoragePool).where(
            StoragePool.role == PoolRole.PRIMARY,
            StoragePool.zone_id == zone_id,
            StoragePool.state == PoolState.UP,
        )
    )
    return [port(pool) for pool in rows]


def port(pool: StoragePool) -> ports.Pool:
    """The pool as drivers know it."""
    return ports.Pool(id=pool.id, path=pool.path)


def many(db: Session, ids: Collection[str | None]) -> dict[str, StoragePool]:
    """Many pools at once, by id."""
    rows = db.scalars(select(StoragePool).where(StoragePool.id.in_(set(ids))))
    return {pool.id: pool for pool in rows}


def _some(
    db: Session, role: PoolRole, zone_id: str, cluster_id: str | None = None
) -> StoragePool | None:
    statement = select(StoragePool).where(
        StoragePool.role == role,
        StoragePool.zone_id == zone_id,
        StoragePool.state == PoolState.UP,
    )
    if cluster_id is not None:
        here = StoragePool.cluster_id == cluster_id
        statement = statement.where(or_(here, StoragePool.cluster_id.is_(None)))
    return db.scalar(statement.order_by(StoragePool.created).limit(1))


def _create(
    db: Session, role: PoolRole, zone_id: str, cluster: Cluster | None, name: str, url: str
) -> StoragePool:
    subject = "storagepool" if role == PoolRole.PRIMARY else "imagestore"
    parts = urls.split(url, subject)
    path = unquote(parts.path)
    if parts.scheme.lower() not in _SCHEMES or not path.startswith("/") or ".." in path:
        text = f"{url!r} is no storage URL; give SharedMountPoint://localhost/path."
        raise invalid(subject, text, field="url")
    pool = StoragePool(
        name=name,
        role=role,
        url=url,
        path=path,
        zone_id=zone_id,
        pod_id=cluster.pod_id if cluster else None,
        cluster_id=cluster.id if cluster else None,
    )
    try:
        with db.begin_nested():
            db.add(pool)
    except IntegrityError:
        text = f"There already is a storage of this name or URL ({name}, {url})."
        raise Fault(Kind.EXISTS, subject, text) from None
    return pool
