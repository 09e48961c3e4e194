import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from ipaddress import IPv4Network
from pathlib import Path

import pytest

from orchestrator.driver.memory import World, memory_fleet, shelves
from orchestrator.driver.ports import (
    Bridge,
    Disk,
    Fleet,
    Group,
    HostFacts,
    HostNetwork,
    Image,
    ImageFacts,
    Machine,
    NoSpace,
    Pool,
    PoolFacts,
    Power,
    Refused,
    Transient,
)
from tests.orchestrator.driver.memory.cloudlet import CIDR, IMAGE, MIB, SSH, STORE, Cloudlet

POOL = Pool("pool of host-0", "/pool")


@pytest.fixture
def world() -> Iterator[World]:
    world = World()
    yield world
    world.close()


def test_what_was_deployed_and_expunged_leaves_the_world_as_it_was(world: World) -> None:
    cloudlet = Cloudlet(world, hosts=2)
    cloudlet.deploy(0)
    cloudlet.deploy(1)
    before = world.snapshot()
    cloudlet.deploy(2)
    assert world.snapshot() != before
    cloudlet.expunge(2)
    assert world.snapshot() == before


def test_a_snapshot_names_everything(world: World) -> None:
    Cloudlet(world, hosts=1).deploy(0)
    seen = world.snapshot()
    host, pool = seen.hosts["host-0"], seen.pools[POOL.id]
    assert host.machines["machine-0"].power is Power.RUNNING
    assert host.machines["machine-0"].volumes == {"volume-0"}
    assert list(host.bridges) == list(host.routers) == ["network of host-0"]
    assert host.ports["nic-0"].groups == ("group",)
    assert host.groups["group"].members == (host.ports["nic-0"].ip,)
    lease = host.routers["network of host-0"].leases[host.ports["nic-0"].mac]
    assert lease.user_data == b"\x00\xff"
    assert lease.keys == {"key": "ssh-ed25519 AAAA"}
    assert pool.disks["volume-0"].backing == IMAGE.id
    assert pool.images == seen.pools[STORE.id].images


def test_an_empty_world_equals_a_new_one_and_asking_does_not_fill_it(world: World) -> None:
    memory_fleet(world).host("host-0").storage.ensure_pool(POOL)
    seen = world.snapshot()
    assert seen.hosts["nowhere"].machines == {}
    assert seen == World().snapshot()


def test_hosts_share_a_pool_of_one_id_and_nothing_else(world: World) -> None:
    fleet = memory_fleet(world)
    fleet.host("a").storage.ensure_disk(POOL, "volume", MIB, None)
    assert fleet.host("b").storage.observe(POOL).disks == {"volume"}
    Cloudlet(world, hosts=1).deploy(0)
    assert not fleet.host("b").hypervisor.observe()
    assert not fleet.host("b").network.observe().networks


def test_a_described_host_has_its_facts_and_an_unknown_one_is_out_of_reach(world: World) -> None:
    facts = HostFacts("memory", "1.0", cpus=2, mhz=1000, memory=64 * MIB)
    fleet: Fleet = memory_fleet(world, {"small": facts}, others=None)
    assert fleet.host("small").hypervisor.facts() == facts
    with pytest.raises(Transient, match="no host large"):
        fleet.host("large")


def test_a_machine_larger_than_its_host_finds_no_space(world: World) -> None:
    facts = HostFacts("memory", "1.0", cpus=2, mhz=1000, memory=64 * MIB)
    hypervisor = memory_fleet(world, {"small": facts}).host("small").hypervisor
    machine = Machine("m", "m", 1, 65 * MIB, (), ())
    with pytest.raises(NoSpace):
        hypervisor.ensure_running(machine)
    hypervisor.ensure_running(replace(machine, memory=64 * MIB))


def test_a_pool_fills_up_and_empties(world: World) -> None:
    storage = memory_fleet(world).host("host-0").storage
    world.resize_pool(POOL.id, 3 * MIB)
    storage.ensure_disk(POOL, "first", 2 * MIB, None)
    assert storage.ensure_pool(POOL) == PoolFacts(capacity=3 * MIB, used=2 * MIB)
    with pytest.raises(NoSpace):
        storage.ensure_disk(POOL, "second", 2 * MIB, None)
    storage.ensure_disk_absent(POOL, "first")
    storage.ensure_disk(POOL, "second", 2 * MIB, None)


def test_an_image_does_not_fit_into_a_full_store(world: World) -> None:
    storage = memory_fleet(world).host("host-0").storage
    world.resize_pool(STORE.id, MIB)
    with pytest.raises(NoSpace):
        storage.ensure_image(STORE, IMAGE, ())
    assert not storage.observe(STORE).images


