"""Placement: which host takes an instance. Pure: a snapshot and a request in, a choice out."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Request:
    """What an instance needs: clock cycles in MHz over all cores, memory in bytes."""

    mhz: int
    memory: int


@dataclass(frozen=True)
class Room:
    """What a host may give out, and what it has given out."""

    id: str
    name: str
    mhz: int
    mhz_taken: int
    memory: int
    memory_taken: int

    @property
    def mhz_free(self) -> int:
        """MHz left."""
        return self.mhz - self.mhz_taken

    @property
    def memory_free(self) -> int:
        """Bytes left."""
        return self.memory - self.memory_taken


@dataclass(frozen=True)
class Choice:
    """The chosen host, or for each host why it would not do."""

    host: Room | None
    reasons: tuple[str, ...] = ()


def place(ask: Request, rooms: Sequence[Room]) -> Choice:
    """Choose the host with the largest share of memory left, so that load spreads."""
    fitting = [room for room in rooms if not _lack(ask, room)]
    if fitting:
        best = max(fitting, key=lambda room: (room.memory_free / room.memory, room.id))
        return Choice(best)
    return Choice(None, tuple(f"{room.name}: {_lack(ask, room)}" for room in rooms))


def _lack(ask: Request, room: Room) -> str:
    """What the host lacks, as text; empty when it has everything."""
    lacks = []
    if room.mhz_free < ask.mhz:
        lacks.append(f"{room.mhz_free} of {ask.mhz} MHz free")
    if room.memory_free < ask.memory:
        lacks.append(f"{room.memory_free >> 20} of {ask.memory >> 20} MiB free")
    return ", ".join(lacks)
