"""One host to stand on: what the suite is given, and how it uses it."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from ipaddress import IPv4Network
from itertools import count
from typing import TypeVar

from orchestrator.driver.ports import (
    Bridge,
    Disk,
    Drivers,
    Group,
    HostNetwork,
    Image,
    Machine,
    Nic,
    Pool,
    Port,
)
from orchestrator.ids import new_id, short

T = TypeVar("T")

MIB = 1024**2


def nothing_to_wait_for(machine: Machine) -> None:
    """Simulated guests are up at once."""


@dataclass
class Ground:
    """One host to stand on, and what the suite may use there."""

    drivers: Drivers
    pool: Pool
    store: Pool
    # An image that can be fetched, and the sites it needs.
    image: Image
    sites: tuple[IPv4Network, ...] = ()
    # Another way to the same host (a second connection or process), for concurrent twins.
    twin: Drivers | None = None
    # Bytes of a guest's memory, and of its root disk (no smaller than the image).
    memory: int = 128 * MIB
    root_size: int = 1024 * MIB
    disk_size: int = 64 * MIB
    # Returns when a guest can be asked to let a disk go or to power off.
    wait_for_guest: Callable[[Machine], None] = nothing_to_wait_for
    # Seconds a guest may take to power off.
    patience: float = 0
    # Document generations: a host that was used before needs a later start.
    generations: Iterator[int] = field(default_factory=lambda: count(1))
    # The guest network: names on this host.
    bridge: Bridge = field(default_factory=lambda: Bridge(new_id(), "pileus-t1", 1))
    cidr: IPv4Network = field(default_factory=lambda: IPv4Network("10.77.0.0/24"))

    @property
    def both(self) -> tuple[Drivers, Drivers]:
        """Two ways to the host."""
        return self.drivers, self.twin or self.drivers

    def fetch_image(self) -> None:
        """Have the image in the store and in the pool."""
        self.drivers.storage.ensure_image(self.store, self.image, self.sites)
        self.drivers.storage.ensure_backing(self.pool, self.store, self.image.id)

    def tell(self, *ports: Port, groups: tuple[Group, ...] = ()) -> HostNetwork:
        """Tell the host its network, a generation later than before."""
        told = HostNetwork(next(self.generations), (self.bridge,), ports, groups)
        self.drivers.network.ensure_host(told)
        return told

    def tell_nothing(self) -> None:
        """Leave no network of ours on the host."""
        self.drivers.network.ensure_host(HostNetwork(next(self.generations), (), (), ()))

    def root_disk(self) -> Disk:
        """A new root disk on the image."""
        self.fetch_image()
        disk = Disk(new_id(), self.pool, 0)
        self.drivers.storage.ensure_disk(self.pool, disk.volume, self.root_size, self.image.id)
        return disk

    def data_disk(self, slot: int) -> Disk:
        """A new empty disk."""
        disk = Disk(new_id(), self.pool, slot)
        self.drivers.storage.ensure_disk(self.pool, disk.volume, self.disk_size, None)
        return disk

    def port(self, host_number: int = 10) -> Port:
        """A guest's port with that address in the guest network."""
        nic = new_id()
        return Port(
            nic=nic,
            device=f"pt{short(nic)[:8]}",
            network=self.bridge.network,
            mac=f"02:00:4d:00:00:{host_number:02x}",
            ip=self.cidr[host_number],
            groups=(),
        )

    @contextmanager
    def described(self, *more: Disk) -> Iterator[Machine]:
        """A machine that can be started: disks and network are there. Cleared away afterwards."""
        port = self.port()
        disks = (self.root_disk(), *more)
        self.tell(port)
        machine_id = new_id()
        machine = Machine(
            id=machine_id,
            name=f"conformance-{short(machine_id)[:6]}",
            cpus=1,
            memory=self.memory,
            disks=disks,
            nics=(Nic(port.nic, port.device, self.bridge.device, port.mac),),
        )
        try:
            yield machine
        finally:
            self.drivers.hypervisor.ensure_stopped(machine.id, 0)
            for disk in disks:
                self.drivers.storage.ensure_disk_absent(self.pool, disk.volume)
            self.tell_nothing()

    @contextmanager
    def running(self, *more: Disk) -> Iterator[Machine]:
        """A running machine whose guest listens."""
        with self.described(*more) as machine:
            self.drivers.hypervisor.ensure_running(machine)
            self.wait_for_guest(machine)
            yield machine

    def volumes(self, machine: Machine) -> frozenset[str]:
        """What the hypervisor says is plugged in."""
        return self.drivers.hypervisor.observe()[machine.id].volumes


def at_once(*calls: Callable[[], T]) -> list[T]:
    """The calls' results, each made in a thread of its own."""
    with ThreadPoolExecutor(len(calls)) as pool:
        return [each.result() for each in [pool.submit(call) for call in calls]]
