"""Disks."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import BigInteger, ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from orchestrator.schema.base import Base, Created, Id, OptionalRef, Ref


class VolumeKind(StrEnum):
    """A root disk belongs to its instance for life; a data disk comes and goes."""

    ROOT = "ROOT"
    DATA = "DATADISK"


class VolumeState(StrEnum):
    """Where a volume is in its life, in the native API's words."""

    ALLOCATED = "Allocated"
    CREATING = "Creating"
    READY = "Ready"
    ATTACHING = "Attaching"
    DETACHING = "Detaching"
    DESTROYING = "Destroy"


class Volume(Base):
    """A disk of ``size`` bytes. It has bytes in a pool from its first attach on."""

    __tablename__ = "volume"
    __table_args__ = (UniqueConstraint("instance_id", "slot"),)

    id: Mapped[Id]
    name: Mapped[str]
    account_id: Mapped[Ref] = mapped_column(ForeignKey("account.id"))
    zone_id: Mapped[Ref] = mapped_column(ForeignKey("zone.id"))
    kind: Mapped[str] = mapped_column(String(10))
    size: Mapped[int] = mapped_column(BigInteger)
    offering_id: Mapped[OptionalRef] = mapped_column(ForeignKey("disk_offering.id"))
    template_id: Mapped[OptionalRef] = mapped_column(ForeignKey("template.id"))
    instance_id: Mapped[str | None] = mapped_column(String(36), ForeignKey("instance.id"))
    slot: Mapped[int | None]
    pool_id: Mapped[OptionalRef] = mapped_column(ForeignKey("storage_pool.id"))
    state: Mapped[str] = mapped_column(String(20), index=True)
    attached: Mapped[datetime | None]
    created: Mapped[Created]
