"""The tables. Importing this package registers every one of them with ``Base.metadata``."""

from orchestrator.schema import (
    accounts,
    configuration,
    instances,
    jobs,
    keypairs,
    networks,
    offerings,
    pools,
    securitygroups,
    templates,
    volumes,
    zones,
)
from orchestrator.schema.base import Base

__all__ = [
    "Base",
    "accounts",
    "configuration",
    "instances",
    "jobs",
    "keypairs",
    "networks",
    "offerings",
    "pools",
    "securitygroups",
    "templates",
    "volumes",
    "zones",
]
