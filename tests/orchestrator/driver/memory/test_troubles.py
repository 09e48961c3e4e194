from collections.abc import Iterator
from threading import Thread

import pytest

from orchestrator.driver.memory import World, memory_fleet
from orchestrator.driver.memory.troubles import ALWAYS, ANY, VERBS
from orchestrator.driver.ports import (
    Drivers,
    Inventory,
    MachineFacts,
    NetworkFacts,
    Pool,
    Power,
    Refused,
    Transient,
)
from tests.orchestrator.driver.memory.cloudlet import MIB, Cloudlet

POOL = Pool("pool", "/pool")


class SimulatedCrash(BaseException):
    """The process would have died here."""


@pytest.fixture
def world() -> Iterator[World]:
    world = World()
    yield world
    world.close()


@pytest.fixture
def drivers(world: World) -> Drivers:
    return memory_fleet(world).host("host-0")


def make_disk(drivers: Drivers) -> None:
    drivers.storage.ensure_disk(POOL, "volume", MIB, None)


def test_a_verb_fails_as_often_as_it_was_told(world: World, drivers: Drivers) -> None:
    world.troubles.fail("host-0", "ensure_disk", Transient("tired"), times=2)
    for _ in range(2):
        with pytest.raises(Transient, match="tired"):
            make_disk(drivers)
    assert not drivers.storage.observe(POOL).disks
    make_disk(drivers)
    assert drivers.storage.observe(POOL).disks == {"volume"}


def test_a_verb_may_act_and_its_answer_be_lost(world: World, drivers: Drivers) -> None:
    world.troubles.fail("host-0", "ensure_disk", Transient("lost"), after=True)
    with pytest.raises(Transient, match="lost"):
        make_disk(drivers)
    assert drivers.storage.observe(POOL).disks == {"volume"}
    make_disk(drivers)


def test_other_hosts_and_other_verbs_are_spared(world: World, drivers: Drivers) -> None:
    world.troubles.fail("host-1", "ensure_disk", Refused("no"))
    world.troubles.fail("host-0", "ensure_disk_absent", Refused("no"))
    make_disk(drivers)


def test_troubles_come_one_per_call_in_the_order_given(world: World, drivers: Drivers) -> None:
    world.troubles.fail("host-0", "ensure_disk", Transient("first"))
    world.troubles.fail(ANY, "ensure_disk", Refused("second"))
    with pytest.raises(Transient, match="first"):
        make_disk(drivers)
    with pytest.raises(Refused, match="second"):
        make_disk(drivers)
    make_disk(drivers)


def test_a_caller_crashes_before_or_after_the_act(world: World, drivers: Drivers) -> None:
    def crash() -> None:
        raise SimulatedCrash

    world.troubles.crash_before("host-0", "ensure_disk", crash)
    with pytest.raises(SimulatedCrash):
        make_disk(drivers)
    assert not drivers.storage.observe(POOL).disks
    world.troubles.crash_after("host-0", "ensure_disk", crash)
    with pytest.raises(SimulatedCrash):
        make_disk(drivers)
    assert drivers.storage.observe(POOL).disks == {"volume"}


def test_a_hanging_verb_waits_and_others_go_on(world: World, drivers: Drivers) -> None:
    hang = world.troubles.hang("host-0", "ensure_disk")
    caller = Thread(target=make_disk, args=(drivers,))
    caller.start()
    assert hang.entered.wait(10)
    assert not drivers.storage.observe(POOL).disks
    hang.release.set()
    caller.join(10)
    assert drivers.storage.observe(POOL).disks == {"volume"}


def test_the_hypervisor_lies_about_machines(world: World, drivers: Drivers) -> None:
    Cloudlet(world, hosts=1).deploy(0)
    invented = MachineFacts(Power.STOPPED, frozenset())
    world.troubles.hide_machine("host-0", "machine-0")
    world.troubles.invent_machine("host-0", "ghost", invented, times=1)
    assert drivers.hypervisor.observe() == {"ghost": invented}
    assert drivers.hypervisor.observe() == {}
    world.troubles.heal("host-0")
    assert set(drivers.hypervisor.observe()) == {"machine-0"}


def test_storage_and_network_lie_too(world: World, drivers: Drivers) -> None:
    make_disk(drivers)
    nothing = NetworkFacts(frozenset(), frozenset(), frozenset())

    def deny(seen: NetworkFacts) -> NetworkFacts:
        return nothing

    Cloudlet(world, hosts=1).deploy(0)
    world.troubles.hide_disk("host-0", "volume")
    world.troubles.lie("host-0", "network.observe", deny, times=ALWAYS)
    assert drivers.storage.observe(POOL) == Inventory(frozenset(), frozenset())
    assert drivers.network.observe() == nothing


def test_a_silent_host_answers_nothing_until_it_is_healed(world: World, drivers: Drivers) -> None:
    world.troubles.silence("host-0")
    for observe in (drivers.hypervisor.observe, drivers.network.observe, drivers.hypervisor.facts):
        with pytest.raises(Transient, match="does not answer"):
            observe()
    memory_fleet(world).host("host-1").hypervisor.observe()
    world.troubles.heal("host-0")
    assert drivers.hypervisor.observe() == {}


def test_healing_one_host_leaves_the_others_ill(world: World) -> None:
    fleet = memory_fleet(world)
    world.troubles.silence("host-0")
    world.troubles.silence("host-1")
    world.troubles.heal("host-0")
    fleet.host("host-0").hypervisor.observe()
    with pytest.raises(Transient):
        fleet.host("host-1").hypervisor.observe()
    world.troubles.heal()
    fleet.host("host-1").hypervisor.observe()


def test_an_unknown_verb_is_refused_by_name(world: World) -> None:
    with pytest.raises(ValueError, match="ensure_lunch"):
        world.troubles.fail("host-0", "ensure_lunch", Transient("no"))


@pytest.mark.parametrize("verb", sorted(VERBS))
def test_every_verb_can_be_troubled(world: World, drivers: Drivers, verb: str) -> None:
    port, _, name = verb.partition(".")
    world.troubles.fail("host-0", verb, Transient("troubled"))
    call = getattr(getattr(drivers, port), name)
    arguments = call.__code__.co_argcount - 1
    with pytest.raises(Transient, match="troubled"):
        call(*[POOL] * arguments)
