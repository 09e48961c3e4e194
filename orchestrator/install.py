"""Installing a cloud: its database, its key, and the first accounts.

Everything here may be run again at any time: it makes what is missing and leaves the rest.
"""

import secrets
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from orchestrator.resources import accounts
from orchestrator.schema import migrate
from orchestrator.schema.accounts import Account, AccountType, Domain, User
from orchestrator.schema.secrets import vault
from orchestrator.schema.session import Sessions
from orchestrator.schema.zones import Region
from orchestrator.settings import Settings

_REGION = "us-east-1"


@dataclass(frozen=True, repr=False)
class Installed:
    """The keys of the first users. ``admin_password`` is known only when it was just made."""

    admin_key: str
    admin_secret: str
    service_key: str
    service_secret: str
    admin_password: str | None


def install(settings: Settings, *, endpoint: str = "http://127.0.0.1:8080/client/api") -> Installed:
    """Create or upgrade the database, and make sure the first accounts are there.

    Args:
        settings: whose home and database.
        endpoint: URL of this region's native API, kept with the region.
    """
    settings.home.mkdir(parents=True, exist_ok=True, mode=0o700)
    vault.open(settings.secrets_file)
    sessions = Sessions(settings.url)
    try:
        migrate.upgrade(sessions.engine)
        return sessions.transact(lambda db: _first_accounts(db, endpoint))
    finally:
        sessions.close()


def _first_accounts(db: Session, endpoint: str) -> Installed:
    root = db.scalar(select(Domain).where(Domain.path == "/"))
    if root is None:
        root = Domain(name="ROOT", path="/", level=0)
        db.add(root)
        db.add(Region(number=1, name=_REGION, endpoint=endpoint))
        db.flush()
    admin, password = _user(db, root, "admin", service=False)
    gateway, _ = _user(db, root, "gateway", service=True)
    return Installed(
        admin_key=admin.api_key or "",
        admin_secret=admin.secret_key or "",
        service_key=gateway.api_key or "",
        service_secret=gateway.secret_key or "",
        admin_password=password,
    )


def _user(db: Session, root: Domain, name: str, *, service: bool) -> tuple[User, str | None]:
    """A first user with keys; and its password, if it was just made."""
    user = db.scalar(select(User).where(User.domain_id == root.id, User.username == name))
    if user is not None:
        return user, None
    kind = AccountType.USER if service else AccountType.ROOT_ADMIN
    account: Account = accounts.create_account(db, name=name, type=kind, domain_id=root.id)
    password = secrets.token_urlsafe(12)
    user = accounts.create_user(
        db,
        account,
        username=name,
        password=password,
        firstname=name.capitalize(),
        lastname="Cloud",
        email=f"{name}@localhost",
        service=service,
    )
    accounts.register_keys(user)
    db.flush()
    return user, password
