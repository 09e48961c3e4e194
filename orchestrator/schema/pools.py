"""Where bytes lie: primary storage pools and image stores."""

from enum import StrEnum

from sqlalchemy import BigInteger, ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from orchestrator.schema.base import Base, Created, Id, OptionalRef, Ref


class PoolRole(StrEnum):
    """Primary pools hold disks and belong to a cluster; image stores hold templates of a zone."""

    PRIMARY = "primary"
    IMAGE = "image"


class PoolState(StrEnum):
    """How a pool stands, in the native API's words."""

    CONNECTING = "Initialized"
    UP = "Up"
    ERROR = "Error"


class StoragePool(Base):
    """A folder (or, later, a share) in which disks or images lie. Sizes in bytes."""

    __tablename__ = "storage_pool"
    __table_args__ = (UniqueConstraint("zone_id", "name"),)

    id: Mapped[Id]
    name: Mapped[str] = mapped_column(String(100))
    role: Mapped[str] = mapped_column(String(10))
    url: Mapped[str] = mapped_column(String(255), unique=True)
    path: Mapped[str]
    zone_id: Mapped[Ref] = mapped_column(ForeignKey("zone.id"))
    pod_id: Mapped[OptionalRef] = mapped_column(ForeignKey("pod.id"))
    cluster_id: Mapped[OptionalRef] = mapped_column(ForeignKey("cluster.id"))
    state: Mapped[str] = mapped_column(String(20), default=PoolState.CONNECTING)
    capacity: Mapped[int] = mapped_column(BigInteger, default=0)
    taken: Mapped[int] = mapped_column(BigInteger, default=0)
    created: Mapped[Created]
