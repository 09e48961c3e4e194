"""The operations, one noun a room. A new room is found by being here."""

import pkgutil
from importlib import import_module


def load() -> None:
    """Import every room, so that its operations are in the registry."""
    for room in pkgutil.iter_modules(__path__):
        import_module(f"{__name__}.{room.name}")
