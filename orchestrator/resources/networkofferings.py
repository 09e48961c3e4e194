"""Kinds of guest networks that can be made: fixed rows, the same in every cloud."""

from dataclasses import dataclass

from sqlalchemy.orm import Session

from orchestrator.resources.scope import Scope


@dataclass(frozen=True)
class NetworkOffering:
    """A kind of guest network. ``services`` are what its router and hosts do for guests."""

    id: str
    name: str
    display_text: str
    services: tuple[str, ...]


_BASE = ("Dhcp", "Dns", "UserData")
OFFERINGS = (
    NetworkOffering(
        "0e000000-0000-8000-8010-70696c657573",
        "DefaultSharedNetworkOfferingWithSGService",
        "Shared network with security groups",
        (*_BASE, "SecurityGroup"),
    ),
    NetworkOffering(
        "0e000000-0000-8000-8020-70696c657573",
        "DefaultSharedNetworkOffering",
        "Shared network",
        _BASE,
    ),
)

_BY_ID = {offering.id: offering for offering in OFFERINGS}
_BY_NAME = {offering.name: offering for offering in OFFERINGS}


def find(_db: Session, _scope: Scope, ident: str) -> NetworkOffering | None:
    """A network offering by id."""
    return _BY_ID.get(ident)


def named(name: str) -> NetworkOffering | None:
    """A network offering by name."""
    return _BY_NAME.get(name)
