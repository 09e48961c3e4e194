"""Simulated machines: the Hypervisor port over a world.

As strict as a real host: a machine starts only when its disks and bridges are there, and a volume
is open in one running machine at a time, wherever that runs.
"""

from collections.abc import Mapping
from dataclasses import replace

from orchestrator.driver.memory import shelves
from orchestrator.driver.memory.records import Rows
from orchestrator.driver.memory.shelves import Lock, Standing
from orchestrator.driver.memory.world import World
from orchestrator.driver.ports import (
    Disk,
    HostFacts,
    Machine,
    MachineFacts,
    NoSpace,
    Power,
    Refused,
    Transient,
)


class MemoryHypervisor:
    """Runs machines that are records."""

    def __init__(self, world: World, host: str, facts: HostFacts) -> None:
        self._world = world
        self._host = host
        self._facts = facts

    def facts(self) -> HostFacts:
        """What the host was said to have."""
        return self._world.observed(self._host, "hypervisor.facts", lambda rows: self._facts)

    def observe(self) -> Mapping[str, MachineFacts]:
        """Every machine on this host but strangers."""
        return self._world.observed(self._host, "hypervisor.observe", self._standing_machines)

    def ensure_running(self, machine: Machine) -> None:
        """Start the machine as described. NoSpace when it has more memory than the host."""
        with self._world.change(self._host, "hypervisor.ensure_running") as rows:
            before = rows.get(shelves.MACHINES, self._host, machine.id)
            if before is not None and before.power is Power.RUNNING:
                return
            self._check_room(machine)
            self._check_bridges(rows, machine)
            for disk in machine.disks:
                self._open(rows, machine.id, disk)
            boots = 1 if before is None else before.boots + 1
            self._put(rows, Standing(machine, Power.RUNNING, boots))

    def ensure_stopped(self, machine_id: str, patience: float) -> None:
        """Undefine the machine. Simulated guests power off at once, whatever the patience."""
        with self._world.change(self._host, "hypervisor.ensure_stopped") as rows:
            before = rows.get(shelves.MACHINES, self._host, machine_id)
            if before is None:
                return
            if before.power is Power.RUNNING:
                for disk in before.machine.disks:
                    rows.drop(shelves.LOCKS, disk.volume, shelves.WHOLE)
            rows.drop(shelves.MACHINES, self._host, machine_id)

    def ensure_rebooted(self, machine_id: str) -> None:
        """Count one more boot of a running machine."""
        with self._world.change(self._host, "hypervisor.ensure_rebooted") as rows:
            before = rows.get(shelves.MACHINES, self._host, machine_id)
            if before is not None and before.power is Power.RUNNING:
                self._put(rows, replace(before, boots=before.boots + 1))

    def ensure_attached(self, machine_id: str, disk: Disk) -> None:
        """Plug the disk in. Refused when the machine does not run or the slot is taken."""
        with self._world.change(self._host, "hypervisor.ensure_attached") as rows:
            before = rows.get(shelves.MACHINES, self._host, machine_id)
            if before is None or before.power is not Power.RUNNING:
                raise Refused(f"machine {machine_id} is not running")
            if disk in before.machine.disks:
                return
            if any(disk.slot == each.slot for each in before.machine.disks):
                raise Refused(f"slot {disk.slot} of machine {machine_id} is taken")
            if any(disk.volume == each.volume for each in before.machine.disks):
                raise Refused(f"volume {disk.volume} is in another slot")
            self._open(rows, machine_id, disk)
            self._plug(rows, before, (*before.machine.disks, disk))

    def ensure_detached(self, machine_id: str, volume_id: str) -> None:
        """Unplug the volume; simulated guests let go at once."""
        with self._world.change(self._host, "hypervisor.ensure_detached") as rows:
            before = rows.get(shelves.MACHINES, self._host, machine_id)
            if before is None:
                return
            kept = tuple(disk for disk in before.machine.disks if disk.volume != volume_id)
            if kept == before.machine.disks:
                return
            if before.power is Power.RUNNING:
                rows.drop(shelves.LOCKS, volume_id, shelves.WHOLE)
            self._plug(rows, before, kept)

    def _standing_machines(self, rows: Rows) -> dict[str, MachineFacts]:
        return {
            each: MachineFacts(
                standing.power, frozenset(disk.volume for disk in standing.machine.disks)
            )
            for each, standing in rows.at(shelves.MACHINES, self._host).items()
        }

    def _check_room(self, machine: Machine) -> None:
        if machine.memory > self._facts.memory:
            raise NoSpace(f"host {self._host} has {self._facts.memory} bytes of memory")

    def _check_bridges(self, rows: Rows, machine: Machine) -> None:
        standing = rows.get(shelves.BRIDGES, self._host, shelves.WHOLE) or ()
        for nic in machine.nics:
            if all(nic.bridge != bridge.device for bridge in standing):
                raise Transient(f"host {self._host} has no bridge {nic.bridge}")

    def _open(self, rows: Rows, machine_id: str, disk: Disk) -> None:
        if rows.get(shelves.DISKS, disk.pool.id, disk.volume) is None:
            raise Refused(f"pool {disk.pool.id} has no disk {disk.volume}")
        mine = Lock(self._host, machine_id)
        holder = rows.get(shelves.LOCKS, disk.volume, shelves.WHOLE)
        if holder not in (None, mine):
            raise Refused(f"volume {disk.volume} is open in a machine on host {holder.host}")
        rows.put(shelves.LOCKS, disk.volume, shelves.WHOLE, mine)

    def _plug(self, rows: Rows, before: Standing, disks: tuple[Disk, ...]) -> None:
        self._put(rows, replace(before, machine=replace(before.machine, disks=disks)))

    def _put(self, rows: Rows, standing: Standing) -> None:
        rows.put(shelves.MACHINES, self._host, standing.machine.id, standing)
