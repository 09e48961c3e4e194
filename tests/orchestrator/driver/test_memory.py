from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from orchestrator.driver.memory import World, memory_fleet
from orchestrator.driver.ports import Disk, Image, Pool, Power, Refused
from orchestrator.ids import new_id
from tests.orchestrator.driver import conformance
from tests.orchestrator.driver.conformance import Ground

HOST = "host-1"


@pytest.fixture(params=["in memory", "in a folder", "in a folder, two processes' connections"])
def worlds(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[World, World]]:
    """A world, and another view of the same."""
    first = World(None if request.param == "in memory" else tmp_path / "world")
    second = World(tmp_path / "world") if "two" in request.param else first
    yield first, second
    first.close()
    second.close()


@pytest.fixture
def ground(worlds: tuple[World, World]) -> Ground:
    first, second = worlds
    return Ground(
        drivers=memory_fleet(first).host(HOST),
        twin=memory_fleet(second).host(HOST),
        pool=Pool(new_id(), "/var/lib/pileus/pool"),
        store=Pool(new_id(), "/var/lib/pileus/store"),
        image=Image(new_id(), "https://images.example.com/small.qcow2", "qcow2"),
    )


@pytest.fixture
def stranger(worlds: tuple[World, World]) -> Callable[[], None]:
    return lambda: worlds[0].add_stranger(HOST, "somebody-elses")


class TestFacts(conformance.Facts):
    pass


class TestMachines(conformance.Machines):
    pass


class TestHotplug(conformance.Hotplug):
    pass


class TestCompany(conformance.Company):
    pass


class TestDisks(conformance.Disks):
    pass


class TestImages(conformance.Images):
    pass


class TestCrowding(conformance.Crowding):
    pass


class TestNetworks(conformance.Networks):
    pass


class TestRouters(conformance.Routers):
    pass


class TestStrictness:
    """What real hosts leave to luck and the simulated ones do not."""

    def test_a_volume_is_open_in_one_machine_on_one_host(
        self, ground: Ground, worlds: tuple[World, World]
    ) -> None:
        elsewhere = replace(ground, drivers=memory_fleet(worlds[0]).host("host-2"), twin=None)
        data = ground.data_disk(1)
        taken = pytest.raises(Refused, match="open in a machine on host host-1")
        with ground.running(data), elsewhere.running() as other, taken:
            elsewhere.drivers.hypervisor.ensure_attached(other.id, data)

    def test_a_disk_in_use_is_not_deleted(self, ground: Ground) -> None:
        with ground.running() as machine, pytest.raises(Refused, match="open in machine"):
            ground.drivers.storage.ensure_disk_absent(ground.pool, machine.disks[0].volume)

    def test_an_image_with_disks_on_it_is_not_deleted(self, ground: Ground) -> None:
        ground.root_disk()
        with pytest.raises(Refused, match="disks stand on"):
            ground.drivers.storage.ensure_image_absent(ground.pool, ground.image.id)

    def test_a_disk_of_another_size_is_refused(self, ground: Ground) -> None:
        data = ground.data_disk(1)
        with pytest.raises(Refused, match="another disk"):
            ground.drivers.storage.ensure_disk(ground.pool, data.volume, 1, None)

    def test_a_guest_that_is_off_lets_go_of_its_disks_and_keeps_its_place(
        self, ground: Ground, worlds: tuple[World, World]
    ) -> None:
        with ground.running() as machine:
            worlds[0].power_off(HOST, machine.id)
            assert ground.drivers.hypervisor.observe()[machine.id].power is Power.STOPPED
            with pytest.raises(Refused, match="not running"):
                ground.drivers.hypervisor.ensure_attached(machine.id, Disk("v", ground.pool, 1))
            ground.drivers.hypervisor.ensure_running(machine)
            assert ground.drivers.hypervisor.observe()[machine.id].power is Power.RUNNING
