"""Domains, accounts, users and their keys."""

import base64
import hashlib
import os
import secrets
from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from orchestrator.faults import Fault, Kind, not_found
from orchestrator.resources.scope import Caller, Found, Scope, Window, fetch, like, owned
from orchestrator.schema.accounts import Account, AccountType, Domain, Standing, User

_KEY_BYTES = 64
_SCRYPT = {"n": 2**14, "r": 8, "p": 1}


@dataclass(frozen=True)
class Owner:
    """The names that owned things show of their owner."""

    account: str
    domain_id: str
    domain: str


@dataclass(frozen=True)
class Identity:
    """A user found by access key, with all that authentication needs."""

    user: User
    account: Account
    domain: Domain

    @property
    def active(self) -> bool:
        """Neither the user nor the account is disabled or locked."""
        return Standing.ENABLED == self.user.state == self.account.state

    def caller(self) -> Caller:
        """Who this is, for authorisation."""
        return Caller(
            user_id=self.user.id,
            account_id=self.account.id,
            account_name=self.account.name,
            domain_id=self.domain.id,
            domain_path=self.domain.path,
            type=self.account.type,
            service=self.user.service,
        )


def identify(db: Session, api_key: str) -> Identity | None:
    """The user with this access key, if there is one."""
    row = db.execute(
        select(User, Account, Domain)
        .join(Account, Account.id == User.account_id)
        .join(Domain, Domain.id == Account.domain_id)
        .where(User.api_key == api_key)
    ).first()
    return None if row is None else Identity(*row)


def owners(db: Session, account_ids: Collection[str]) -> dict[str, Owner]:
    """Names of many owners at once, by account id."""
    rows = db.execute(
        select(Account.id, Account.name, Domain.id, Domain.name)
        .join(Domain, Domain.id == Account.domain_id)
        .where(Account.id.in_(set(account_ids)))
    )
    return {ident: Owner(name, domain_id, domain) for ident, name, domain_id, domain in rows}


def named(db: Session, caller: Caller, name: str, domain_id: str | None) -> Account:
    """The account of this name in a domain (the caller's own by default) the caller may act for.

    Raises:
        Fault: not_found, also for an account the caller has no say over.
    """
    account = db.scalar(
        select(Account).where(
            Account.name == name, Account.domain_id == (domain_id or caller.domain_id)
        )
    )
    if account is None or not _may_act_for(db, caller, account):
        raise not_found("account", name, field="account")
    return account


def _may_act_for(db: Session, caller: Caller, account: Account) -> bool:
    if account.id == caller.account_id or caller.type == AccountType.ROOT_ADMIN:
        return True
    if caller.type != AccountType.DOMAIN_ADMIN:
        return False
    return db.get_one(Domain, account.domain_id).path.startswith(caller.domain_path)


def find_account(db: Session, scope: Scope, ident: str) -> Account | None:
    """An account by id."""
    return db.scalar(owned(select(Account).where(Account.id == ident), Account.id, scope))


def find_domain(db: Session, scope: Scope, ident: str) -> Domain | None:
    """A domain by id, if it lies within the scope."""
    domain = db.get(Domain, ident)
    if domain is None or scope.everything:
        return domain
    if scope.domain_path is not None:
        return domain if domain.path.startswith(scope.domain_path) else None
    account = db.get(Account, scope.account_id or "")
    return domain if account is not None and account.domain_id == ident else None


def find_user(db: Session, scope: Scope, ident: str) -> User | None:
    """A user by id."""
    return db.scalar(owned(select(User).where(User.id == ident), User.account_id, scope))


def page_accounts(
    db: Session,
    scope: Scope,
    window: Window,
    *,
    ident: str | None = None,
    name: str | None = None,
    type: int | None = None,
    state: str | None = None,
    keyword: str | None = None,
) -> Found[Account]:
    """Accounts, by name."""
    statement = owned(select(Account), Account.id, scope).order_by(Account.name, Account.id)
    for column, value in (
        (Account.id, ident),
        (Account.name, name),
        (Account.type, type),
        (Account.state, state),
    ):
        if value is not None:
            statement = statement.where(column == value)
    if keyword:
        statement = statement.where(like(keyword, Account.name))
    return fetch(db, statement, window)


