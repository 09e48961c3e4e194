"""Guest operating systems that a template can name: fixed rows, the same in every cloud."""

from dataclasses import dataclass

from sqlalchemy.orm import Session

from orchestrator.resources.scope import Scope


@dataclass(frozen=True)
class OsCategory:
    """A family of operating systems."""

    id: str
    name: str


@dataclass(frozen=True)
class OsType:
    """An operating system."""

    id: str
    category_id: str
    description: str


def _id(number: int) -> str:
    """A fixed id of the cloud's own form."""
    return f"05000000-0000-8000-8{number:02x}0-70696c657573"


CATEGORIES = tuple(
    OsCategory(_id(number), name)
    for number, name in enumerate(
        ("CentOS", "Debian", "RedHat", "Ubuntu", "Windows", "Other"), start=1
    )
)
TYPES = tuple(
    OsType(_id(number), next(x.id for x in CATEGORIES if x.name == category), description)
    for number, (category, description) in enumerate(
        (
            ("CentOS", "CentOS Stream 9 (64-bit)"),
            ("Debian", "Debian GNU/Linux 11 (64-bit)"),
            ("Debian", "Debian GNU/Linux 12 (64-bit)"),
            ("RedHat", "Red Hat Enterprise Linux 9 (64-bit)"),
            ("Ubuntu", "Ubuntu 22.04 LTS (64-bit)"),
            ("Ubuntu", "Ubuntu 24.04 LTS (64-bit)"),
            ("Windows", "Windows Server 2022 (64-bit)"),
            ("Other", "Other (64-bit)"),
            ("Other", "Other Linux (64-bit)"),
        ),
        start=16,
    )
)

_CATEGORIES = {category.id: category for category in CATEGORIES}
_TYPES = {kind.id: kind for kind in TYPES}


def find(_db: Session, _scope: Scope, ident: str) -> OsType | None:
    """An operating system by id."""
    return _TYPES.get(ident)


def find_category(_db: Session, _scope: Scope, ident: str) -> OsCategory | None:
    """A family of operating systems by id."""
    return _CATEGORIES.get(ident)


def described(ident: str) -> str | None:
    """What an operating system is called."""
    kind = _TYPES.get(ident)
    return kind.description if kind else None