def test_images_are_fetched_as_the_world_says_and_only_once() -> None:
    asked = []

    def fetch(image: Image, sites: tuple[IPv4Network, ...]) -> ImageFacts:
        asked.append((image.url, sites))
        if "rubbish" in image.url:
            raise Refused("no such image")
        return ImageFacts(virtual_size=5, physical_size=3)

    storage = memory_fleet(World(fetch=fetch)).host("host-0").storage
    sites = (IPv4Network("127.0.0.0/8"),)
    for _ in range(2):
        assert storage.ensure_image(STORE, IMAGE, sites) == ImageFacts(5, 3)
    assert asked == [(IMAGE.url, sites)]
    with pytest.raises(Refused, match="no such image"):
        storage.ensure_image(STORE, Image("b", "http://x.test/rubbish", "raw"), ())


def test_verbs_take_the_time_they_are_said_to_take() -> None:
    storage = memory_fleet(World(latency={"ensure_disk": 0.05})).host("host-0").storage
    start = time.monotonic()
    storage.ensure_pool(POOL)
    storage.ensure_disk(POOL, "volume", MIB, None)
    assert time.monotonic() - start >= 0.05


def test_the_latency_of_an_unknown_verb_is_refused() -> None:
    with pytest.raises(ValueError, match="ensure_lunch"):
        World(latency={"ensure_lunch": 1})


def test_a_rebooted_host_has_its_disks_and_its_machines_off(world: World) -> None:
    cloudlet = Cloudlet(world, hosts=1)
    cloudlet.deploy(0)
    pools = world.snapshot().pools
    world.reboot_host("host-0")
    seen = world.snapshot()
    assert seen.pools == pools
    assert seen.hosts["host-0"].machines["machine-0"].power is Power.STOPPED
    assert not seen.hosts["host-0"].bridges
    assert not seen.hosts["host-0"].routers
    cloudlet.deploy(0)
    assert world.snapshot().hosts["host-0"].machines["machine-0"].power is Power.RUNNING


def test_telling_the_same_again_repairs_what_somebody_removed(world: World) -> None:
    network = memory_fleet(world).host("host-0").network
    port = Cloudlet(world, hosts=1).port(0)
    told = HostNetwork(7, (Bridge(port.network, "br", 1),), (port,), ())
    network.ensure_host(told)
    before = world.snapshot()
    world.lose_networks("host-0")
    assert not network.observe().ports
    network.ensure_host(replace(told, generation=6))
    assert not network.observe().ports
    network.ensure_host(told)
    assert world.snapshot() == before


def test_the_order_of_what_was_told_does_not_tell_worlds_apart() -> None:
    told = HostNetwork(
        1,
        (Bridge("n1", "br1", 1), Bridge("n2", "br2", 2)),
        (),
        (
            Group(
                "g", (CIDR[2], CIDR[3]), (SSH, replace(SSH, first=1)), (SSH, replace(SSH, last=9))
            ),
        ),
    )
    group = told.groups[0]
    other_way = replace(
        told,
        bridges=told.bridges[::-1],
        groups=(Group("g", group.members[::-1], group.ingress[::-1], group.egress[::-1]),),
    )
    worlds = World(), World()
    for world, document in zip(worlds, (told, other_way), strict=True):
        memory_fleet(world).host("host-0").network.ensure_host(document)
    assert worlds[0].snapshot() == worlds[1].snapshot()


def test_a_start_that_failed_half_way_did_nothing(world: World) -> None:
    drivers = memory_fleet(world).host("host-0")
    drivers.storage.ensure_disk(POOL, "there", MIB, None)
    before = world.snapshot()
    machine = Machine("m", "m", 1, MIB, (Disk("there", POOL, 0), Disk("missing", POOL, 1)), ())
    with pytest.raises(Refused, match="no disk missing"):
        drivers.hypervisor.ensure_running(machine)
    assert world.snapshot() == before
    drivers.storage.ensure_disk_absent(POOL, "there")


def test_boots_are_counted(world: World) -> None:
    Cloudlet(world, hosts=1).deploy(0)
    memory_fleet(world).host("host-0").hypervisor.ensure_rebooted("machine-0")
    assert world.boots("host-0", "machine-0") == 2
    assert world.boots("host-0", "another") == 0


