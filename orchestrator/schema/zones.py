"""The physical tree: regions, zones, pods, clusters, hosts."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import BigInteger, ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from orchestrator.schema.base import Base, Created, Id, Ref


class Allocation(StrEnum):
    """Whether new things may be placed there."""

    ENABLED = "Enabled"
    DISABLED = "Disabled"


class HostState(StrEnum):
    """How a host stands, in the native API's words."""

    CONNECTING = "Connecting"
    UP = "Up"
    DISCONNECTED = "Disconnected"
    ERROR = "Error"


class Region(Base):
    """A region of the cloud; its name is what AWS clients call theirs."""

    __tablename__ = "region"

    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    name: Mapped[str] = mapped_column(String(100), unique=True)
    endpoint: Mapped[str]


class Zone(Base):
    """A datacentre. Basic or Advanced for its whole life."""

    __tablename__ = "zone"

    id: Mapped[Id]
    name: Mapped[str] = mapped_column(String(100), unique=True)
    network_type: Mapped[str] = mapped_column(String(10))
    security_groups: Mapped[bool]
    dns1: Mapped[str] = mapped_column(String(40))
    dns2: Mapped[str | None] = mapped_column(String(40))
    internal_dns1: Mapped[str] = mapped_column(String(40))
    domain: Mapped[str | None]
    allocation: Mapped[str] = mapped_column(String(10), default=Allocation.ENABLED)
    created: Mapped[Created]


class Pod(Base):
    """A rack: hosts of one subnet."""

    __tablename__ = "pod"
    __table_args__ = (UniqueConstraint("zone_id", "name"),)

    id: Mapped[Id]
    name: Mapped[str] = mapped_column(String(100))
    zone_id: Mapped[Ref] = mapped_column(ForeignKey("zone.id"))
    gateway: Mapped[str] = mapped_column(String(40))
    netmask: Mapped[str] = mapped_column(String(40))
    start_ip: Mapped[str] = mapped_column(String(40))
    end_ip: Mapped[str | None] = mapped_column(String(40))
    allocation: Mapped[str] = mapped_column(String(10), default=Allocation.ENABLED)


class Cluster(Base):
    """Hosts that share primary storage."""

    __tablename__ = "cluster"
    __table_args__ = (UniqueConstraint("pod_id", "name"),)

    id: Mapped[Id]
    name: Mapped[str] = mapped_column(String(100))
    zone_id: Mapped[Ref] = mapped_column(ForeignKey("zone.id"))
    pod_id: Mapped[Ref] = mapped_column(ForeignKey("pod.id"))
    hypervisor: Mapped[str] = mapped_column(String(20))
    allocation: Mapped[str] = mapped_column(String(10), default=Allocation.ENABLED)


class Host(Base):
    """A machine that runs guests.

    ``memory`` and ``mhz`` are what it has in all (bytes, and cores times clock); the ``…_taken``
    columns are what instances hold of it. ``told`` numbers the documents told to its network
    driver. ``observed`` columns belong to the reconciler.
    """

    __tablename__ = "host"

    id: Mapped[Id]
    name: Mapped[str] = mapped_column(String(100))
    url: Mapped[str] = mapped_column(String(255), unique=True)
    zone_id: Mapped[Ref] = mapped_column(ForeignKey("zone.id"))
    pod_id: Mapped[Ref] = mapped_column(ForeignKey("pod.id"))
    cluster_id: Mapped[Ref] = mapped_column(ForeignKey("cluster.id"))
    state: Mapped[str] = mapped_column(String(20), default=HostState.CONNECTING)
    allocation: Mapped[str] = mapped_column(String(10), default=Allocation.ENABLED)
    hypervisor: Mapped[str | None] = mapped_column(String(20))
    version: Mapped[str | None]
    cpus: Mapped[int] = mapped_column(default=0)
    clock: Mapped[int] = mapped_column(default=0)
    mhz: Mapped[int] = mapped_column(BigInteger, default=0)
    mhz_taken: Mapped[int] = mapped_column(BigInteger, default=0)
    memory: Mapped[int] = mapped_column(BigInteger, default=0)
    memory_taken: Mapped[int] = mapped_column(BigInteger, default=0)
    told: Mapped[int] = mapped_column(BigInteger, default=0)
    created: Mapped[Created]
    observed: Mapped[datetime | None]
