"""Images that machines start from."""

from enum import StrEnum

from sqlalchemy import BigInteger, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from orchestrator.schema.base import Base, Created, Id, Ref


class TemplateState(StrEnum):
    """Where a template is in its life."""

    FETCHING = "Fetching"
    READY = "Ready"
    FAILED = "Failed"
    DELETING = "Deleting"
    DELETED = "Deleted"


class Template(Base):
    """A disk image of a zone. ``size`` is what a guest sees, ``physical_size`` the file; bytes."""

    __tablename__ = "template"

    id: Mapped[Id]
    name: Mapped[str]
    display_text: Mapped[str] = mapped_column(String(4096))
    account_id: Mapped[Ref] = mapped_column(ForeignKey("account.id"))
    zone_id: Mapped[Ref] = mapped_column(ForeignKey("zone.id"))
    store_id: Mapped[Ref] = mapped_column(ForeignKey("storage_pool.id"))
    url: Mapped[str] = mapped_column(String(4096))
    format: Mapped[str] = mapped_column(String(10))
    checksum: Mapped[str] = mapped_column(String(128), default="")
    os_type: Mapped[str]
    public: Mapped[bool] = mapped_column(default=False)
    featured: Mapped[bool] = mapped_column(default=False)
    extractable: Mapped[bool] = mapped_column(default=False)
    state: Mapped[str] = mapped_column(String(20), default=TemplateState.FETCHING)
    status: Mapped[str] = mapped_column(String(1024), default="")
    size: Mapped[int] = mapped_column(BigInteger, default=0)
    physical_size: Mapped[int] = mapped_column(BigInteger, default=0)
    created: Mapped[Created]
