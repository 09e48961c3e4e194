"""Machines: starting, stopping, seeing, plugging."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from orchestrator.driver.ports import Disk, Power, Refused, Transient
from orchestrator.ids import new_id
from tests.orchestrator.driver.conformance.ground import Ground, at_once


class Facts:
    """What a host says of itself."""

    def test_a_host_has_processors_and_memory(self, ground: Ground) -> None:
        facts = ground.drivers.hypervisor.facts()
        assert facts.hypervisor in ("kvm", "qemu", "memory")
        assert facts.version
        assert facts.cpus > 0
        assert facts.mhz > 0
        assert facts.memory > 0


class Machines:
    """Starting, stopping and seeing machines."""

    def test_a_machine_started_runs_with_its_volumes(self, ground: Ground) -> None:
        data = ground.data_disk(1)
        with ground.described(data) as machine:
            ground.drivers.hypervisor.ensure_running(machine)
            seen = ground.drivers.hypervisor.observe()[machine.id]
            assert seen.power is Power.RUNNING
            assert seen.volumes == {disk.volume for disk in machine.disks}

    def test_starting_twice_is_starting_once(self, ground: Ground) -> None:
        with ground.described() as machine:
            ground.drivers.hypervisor.ensure_running(machine)
            before = ground.drivers.hypervisor.observe()
            ground.drivers.hypervisor.ensure_running(machine)
            assert ground.drivers.hypervisor.observe() == before

    def test_two_callers_at_once_start_one_machine(self, ground: Ground) -> None:
        with ground.described() as machine:
            one, other = ground.both
            before = frozenset(one.hypervisor.observe())
            at_once(
                lambda: one.hypervisor.ensure_running(machine),
                lambda: other.hypervisor.ensure_running(machine),
            )
            seen = one.hypervisor.observe()
            assert frozenset(seen) == before | {machine.id}
            assert seen[machine.id].power is Power.RUNNING

    def test_a_stopped_machine_is_gone_and_its_disks_stay(self, ground: Ground) -> None:
        with ground.running() as machine:
            ground.drivers.hypervisor.ensure_stopped(machine.id, 0)
            assert machine.id not in ground.drivers.hypervisor.observe()
            disks = ground.drivers.storage.observe(ground.pool).disks
            assert {disk.volume for disk in machine.disks} <= disks

    def test_a_guest_that_listens_powers_off_when_asked(self, ground: Ground) -> None:
        with ground.running() as machine:
            ground.drivers.hypervisor.ensure_stopped(machine.id, ground.patience)
            assert machine.id not in ground.drivers.hypervisor.observe()

    def test_stopping_twice_is_stopping_once(self, ground: Ground) -> None:
        with ground.described() as machine:
            ground.drivers.hypervisor.ensure_running(machine)
            ground.drivers.hypervisor.ensure_stopped(machine.id, 0)
            ground.drivers.hypervisor.ensure_stopped(machine.id, 0)
            assert machine.id not in ground.drivers.hypervisor.observe()

    def test_two_callers_at_once_stop_one_machine(self, ground: Ground) -> None:
        with ground.described() as machine:
            one, other = ground.both
            one.hypervisor.ensure_running(machine)
            at_once(
                lambda: one.hypervisor.ensure_stopped(machine.id, 0),
                lambda: other.hypervisor.ensure_stopped(machine.id, 0),
            )
            assert machine.id not in one.hypervisor.observe()

    def test_a_stopped_machine_starts_again_with_its_disks(self, ground: Ground) -> None:
        with ground.described() as machine:
            ground.drivers.hypervisor.ensure_running(machine)
            ground.drivers.hypervisor.ensure_stopped(machine.id, 0)
            ground.drivers.hypervisor.ensure_running(machine)
            assert ground.volumes(machine) == {disk.volume for disk in machine.disks}

    def test_a_rebooted_machine_still_runs(self, ground: Ground) -> None:
        with ground.running() as machine:
            before = ground.drivers.hypervisor.observe()
            ground.drivers.hypervisor.ensure_rebooted(machine.id)
            ground.drivers.hypervisor.ensure_rebooted(machine.id)
            assert ground.drivers.hypervisor.observe() == before

    def test_stopping_rebooting_or_unplugging_a_machine_that_is_not_there_does_nothing(
        self, ground: Ground
    ) -> None:
        before = ground.drivers.hypervisor.observe()
        ground.drivers.hypervisor.ensure_stopped(new_id(), 0)
        ground.drivers.hypervisor.ensure_rebooted(new_id())
        ground.drivers.hypervisor.ensure_detached(new_id(), new_id())
        assert ground.drivers.hypervisor.observe() == before

    def test_a_machine_without_its_disk_does_not_start(self, ground: Ground) -> None:
        with ground.described() as machine:
            missing = replace(machine, disks=(Disk(new_id(), ground.pool, 0),))
            with pytest.raises((Refused, Transient)):
                ground.drivers.hypervisor.ensure_running(missing)
            seen = ground.drivers.hypervisor.observe().get(machine.id)
            assert seen is None or seen.power is Power.STOPPED

    def test_a_machine_without_its_bridge_does_not_start(self, ground: Ground) -> None:
        with ground.described() as machine:
            ground.tell_nothing()
            with pytest.raises((Refused, Transient)):
                ground.drivers.hypervisor.ensure_running(machine)
            seen = ground.drivers.hypervisor.observe().get(machine.id)
            assert seen is None or seen.power is Power.STOPPED

    def test_a_failed_start_can_be_cleared_away_and_tried_again(self, ground: Ground) -> None:
        with ground.described() as machine:
            broken = replace(machine, disks=(Disk(new_id(), ground.pool, 0),))
            with pytest.raises((Refused, Transient)):
                ground.drivers.hypervisor.ensure_running(broken)
            ground.drivers.hypervisor.ensure_stopped(machine.id, 0)
            assert machine.id not in ground.drivers.hypervisor.observe()
            ground.drivers.hypervisor.ensure_running(machine)
            assert ground.volumes(machine) == {disk.volume for disk in machine.disks}


class Hotplug:
    """Plugging volumes into running machines. Every test leaves the machine as it found it."""

    def test_a_disk_is_plugged_in_and_out(self, ground: Ground) -> None:
        disk = ground.data_disk(1)
        with ground.running() as machine:
            root = ground.volumes(machine)
            ground.drivers.hypervisor.ensure_attached(machine.id, disk)
            assert ground.volumes(machine) == root | {disk.volume}
            ground.drivers.hypervisor.ensure_detached(machine.id, disk.volume)
            assert ground.volumes(machine) == root
        ground.drivers.storage.ensure_disk_absent(ground.pool, disk.volume)

    def test_plugging_twice_is_plugging_once_either_way(self, ground: Ground) -> None:
        disk = ground.data_disk(1)
        with ground.running() as machine:
            root = ground.volumes(machine)
            ground.drivers.hypervisor.ensure_attached(machine.id, disk)
            ground.drivers.hypervisor.ensure_attached(machine.id, disk)
            assert ground.volumes(machine) == root | {disk.volume}
            ground.drivers.hypervisor.ensure_detached(machine.id, disk.volume)
            ground.drivers.hypervisor.ensure_detached(machine.id, disk.volume)
            assert ground.volumes(machine) == root
        ground.drivers.storage.ensure_disk_absent(ground.pool, disk.volume)

    def test_two_callers_at_once_plug_one_disk(self, ground: Ground) -> None:
        disk = ground.data_disk(1)
        one, other = ground.both
        with ground.running() as machine:
            root = ground.volumes(machine)
            at_once(
                lambda: one.hypervisor.ensure_attached(machine.id, disk),
                lambda: other.hypervisor.ensure_attached(machine.id, disk),
            )
            assert ground.volumes(machine) == root | {disk.volume}
            at_once(
                lambda: one.hypervisor.ensure_detached(machine.id, disk.volume),
                lambda: other.hypervisor.ensure_detached(machine.id, disk.volume),
            )
            assert ground.volumes(machine) == root
        ground.drivers.storage.ensure_disk_absent(ground.pool, disk.volume)

    def test_a_disk_taken_out_fits_into_another_slot(self, ground: Ground) -> None:
        disk = ground.data_disk(1)
        with ground.running() as machine:
            ground.drivers.hypervisor.ensure_attached(machine.id, disk)
            ground.drivers.hypervisor.ensure_detached(machine.id, disk.volume)
            ground.drivers.hypervisor.ensure_attached(machine.id, replace(disk, slot=3))
            assert disk.volume in ground.volumes(machine)
            ground.drivers.hypervisor.ensure_detached(machine.id, disk.volume)
        ground.drivers.storage.ensure_disk_absent(ground.pool, disk.volume)

    def test_a_taken_slot_and_a_second_slot_are_refused(self, ground: Ground) -> None:
        disk, other = ground.data_disk(1), ground.data_disk(1)
        hypervisor = ground.drivers.hypervisor
        with ground.running() as machine:
            hypervisor.ensure_attached(machine.id, disk)
            before = ground.volumes(machine)
            with pytest.raises(Refused):
                hypervisor.ensure_attached(machine.id, other)
            with pytest.raises(Refused):
                hypervisor.ensure_attached(machine.id, replace(disk, slot=2))
            assert ground.volumes(machine) == before
            hypervisor.ensure_detached(machine.id, disk.volume)
        for each in (disk, other):
            ground.drivers.storage.ensure_disk_absent(ground.pool, each.volume)

    def test_a_disk_is_not_plugged_into_a_machine_that_is_not_there(self, ground: Ground) -> None:
        disk = ground.data_disk(1)
        with pytest.raises((Refused, Transient)):
            ground.drivers.hypervisor.ensure_attached(new_id(), disk)
        ground.drivers.storage.ensure_disk_absent(ground.pool, disk.volume)


class Company:
    """For hosts that can be given a stranger's machine, by calling the fixture ``stranger``."""

    def test_a_strangers_machine_is_left_out(
        self, ground: Ground, stranger: Callable[[], None]
    ) -> None:
        before = ground.drivers.hypervisor.observe()
        stranger()
        assert ground.drivers.hypervisor.observe() == before