def test_a_lost_machine_lets_go_of_its_disks(world: World) -> None:
    Cloudlet(world, hosts=1).deploy(0)
    world.lose_machine("host-0", "machine-0")
    assert not world.snapshot().hosts["host-0"].machines
    memory_fleet(world).host("host-0").storage.ensure_disk_absent(POOL, "volume-0")


def test_only_a_machine_that_is_there_can_lose_power(world: World) -> None:
    with pytest.raises(KeyError):
        world.power_off("host-0", "nobody")


def test_strays_are_observed_and_counted_in_snapshots(world: World) -> None:
    world.add_stray(POOL.id, "half.part")
    world.add_stranger("host-0", "somebody-elses")
    assert memory_fleet(world).host("host-0").storage.observe(POOL).strays == {"half.part"}
    assert world.snapshot().pools[POOL.id].strays == {"half.part"}
    assert world.snapshot().hosts["host-0"].strangers == {"somebody-elses"}


def test_a_world_in_a_folder_is_found_again(tmp_path: Path) -> None:
    first = World(tmp_path / "deep" / "world")
    Cloudlet(first, hosts=2).deploy(0)
    before = first.snapshot()
    first.close()
    assert World(tmp_path / "deep" / "world").snapshot() == before


def test_a_killed_process_leaves_every_verb_done_or_not_done(tmp_path: Path) -> None:
    for lines in (3, 40, 81, 122):
        begun, made = _work_and_be_killed(tmp_path, lines)
        world = World(tmp_path)
        there = set(world.snapshot().pools["endless"].disks)
        assert made <= there
        assert len(begun - there) <= 1
        _assert_books_agree(world)
        world.close()


def test_after_a_kill_the_work_can_be_finished(tmp_path: Path) -> None:
    _work_and_be_killed(tmp_path, 33)
    world = World(tmp_path)
    assert memory_fleet(world).host("host-0").hypervisor.observe()
    cloudlet = Cloudlet(world, hosts=2)
    for number in range(16):
        cloudlet.deploy(number)
    for number in range(16):
        cloudlet.expunge(number)
    hosts = world.snapshot().hosts
    assert not any(seen.machines or seen.ports for seen in hosts.values())
    assert not world.snapshot().pools[POOL.id].disks
    _assert_books_agree(world)


def test_two_processes_work_in_one_folder(tmp_path: Path) -> None:
    workers = [_worker(tmp_path, host) for host in range(2)]
    made = [_read(worker, 60)[1] for worker in workers]
    for worker in workers:
        _kill(worker)
    world = World(tmp_path)
    assert made[0] | made[1] <= set(world.snapshot().pools["endless"].disks)
    _assert_books_agree(world)


def _worker(folder: Path, host: int) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", "tests.orchestrator.driver.memory.cloudlet", str(folder), str(host)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[4],
    )


def _work_and_be_killed(folder: Path, lines: int) -> tuple[set[str], set[str]]:
    """The disks a worker began and the disks it made before SIGKILL, at some line or just after."""
    worker = _worker(folder, 0)
    begun, made = _read(worker, lines)
    rest = _kill(worker)
    for line in rest.splitlines():
        _note(line, begun, made)
    return begun, made


def _read(worker: "subprocess.Popen[str]", lines: int) -> tuple[set[str], set[str]]:
    begun: set[str] = set()
    made: set[str] = set()
    assert worker.stdout is not None
    for _ in range(lines):
        _note(worker.stdout.readline(), begun, made)
    return begun, made


def _note(line: str, begun: set[str], made: set[str]) -> None:
    word, volume = line.split()
    {"begin": begun, "made": made}[word].add(volume)


def _kill(worker: "subprocess.Popen[str]") -> str:
    assert worker.poll() is None, "the worker ended by itself"
    worker.kill()
    rest, _ = worker.communicate(timeout=30)
    return rest


def _assert_books_agree(world: World) -> None:
    """Pools count what is in them, and exactly the disks of running machines are locked."""
    with world.records.look() as rows:
        used: Counter[str] = Counter()
        for pool, _, disk in rows.everywhere(shelves.DISKS):
            used[pool] += disk.size
        for pool, _, image in rows.everywhere(shelves.IMAGES):
            used[pool] += image.physical_size
        counted = {pool: facts.used for pool, _, facts in rows.everywhere(shelves.POOLS)}
        assert {pool: size for pool, size in counted.items() if size} == dict(used)
        running = [
            disk.volume
            for _, _, standing in rows.everywhere(shelves.MACHINES)
            for disk in standing.machine.disks
            if standing.power is Power.RUNNING
        ]
        assert sorted(running) == sorted(volume for volume, _, _ in rows.everywhere(shelves.LOCKS))
