"""Security groups, their rules, and who is in them."""

from sqlalchemy import ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from orchestrator.schema.base import Base, Created, Id, OptionalRef, Ref


class SecurityGroup(Base):
    """A named set of instances and of rules."""

    __tablename__ = "security_group"
    __table_args__ = (UniqueConstraint("account_id", "name"),)

    id: Mapped[Id]
    name: Mapped[str]
    description: Mapped[str]
    account_id: Mapped[str] = mapped_column(String(36), ForeignKey("account.id"))
    created: Mapped[Created]


class SecurityGroupRule(Base):
    """One permission: from (or to) one range or one group.

    ``first`` and ``last`` are ports, or ICMP type and code. ``source`` is the range or the group's
    id again, so that one unique key refuses a rule that is already there.
    """

    __tablename__ = "security_group_rule"
    __table_args__ = (
        UniqueConstraint("group_id", "direction", "protocol", "first", "last", "source"),
    )

    id: Mapped[Id]
    group_id: Mapped[str] = mapped_column(String(36), ForeignKey("security_group.id"))
    direction: Mapped[str] = mapped_column(String(7))
    protocol: Mapped[str] = mapped_column(String(5))
    first: Mapped[int]
    last: Mapped[int]
    source: Mapped[str] = mapped_column(String(36))
    cidr: Mapped[str | None] = mapped_column(String(18))
    peer_id: Mapped[OptionalRef] = mapped_column(ForeignKey("security_group.id"))


class Membership(Base):
    """An instance in a group, from launch to expunge."""

    __tablename__ = "security_group_member"

    instance_id: Mapped[str] = mapped_column(
        String(36), ForeignKey("instance.id"), primary_key=True
    )
    group_id: Mapped[Ref] = mapped_column(ForeignKey("security_group.id"), primary_key=True)
