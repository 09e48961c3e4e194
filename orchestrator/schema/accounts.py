"""Who owns things and who may ask: domains, accounts, users."""

from enum import IntEnum, StrEnum

from sqlalchemy import ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from orchestrator.schema.base import Base, Created, Id, Ref
from orchestrator.schema.secrets import Secret


class AccountType(IntEnum):
    """Kind of account, in the native API's numbers."""

    USER = 0
    ROOT_ADMIN = 1
    DOMAIN_ADMIN = 2


class Standing(StrEnum):
    """Whether an account or user may act."""

    ENABLED = "enabled"
    DISABLED = "disabled"
    LOCKED = "locked"


class Domain(Base):
    """A node of the tree of organisations; the root is called ROOT and has the path ``/``."""

    __tablename__ = "domain"

    id: Mapped[Id]
    name: Mapped[str]
    path: Mapped[str] = mapped_column(String(255), unique=True)
    parent_id: Mapped[str | None] = mapped_column(String(36), ForeignKey("domain.id"))
    level: Mapped[int]


class Account(Base):
    """Owns resources. Has one or more users, who share everything."""

    __tablename__ = "account"
    __table_args__ = (UniqueConstraint("domain_id", "name"),)

    id: Mapped[Id]
    name: Mapped[str] = mapped_column(String(100))
    type: Mapped[int]
    domain_id: Mapped[Ref] = mapped_column(ForeignKey("domain.id"))
    state: Mapped[str] = mapped_column(String(10), default=Standing.ENABLED)
    created: Mapped[Created]


class User(Base):
    """Someone who may sign calls. A ``service`` user may only look credentials up."""

    __tablename__ = "user"
    __table_args__ = (UniqueConstraint("domain_id", "username"),)

    id: Mapped[Id]
    username: Mapped[str] = mapped_column(String(100))
    account_id: Mapped[Ref] = mapped_column(ForeignKey("account.id"))
    domain_id: Mapped[str] = mapped_column(String(36))
    password: Mapped[str]
    firstname: Mapped[str]
    lastname: Mapped[str]
    email: Mapped[str]
    state: Mapped[str] = mapped_column(String(10), default=Standing.ENABLED)
    service: Mapped[bool] = mapped_column(default=False)
    api_key: Mapped[str | None] = mapped_column(String(100), unique=True)
    secret_key: Mapped[str | None] = mapped_column(Secret())
    created: Mapped[Created]
