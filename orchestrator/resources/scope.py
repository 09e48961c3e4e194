"""Whose things a caller may see, and which page of them.

Every query for owned things goes through :func:`owned`; a stranger's object is simply not in the
result, so that it cannot be told from one that does not exist.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from sqlalchemy import ColumnElement, Select, func, or_, select
from sqlalchemy.orm import Session

from orchestrator.schema.accounts import Account, Domain

T = TypeVar("T")


@dataclass(frozen=True)
class Caller:
    """Who asks: one user, acting for an account of a domain.

    ``type`` is the account's type (0 user, 1 root admin, 2 domain admin); ``service`` marks the
    user who may only look credentials up.
    """

    user_id: str
    account_id: str
    account_name: str
    domain_id: str
    domain_path: str
    type: int
    service: bool = False


@dataclass(frozen=True)
class Scope:
    """The accounts whose things are meant.

    Exactly one form: one ``account_id``; all accounts of a domain (``domain_id``); the whole tree
    under ``domain_path``; or ``everything``.
    """

    account_id: str | None = None
    domain_id: str | None = None
    domain_path: str | None = None
    everything: bool = False


def reach(caller: Caller) -> Scope:
    """Everything the caller could ever touch: what an id is looked up in."""
    if caller.type == 1:
        return Scope(everything=True)
    if caller.type == 2:
        return Scope(domain_path=caller.domain_path)
    return Scope(account_id=caller.account_id)


def owned(statement: Select[T], account_column: Any, scope: Scope) -> Select[T]:
    """Narrow a statement to rows whose owner lies in the scope."""
    if scope.everything:
        return statement
    if scope.account_id is not None:
        return statement.where(account_column == scope.account_id)
    accounts = select(Account.id)
    if scope.domain_id is not None:
        accounts = accounts.where(Account.domain_id == scope.domain_id)
    else:
        accounts = accounts.join(Domain, Domain.id == Account.domain_id).where(
            Domain.path.startswith(scope.domain_path or "/", autoescape=True)
        )
    return statement.where(account_column.in_(accounts))


@dataclass(frozen=True)
class Window:
    """Which rows of a long list are wanted. ``limit`` None: all."""

    offset: int = 0
    limit: int | None = 500


@dataclass(frozen=True)
class Found(Generic[T]):
    """Rows of one window, and how many there are in all."""

    rows: Sequence[T]
    total: int


def fetch(db: Session, statement: Select[T], window: Window) -> Found[T]:
    """Run an ordered statement for one window, and count."""
    rows = db.scalars(statement.offset(window.offset).limit(window.limit)).all()
    if window.offset == 0 and (window.limit is None or len(rows) < window.limit):
        return Found(rows, len(rows))
    counted = select(func.count()).select_from(statement.order_by(None).subquery())
    return Found(rows, db.scalar(counted) or 0)


def like(keyword: str, *columns: Any) -> ColumnElement[bool]:
    """True where one of the columns contains the keyword, whatever the case."""
    return or_(*(column.icontains(keyword, autoescape=True) for column in columns))
