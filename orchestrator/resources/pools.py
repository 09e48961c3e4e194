"""Primary storage pools and image stores."""

import json
import re
from collections.abc import Collection
from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

from sqlalchemy import or_, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from orchestrator.driver import ports
from orchestrator.faults import Fault, Kind, invalid
from orchestrator.resources import urls
from orchestrator.resources.scope import Found, Scope, Window, fetch, like
from orchestrator.schema.pools import PoolRole, PoolState, Provider, StoragePool
from orchestrator.schema.zones import Cluster, Zone

_SCHEMES = frozenset({"file", "sharedmountpoint"})
_IMAGE_STORE = "imagestore"
_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")


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


@dataclass(frozen=True)
class BucketAccess:
    """Where a bucket is, and the keys to it. ``secret_key`` never shows itself."""

    endpoint: str
    bucket: str
    access_key: str
    secret_key: str = field(repr=False)
    region: str = "us-east-1"


def create_bucket_store(db: Session, zone: Zone, *, name: str, access: BucketAccess) -> StoragePool:
    """Record a zone's image store that is a bucket, and about to be connected.

    Raises:
        Fault: invalid, for an endpoint or a bucket that can never be one.
    """
    parts = urls.split(access.endpoint, _IMAGE_STORE)
    plain = not (parts.path.strip("/") or parts.query or parts.fragment or "@" in parts.netloc)
    if parts.scheme not in {"http", "https"} or not parts.hostname or not plain:
        text = f"{access.endpoint!r} is no S3 endpoint; give https://host or http://host:port."
        raise invalid(_IMAGE_STORE, text, field="details")
    if not _BUCKET.fullmatch(access.bucket):
        raise invalid(_IMAGE_STORE, f"{access.bucket!r} is no bucket's name.", field="details")
    keys = {
        "access_key": access.access_key,
        "secret_key": access.secret_key,
        "region": access.region,
    }
    return _added(
        db,
        StoragePool(
            name=name,
            role=PoolRole.IMAGE,
            provider=Provider.S3,
            url=f"{parts.scheme}://{parts.netloc}/{access.bucket}",
            path=access.bucket,
            access=json.dumps(keys),
            zone_id=zone.id,
        ),
    )


def image_store(db: Session, zone_id: str) -> StoragePool:
    """The store that takes the zone's new templates: a bucket, if it has one.

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
    if pool.access is None:
        return ports.Pool(id=pool.id, path=pool.path)
    keys = json.loads(pool.access)
    parts = urlsplit(pool.url)
    return ports.BucketPool(
        id=pool.id,
        path=pool.path,
        endpoint=f"{parts.scheme}://{parts.netloc}",
        region=keys["region"],
        access_key=keys["access_key"],
        secret_key=keys["secret_key"],
    )


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
    buckets_first = (StoragePool.provider == Provider.FOLDER).asc()
    return db.scalar(statement.order_by(buckets_first, StoragePool.created).limit(1))


def _create(
    db: Session, role: PoolRole, zone_id: str, cluster: Cluster | None, name: str, url: str
) -> StoragePool:
    subject = "storagepool" if role == PoolRole.PRIMARY else _IMAGE_STORE
    parts = urls.split(url, subject)
    path = unquote(parts.path)
    if parts.scheme.lower() not in _SCHEMES or not path.startswith("/") or ".." in path:
        text = f"{url!r} is no storage URL; give SharedMountPoint://localhost/path."
        raise invalid(subject, text, field="url")
    return _added(
        db,
        StoragePool(
            name=name,
            role=role,
            url=url,
            path=path,
            zone_id=zone_id,
            pod_id=cluster.pod_id if cluster else None,
            cluster_id=cluster.id if cluster else None,
        ),
    )


def _added(db: Session, pool: StoragePool) -> StoragePool:
    subject = "storagepool" if pool.role == PoolRole.PRIMARY else _IMAGE_STORE
    try:
        with db.begin_nested():
            db.add(pool)
    except IntegrityError:
        text = f"There already is a storage of this name or URL ({pool.name}, {pool.url})."
        raise Fault(Kind.EXISTS, subject, text) from None
    return pool
