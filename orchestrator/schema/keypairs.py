"""SSH key pairs: only the public half is kept."""

from sqlalchemy import ForeignKey, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from orchestrator.schema.base import Base, Created, Id


class KeyPair(Base):
    """A public key under a name. ``fingerprint`` is the MD5 of its DER form, in hex with colons."""

    __tablename__ = "keypair"
    __table_args__ = (UniqueConstraint("account_id", "name"),)

    id: Mapped[Id]
    name: Mapped[str]
    account_id: Mapped[str] = mapped_column(String(36), ForeignKey("account.id"))
    public_key: Mapped[str] = mapped_column(Text)
    fingerprint: Mapped[str] = mapped_column(String(64))
    created: Mapped[Created]
