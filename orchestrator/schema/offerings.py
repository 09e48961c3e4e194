"""What users may choose: sizes of machines and of disks."""

from sqlalchemy import BigInteger, String
from sqlalchemy.orm import Mapped, mapped_column

from orchestrator.schema.base import Base, Created, Id


class ServiceOffering(Base):
    """A size of machine. ``memory`` in bytes, ``mhz`` for each of the ``cpus``."""

    __tablename__ = "service_offering"

    id: Mapped[Id]
    name: Mapped[str] = mapped_column(String(255), index=True)
    display_text: Mapped[str] = mapped_column(String(4096))
    cpus: Mapped[int]
    mhz: Mapped[int]
    memory: Mapped[int] = mapped_column(BigInteger)
    removed: Mapped[bool] = mapped_column(default=False)
    created: Mapped[Created]


class DiskOffering(Base):
    """A size of disk in bytes, or one the user chooses (``custom``)."""

    __tablename__ = "disk_offering"

    id: Mapped[Id]
    name: Mapped[str] = mapped_column(String(255), index=True)
    display_text: Mapped[str] = mapped_column(String(4096))
    size: Mapped[int] = mapped_column(BigInteger)
    custom: Mapped[bool]
    removed: Mapped[bool] = mapped_column(default=False)
    created: Mapped[Created]