def page_users(
    db: Session,
    scope: Scope,
    window: Window,
    *,
    ident: str | None = None,
    username: str | None = None,
    keyword: str | None = None,
) -> Found[User]:
    """Users, by name; those of the cloud's own services are left out."""
    statement = owned(select(User).where(~User.service), User.account_id, scope)
    if ident is not None:
        statement = statement.where(User.id == ident)
    if username is not None:
        statement = statement.where(User.username == username)
    if keyword:
        statement = statement.where(like(keyword, User.username, User.email))
    return fetch(db, statement.order_by(User.username, User.id), window)


def page_domains(
    db: Session,
    scope: Scope,
    window: Window,
    *,
    ident: str | None = None,
    name: str | None = None,
    keyword: str | None = None,
) -> Found[Domain]:
    """Domains, by path."""
    statement = select(Domain).order_by(Domain.path)
    if not scope.everything and scope.domain_path is not None:
        statement = statement.where(Domain.path.startswith(scope.domain_path, autoescape=True))
    elif not scope.everything:
        mine = select(Account.domain_id).where(Account.id == scope.account_id)
        statement = statement.where(Domain.id.in_(mine))
    if ident is not None:
        statement = statement.where(Domain.id == ident)
    if name is not None:
        statement = statement.where(Domain.name == name)
    if keyword:
        statement = statement.where(like(keyword, Domain.name))
    return fetch(db, statement, window)


def many(db: Session, ids: Collection[str]) -> dict[str, Account]:
    """Many accounts at once, by id."""
    return {row.id: row for row in db.scalars(select(Account).where(Account.id.in_(set(ids))))}


def users_of(db: Session, account_ids: Collection[str]) -> dict[str, list[User]]:
    """The users of many accounts at once, by account id."""
    found: dict[str, list[User]] = {ident: [] for ident in account_ids}
    rows = db.scalars(select(User).where(User.account_id.in_(set(account_ids)), ~User.service))
    for user in rows:
        found[user.account_id].append(user)
    return found


def create_account(db: Session, *, name: str, type: int, domain_id: str) -> Account:
    """Make an account without users."""
    account = Account(name=name, type=type, domain_id=domain_id)
    _add(db, account, "account", name)
    return account


def create_user(
    db: Session,
    account: Account,
    *,
    username: str,
    password: str,
    firstname: str,
    lastname: str,
    email: str,
    service: bool = False,
) -> User:
    """Make a user of an account, without keys."""
    user = User(
        username=username,
        account_id=account.id,
        domain_id=account.domain_id,
        password=hash_password(password),
        firstname=firstname,
        lastname=lastname,
        email=email,
        service=service,
    )
    _add(db, user, "user", username)
    return user


def _add(db: Session, row: Account | User, subject: str, name: str) -> None:
    try:
        with db.begin_nested():
            db.add(row)
    except IntegrityError:
        text = f"There already is a {subject} {name!r} in this domain."
        raise Fault(Kind.EXISTS, subject, text) from None


def register_keys(user: User) -> None:
    """Give a user a new pair of keys; the old pair is worth nothing from the commit on."""
    user.api_key = _new_key()
    user.secret_key = _new_key()


def _new_key() -> str:
    return base64.urlsafe_b64encode(secrets.token_bytes(_KEY_BYTES)).rstrip(b"=").decode()


def hash_password(password: str) -> str:
    """A salted scrypt hash."""
    salt = os.urandom(16)
    digest = hashlib.scrypt(password.encode(), salt=salt, **_SCRYPT)
    return f"scrypt${salt.hex()}${digest.hex()}"
