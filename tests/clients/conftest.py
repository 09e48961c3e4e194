"""Fixtures: the world that real client programs are aimed at."""

from tests.world.conftest import nothing_leaks, world

__all__ = ["nothing_leaks", "world"]
