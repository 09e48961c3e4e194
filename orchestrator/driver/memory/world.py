"""A world of simulated hosts: all they hold, and the hands that disturb it.

A world without a folder lives and dies with its process. A world with a folder outlives it, as
guests outlive the cloud that started them: another World on the same folder finds every host as
the last finished verb left it.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from ipaddress import IPv4Network
from pathlib import Path
from typing import TypeVar

from orchestrator.driver.memory import shelves
from orchestrator.driver.memory.records import Records, Rows
from orchestrator.driver.memory.snapshot import Snapshot, snapshot
from orchestrator.driver.memory.troubles import Troubles, known, means
from orchestrator.driver.ports import Image, ImageFacts, PoolFacts, Power

T = TypeVar("T")

MIB = 1024**2
TIB = 1024**4

# What an image is when nobody asked to fetch it: bytes.
NOMINAL_IMAGE = ImageFacts(virtual_size=64 * MIB, physical_size=16 * MIB)

Fetch = Callable[[Image, tuple[IPv4Network, ...]], ImageFacts]


def nominal_fetch(image: Image, allowed_sites: tuple[IPv4Network, ...]) -> ImageFacts:
    """Pretend: no request leaves the process."""
    return NOMINAL_IMAGE


class World:
    """Everything of all simulated hosts.

    :param folder: where to keep it; None keeps it in this process only.
    :param latency: seconds a verb takes, by its name (``ensure_running``, ``network.observe``).
    :param pool_capacity: bytes of a pool nobody resized. Disks count whole, as if fully written.
    :param fetch: how images are fetched; raises Refused or Transient as a driver does.
    """

    def __init__(
        self,
        folder: Path | None = None,
        *,
        latency: Mapping[str, float] | None = None,
        pool_capacity: int = 64 * TIB,
        fetch: Fetch = nominal_fetch,
    ) -> None:
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)
        self.records = Records(folder)
        self.troubles = Troubles()
        self.latency = {known(verb): seconds for verb, seconds in (latency or {}).items()}
        self.pool_capacity = pool_capacity
        self.fetch = fetch

    def close(self) -> None:
        """Let go of the folder. A world without one is gone."""
        self.records.close()

    def snapshot(self) -> Snapshot:
        """Everything there is, as a value to compare."""
        with self.records.look() as rows:
            return snapshot(rows)

    # -- what drivers use --------------------------------------------------------------------

    @contextmanager
    def verb(self, host: str, verb: str) -> Iterator[None]:
        """One call of a verb (its full name) on a host, with its latency and its troubles."""
        self.troubles.before(host, verb)
        seconds = sum(each for asked, each in self.latency.items() if means(asked, verb))
        if seconds:
            time.sleep(seconds)
        yield
        self.troubles.after(host, verb)

    @contextmanager
    def change(self, host: str, verb: str) -> Iterator[Rows]:
        """A verb that is one transaction."""
        with self.verb(host, verb), self.records.change() as rows:
            yield rows

    def observed(self, host: str, verb: str, look: Callable[[Rows], T]) -> T:
        """What ``look`` finds, or the lie ordered for it."""
        with self.verb(host, verb), self.records.look() as rows:
            truth = look(rows)
        return self.troubles.told(host, verb, truth)

    def pool(self, rows: Rows, pool: str) -> PoolFacts:
        """A pool's capacity and use, in bytes."""
        return rows.get(shelves.POOLS, pool, shelves.WHOLE) or PoolFacts(self.pool_capacity, 0)

    # -- the hand of fate --------------------------------------------------------------------

    def resize_pool(self, pool: str, capacity: int) -> None:
        """Give a pool this many bytes, even fewer than are used."""
        with self.records.change() as rows:
            facts = PoolFacts(capacity, self.pool(rows, pool).used)
            rows.put(shelves.POOLS, pool, shelves.WHOLE, facts)

    def power_off(self, host: str, machine: str) -> None:
        """The guest powers itself off; the host keeps its definition."""
        with self.records.change() as rows:
            standing = rows.get(shelves.MACHINES, host, machine)
            if standing is None:
                raise KeyError(machine)
            self._drop_power(rows, host, standing)

    def reboot_host(self, host: str) -> None:
        """The host loses power and comes back: guests are off, networks gone, disks as before."""
        with self.records.change() as rows:
            for standing in rows.at(shelves.MACHINES, host).values():
                self._drop_power(rows, host, standing)
            self._drop_networks(rows, host)
            rows.clear(shelves.GENERATIONS, host)

    def lose_networks(self, host: str) -> None:
        """Somebody removes all bridges, ports and routers; the host remembers what it was told."""
        with self.records.change() as rows:
            self._drop_networks(rows, host)

    def lose_machine(self, host: str, machine: str) -> None:
        """Somebody undefines a machine behind the cloud's back."""
        self.power_off(host, machine)
        with self.records.change() as rows:
            rows.drop(shelves.MACHINES, host, machine)

    def boots(self, host: str, machine: str) -> int:
        """How often the machine started or was reset since it was defined; 0 when it is not."""
        with self.records.look() as rows:
            standing = rows.get(shelves.MACHINES, host, machine)
            return 0 if standing is None else standing.boots

    def add_stranger(self, host: str, name: str) -> None:
        """Somebody else's machine appears on the host."""
        with self.records.change() as rows:
            rows.put(shelves.STRANGERS, host, name, name)

    def add_stray(self, pool: str, name: str) -> None:
        """A file that is nobody's appears in a pool."""
        with self.records.change() as rows:
            rows.put(shelves.STRAYS, pool, name, name)

    @staticmethod
    def _drop_networks(rows: Rows, host: str) -> None:
        for shelf in (shelves.BRIDGES, shelves.PORTS, shelves.GROUPS, shelves.ROUTERS):
            rows.clear(shelf, host)

    @staticmethod
    def _drop_power(rows: Rows, host: str, standing: shelves.Standing) -> None:
        if standing.power is Power.STOPPED:
            return
        off = shelves.Standing(standing.machine, Power.STOPPED, standing.boots)
        rows.put(shelves.MACHINES, host, standing.machine.id, off)
        for disk in standing.machine.disks:
            rows.drop(shelves.LOCKS, disk.volume, shelves.WHOLE)
