"""Virtual machines."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import BigInteger, ForeignKey, Index, LargeBinary, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from orchestrator.schema.base import Base, Created, Id, Instant, OptionalRef, Ref, now


class InstanceState(StrEnum):
    """Where an instance is in its life, in the native API's words."""

    STARTING = "Starting"
    RUNNING = "Running"
    STOPPING = "Stopping"
    STOPPED = "Stopped"
    DESTROYED = "Destroyed"
    EXPUNGING = "Expunging"
    ERROR = "Error"


class Instance(Base):
    """A virtual machine.

    ``host_id`` is set exactly while the instance holds ``cpus``·``mhz`` and ``memory`` (bytes) of
    that host. ``expunged`` is when its disks and addresses were given back. ``changed`` is the
    moment of the last change of state. ``observed_power`` belongs to the reconciler.
    """

    __tablename__ = "instance"
    __table_args__ = (Index("ix_instance_account_state", "account_id", "state", "created"),)

    id: Mapped[Id]
    name: Mapped[str] = mapped_column(String(63), index=True)
    display_name: Mapped[str]
    account_id: Mapped[str] = mapped_column(String(36), ForeignKey("account.id"))
    zone_id: Mapped[Ref] = mapped_column(ForeignKey("zone.id"))
    template_id: Mapped[Ref] = mapped_column(ForeignKey("template.id"))
    offering_id: Mapped[Ref] = mapped_column(ForeignKey("service_offering.id"))
    host_id: Mapped[OptionalRef] = mapped_column(ForeignKey("host.id"))
    state: Mapped[str] = mapped_column(String(20))
    cpus: Mapped[int]
    mhz: Mapped[int]
    memory: Mapped[int] = mapped_column(BigInteger)
    keypair: Mapped[str | None]
    public_key: Mapped[str | None] = mapped_column(Text)
    user_data: Mapped[bytes | None] = mapped_column(LargeBinary(65536))
    group: Mapped[str | None] = mapped_column("group_name", String(255), index=True)
    reason: Mapped[str | None] = mapped_column(String(1024))
    created: Mapped[Created]
    changed: Mapped[datetime] = mapped_column(Instant(), default=now)
    expunged: Mapped[datetime | None]
    observed_power: Mapped[str | None] = mapped_column(String(10))
