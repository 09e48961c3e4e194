"""Service offerings (sizes of machines) and disk offerings."""

from typing import TypeVar

from sqlalchemy import select
from sqlalchemy.orm import Session

from orchestrator.faults import Fault, Kind, invalid
from orchestrator.resources import configuration
from orchestrator.resources.scope import Found, Scope, Window, fetch, like
from orchestrator.schema.offerings import DiskOffering, ServiceOffering

Offering = TypeVar("Offering", ServiceOffering, DiskOffering)

GIB = 1024**3
MIB = 1024**2


def find_service(db: Session, _scope: Scope, ident: str) -> ServiceOffering | None:
    """A service offering that can still be chosen."""
    return _find(db, ServiceOffering, ident)


def find_disk(db: Session, _scope: Scope, ident: str) -> DiskOffering | None:
    """A disk offering that can still be chosen."""
    return _find(db, DiskOffering, ident)


def page_service(
    db: Session,
    window: Window,
    *,
    ident: str | None = None,
    name: str | None = None,
    keyword: str | None = None,
) -> Found[ServiceOffering]:
    """Service offerings, oldest first."""
    return _page(db, ServiceOffering, window, ident, name, keyword)


def page_disk(
    db: Session,
    window: Window,
    *,
    ident: str | None = None,
    name: str | None = None,
    keyword: str | None = None,
) -> Found[DiskOffering]:
    """Disk offerings, oldest first."""
    return _page(db, DiskOffering, window, ident, name, keyword)


def create_service(
    db: Session, *, name: str, display_text: str, cpus: int, mhz: int, memory_mib: int
) -> ServiceOffering:
    """Make a size of machine. Names are unique: EC2 clients choose by name."""
    _refuse_twin(db, ServiceOffering, "serviceoffering", name)
    offering = ServiceOffering(
        name=name, display_text=display_text, cpus=cpus, mhz=mhz, memory=memory_mib * MIB
    )
    db.add(offering)
    db.flush()
    return offering


def create_disk(
    db: Session, *, name: str, display_text: str, size_gib: int | None, custom: bool
) -> DiskOffering:
    """Make a size of disk, or one whose size the user chooses."""
    if custom == (size_gib is not None):
        raise invalid("diskoffering", "Give either disksize, or customized=true.", field="disksize")
    _refuse_twin(db, DiskOffering, "diskoffering", name)
    offering = DiskOffering(
        name=name, display_text=display_text, size=(size_gib or 0) * GIB, custom=custom
    )
    db.add(offering)
    db.flush()
    return offering


def remove(offering: ServiceOffering | DiskOffering) -> None:
    """Withdraw an offering: nobody can choose it any more; what has it keeps it."""
    offering.removed = True


def disk_size(db: Session, offering: DiskOffering, size_gib: int | None) -> int:
    """How large a disk of this offering is, in bytes.

    Raises:
        Fault: invalid, when a size is missing, not wanted or too large.
    """
    if not offering.custom:
        if size_gib is not None:
            text = f"The size of {offering.name} is fixed; leave size out."
            raise invalid("volume", text, field="size")
        return offering.size
    largest = configuration.integer(db, "custom.diskoffering.size.max")
    if size_gib is None or not 1 <= size_gib <= largest:
        text = f"Give a size between 1 and {largest} GiB for {offering.name}."
        raise invalid("volume", text, field="size")
    return size_gib * GIB


def _find(db: Session, model: type[Offering], ident: str) -> Offering | None:
    return db.scalar(select(model).where(model.id == ident, ~model.removed))


def _page(
    db: Session,
    model: type[Offering],
    window: Window,
    ident: str | None,
    name: str | None,
    keyword: str | None,
) -> Found[Offering]:
    statement = select(model).where(~model.removed).order_by(model.created, model.id)
    if ident is not None:
        statement = statement.where(model.id == ident)
    if name is not None:
        statement = statement.where(model.name == name)
    if keyword:
        statement = statement.where(like(keyword, model.name, model.display_text))
    return fetch(db, statement, window)


def _refuse_twin(db: Session, model: type[Offering], subject: str, name: str) -> None:
    if db.scalar(select(model.id).where(model.name == name, ~model.removed)) is not None:
        raise Fault(Kind.EXISTS, subject, f"There already is an offering named {name!r}.")
