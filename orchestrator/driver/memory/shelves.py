"""What a world is made of: the shelves of its records, one kind of thing each."""

from dataclasses import dataclass

from orchestrator.driver.memory.records import Shelf
from orchestrator.driver.ports import (
    Bridge,
    Group,
    ImageFacts,
    Machine,
    PoolFacts,
    Port,
    Power,
    RouterNetwork,
)


@dataclass(frozen=True)
class Standing:
    """A machine as it is defined on its host now. ``boots`` counts starts and resets."""

    machine: Machine
    power: Power
    boots: int = 1


@dataclass(frozen=True)
class Lock:
    """A running machine's hold on a volume: nobody else can open it."""

    host: str
    machine: str


@dataclass(frozen=True)
class DiskFacts:
    """A disk in a pool: bytes a guest sees, and the image it stands on."""

    size: int
    backing: str | None


# By host.
MACHINES: Shelf[Standing] = Shelf("machine", Standing)
STRANGERS: Shelf[str] = Shelf("stranger", str)
ROUTERS: Shelf[RouterNetwork] = Shelf("router", RouterNetwork)
# One record per host: these are told whole.
BRIDGES: Shelf[tuple[Bridge, ...]] = Shelf("bridges", tuple[Bridge, ...])
PORTS: Shelf[tuple[Port, ...]] = Shelf("ports", tuple[Port, ...])
GROUPS: Shelf[tuple[Group, ...]] = Shelf("groups", tuple[Group, ...])
# The newest generation applied, of the host's document ("") and of each router's (its network).
GENERATIONS: Shelf[int] = Shelf("generation", int)

# By pool id: two hosts that name the same pool share it.
POOLS: Shelf[PoolFacts] = Shelf("pool", PoolFacts)
DISKS: Shelf[DiskFacts] = Shelf("disk", DiskFacts)
IMAGES: Shelf[ImageFacts] = Shelf("image", ImageFacts)
STRAYS: Shelf[str] = Shelf("stray", str)

# By volume id, wherever the machine runs.
LOCKS: Shelf[Lock] = Shelf("lock", Lock)

# The record of a place that has only one.
WHOLE = ""
