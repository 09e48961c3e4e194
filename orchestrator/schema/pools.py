"""Where bytes lie: primary storage pools and image stores."""

from enum import StrEnum

from sqlalchemy import BigInteger, ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from orchestrator.schema.base import Base, Created, Id, OptionalRef, Ref
from orchestrator.schema.secrets import Secret


class PoolRole(StrEnum):
    """Primary pools hold disks and belong to a cluster; image stores hold templates of a zone."""

    PRIMARY = "primary"
    IMAGE = "image"


class Provider(StrEnum):
    """Who keeps a pool, in the native API's words: a folder that hosts share, or S3."""

    FOLDER = "NFS"
    S3 = "S3"


class PoolState(StrEnum):
    """How a pool stands, in the native API's words."""

    CONNECTING = "Initialized"
    UP = "Up"
    ERROR = "Error"


class StoragePool(Base):
    """A folder in which disks or images lie, or a bucket for images. Sizes in bytes.

    Of a bucket ``url`` is the endpoint with the bucket as its path, ``path`` the bucket's name, and
    ``access`` the keys to it, as JSON.
    """

    __tablename__ = "storage_pool"
    __table_args__ = (UniqueConstraint("zone_id", "name"),)

    id: Mapped[Id]
    name: Mapped[str] = mapped_column(String(100))
    role: Mapped[str] = mapped_column(String(10))
    url: Mapped[str] = mapped_column(String(255), unique=True)
    path: Mapped[str]
    provider: Mapped[str] = mapped_column(
        String(10), default=Provider.FOLDER, server_default=Provider.FOLDER
    )
    access: Mapped[str | None] = mapped_column(Secret)
    zone_id: Mapped[Ref] = mapped_column(ForeignKey("zone.id"))
    pod_id: Mapped[OptionalRef] = mapped_column(ForeignKey("pod.id"))
    cluster_id: Mapped[OptionalRef] = mapped_column(ForeignKey("cluster.id"))
    state: Mapped[str] = mapped_column(String(20), default=PoolState.CONNECTING)
    capacity: Mapped[int] = mapped_column(BigInteger, default=0)
    taken: Mapped[int] = mapped_column(BigInteger, default=0)
    created: Mapped[Created]
