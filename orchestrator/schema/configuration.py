"""Global configuration parameters that were changed from their defaults."""

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from orchestrator.schema.base import Base


class Configuration(Base):
    """One parameter's value; a parameter without a row has its declared default."""

    __tablename__ = "configuration"

    name: Mapped[str] = mapped_column(String(100), primary_key=True)
    value: Mapped[str] = mapped_column(String(4095))
