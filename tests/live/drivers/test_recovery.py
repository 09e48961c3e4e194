"""Whatever dies comes back, and nothing stays behind when the cloud goes."""

import os
import signal
from pathlib import Path

import pytest

from orchestrator.driver.commands import run
from orchestrator.driver.libvirt.daemon import ensure_daemon, ensure_daemon_absent
from orchestrator.driver.linux import namespaces, processes
from orchestrator.driver.ports import Power, Transient
from tests.live.drivers.lab import Box, Lab, eventually

pytestmark = pytest.mark.live


def only(namespace: str, program: str) -> processes.Process:
    """The one process of that program, once it is the only one: libvirtd forks to probe qemu."""
    assert eventually(lambda: len(alive(namespace, program)) == 1)
    return alive(namespace, program)[0]


def killed(namespace: str, program: str) -> int:
    """Kill a program of ours without warning; its process id."""
    process = only(namespace, program)
    os.kill(process.pid, signal.SIGKILL)
    assert eventually(lambda: process.pid not in [each.pid for each in alive(namespace, program)])
    return process.pid


def alive(namespace: str, program: str) -> list[processes.Process]:
    inside = processes.inside(namespaces.path(namespace))
    return [each for each in inside if each.program == program or program in each.argv]


def test_a_killed_libvirt_daemon_comes_back_and_adopts_its_guests(lab: Lab, box: Box) -> None:
    killed(lab.places.host_namespace, "libvirtd")
    boot = lab.ssh(box, "cat /proc/sys/kernel/random/boot_id")
    hypervisor = lab.another_way().hypervisor
    assert hypervisor.observe()[box.machine.id].power is Power.RUNNING
    hypervisor.ensure_running(box.machine)
    assert lab.ssh(box, "cat /proc/sys/kernel/random/boot_id") == boot


def test_an_open_connection_survives_the_death_of_the_daemon(lab: Lab, box: Box) -> None:
    assert box.machine.id in lab.drivers.hypervisor.observe()
    killed(lab.places.host_namespace, "libvirtd")

    def sees() -> bool:
        try:
            return box.machine.id in lab.drivers.hypervisor.observe()
        except Transient:
            return False

    assert eventually(sees, 20)


def test_a_daemon_that_hangs_fails_calls_instead_of_holding_them(lab: Lab, box: Box) -> None:
    assert box.machine.id in lab.drivers.hypervisor.observe()
    daemon = only(lab.places.host_namespace, "libvirtd")
    os.kill(daemon.pid, signal.SIGSTOP)
    try:
        for hypervisor in (lab.drivers.hypervisor, lab.another_way().hypervisor):
            with pytest.raises(Transient):
                hypervisor.observe()
    finally:
        os.kill(daemon.pid, signal.SIGCONT)
    assert box.machine.id in lab.drivers.hypervisor.observe()


@pytest.mark.parametrize("program", ["dnsmasq", "orchestrator.agent.metadata"])
def test_a_killed_router_service_is_missed_and_comes_back(lab: Lab, box: Box, program: str) -> None:
    router = lab.places.router_namespace(box.wire.id)
    before = killed(router, program)
    assert box.wire.id not in lab.drivers.network.observe().routers
    lab.tell_router(box.wire)
    again = only(router, program)
    assert again.pid != before
    assert box.wire.id in lab.drivers.network.observe().routers
    read = "wget -q -O - http://169.254.169.254/latest/meta-data/local-ipv4"
    assert lab.ssh(box, read) == box.ip
    assert box.ip in lab.ssh(box, f"nslookup guest-10.lab.test {box.wire.gateway}")


def test_an_unplugged_router_is_missed_and_plugged_in_again(lab: Lab, box: Box) -> None:
    run(["ip", "-n", lab.places.router_namespace(box.wire.id), "link", "delete", "eth0"])
    assert box.wire.id not in lab.drivers.network.observe().routers
    lab.tell_router(box.wire)
    assert box.wire.id in lab.drivers.network.observe().routers
    assert lab.ssh(box, "hostname").strip() == "guest-10"


def test_lost_filters_are_missed_and_come_back_with_the_same_document(lab: Lab, box: Box) -> None:
    for family in ("ip", "bridge"):
        namespaces.inside(lab.places.host_namespace, ["nft", "delete", "table", family, "pileus"])
    assert not lab.drivers.network.observe().ports
    lab.generation -= 1
    lab.tell()
    assert lab.drivers.network.observe().ports == {box.port.nic}
    assert not lab.knocks(box, 80)
    assert lab.knocks(box, 22)


def test_a_killed_guest_is_seen_stopped_and_starts_again(lab: Lab, box: Box) -> None:
    killed(lab.places.host_namespace, "qemu-system-x86_64")
    hypervisor = lab.drivers.hypervisor
    assert eventually(lambda: hypervisor.observe()[box.machine.id].power is Power.STOPPED)
    hypervisor.ensure_running(box.machine)
    assert hypervisor.observe()[box.machine.id].power is Power.RUNNING


def test_nothing_stays_behind_and_everything_can_come_back(lab: Lab, box: Box) -> None:
    lab.drivers.hypervisor.ensure_running(box.machine)
    names = [lab.places.host_namespace, lab.places.router_namespace(box.wire.id)]
    before = {each.pid for name in names for each in processes.inside(namespaces.path(name))}
    assert before
    devices = set(os.listdir("/sys/class/net"))
    ensure_daemon_absent(lab.home, lab.tag)
    ensure_daemon_absent(lab.home, lab.tag)
    assert not [name for name in names if namespaces.path(name).exists()]
    assert not before & {process.pid for process in processes.everyone()}
    assert set(os.listdir("/sys/class/net")) <= devices
    assert str(lab.home) not in Path("/proc/self/mounts").read_text()
    assert not lab.places.run.exists()
    assert lab.drivers.hypervisor.observe()[box.machine.id].power is Power.STOPPED
    lab.tell()
    lab.tell_router(box.wire)
    lab.drivers.hypervisor.ensure_running(box.machine)
    lab.wait(box)
    assert lab.ssh(box, "hostname").strip() == "guest-10"


def test_a_namespace_that_lost_its_name_gets_it_back(lab: Lab, box: Box) -> None:
    before = only(lab.places.host_namespace, "libvirtd")
    run(["ip", "netns", "delete", lab.places.host_namespace])
    ensure_daemon(lab.home, lab.tag)
    assert only(lab.places.host_namespace, "libvirtd").pid == before.pid
    assert box.wire.id in lab.drivers.network.observe().networks


def test_processes_are_found_even_when_their_namespace_lost_its_name(lab: Lab, box: Box) -> None:
    lab.drivers.hypervisor.ensure_running(box.machine)
    guest = only(lab.places.host_namespace, "qemu-system-x86_64")
    names = only(lab.places.router_namespace(box.wire.id), "dnsmasq")
    daemon = only(lab.places.host_namespace, "libvirtd")
    for name in (lab.places.host_namespace, lab.places.router_namespace(box.wire.id)):
        run(["ip", "netns", "delete", name])
    ensure_daemon_absent(lab.home, lab.tag)
    assert not {guest.pid, names.pid, daemon.pid} & {each.pid for each in processes.everyone()}


def test_a_daemon_that_runs_is_left_alone(lab: Lab) -> None:
    uri = ensure_daemon(lab.home, lab.tag)
    before = only(lab.places.host_namespace, "libvirtd")
    assert ensure_daemon(lab.home, lab.tag) == uri
    assert only(lab.places.host_namespace, "libvirtd").pid == before.pid
    ensure_daemon_absent(lab.home, lab.tag)
