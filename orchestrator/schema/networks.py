"""Guest networks, their address ranges, and the cards that plug into them."""

from sqlalchemy import BigInteger, ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from orchestrator.schema.base import Base, Created, Id, OptionalRef, Ref


class Network(Base):
    """A guest network.

    ``number`` (1..65535) is its conntrack zone and part of its guests' MAC addresses;
    ``router_host_id`` the host that carries its router once it has one; ``told`` numbers the
    documents told to that router.
    """

    __tablename__ = "network"

    id: Mapped[Id]
    name: Mapped[str]
    display_text: Mapped[str]
    account_id: Mapped[Ref] = mapped_column(ForeignKey("account.id"))
    zone_id: Mapped[Ref] = mapped_column(ForeignKey("zone.id"))
    offering: Mapped[str] = mapped_column(String(100))
    number: Mapped[int] = mapped_column(unique=True)
    gateway: Mapped[str | None] = mapped_column(String(40))
    netmask: Mapped[str | None] = mapped_column(String(40))
    domain: Mapped[str]
    router_host_id: Mapped[OptionalRef] = mapped_column(ForeignKey("host.id"))
    told: Mapped[int] = mapped_column(BigInteger, default=0)
    created: Mapped[Created]


class IpRange(Base):
    """Addresses a network may give out, as integers; ``cursor`` is where the next search begins."""

    __tablename__ = "ip_range"

    id: Mapped[Id]
    network_id: Mapped[Ref] = mapped_column(ForeignKey("network.id"))
    zone_id: Mapped[Ref] = mapped_column(ForeignKey("zone.id"))
    pod_id: Mapped[OptionalRef] = mapped_column(ForeignKey("pod.id"))
    gateway: Mapped[str] = mapped_column(String(40))
    netmask: Mapped[str] = mapped_column(String(40))
    first: Mapped[int] = mapped_column(BigInteger)
    last: Mapped[int] = mapped_column(BigInteger)
    cursor: Mapped[int] = mapped_column(BigInteger)


class Nic(Base):
    """A network card of an instance: its address is kept from deploy to expunge.

    ``host_id`` is set while the port on that host is plugged (or may be).
    """

    __tablename__ = "nic"
    __table_args__ = (UniqueConstraint("network_id", "ip"),)

    id: Mapped[Id]
    instance_id: Mapped[Ref] = mapped_column(ForeignKey("instance.id"))
    network_id: Mapped[str] = mapped_column(String(36), ForeignKey("network.id"))
    mac: Mapped[str] = mapped_column(String(17))
    ip: Mapped[int] = mapped_column(BigInteger)
    host_id: Mapped[OptionalRef] = mapped_column(ForeignKey("host.id"))
    created: Mapped[Created]
