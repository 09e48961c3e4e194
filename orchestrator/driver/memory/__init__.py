"""Hosts that exist only in memory (or in one folder): the laptop cloud, demos and test worlds."""

from orchestrator.driver.memory.fleet import MemoryFleet, memory_fleet
from orchestrator.driver.memory.snapshot import Snapshot
from orchestrator.driver.memory.world import World

__all__ = ["MemoryFleet", "Snapshot", "World", "memory_fleet"]
