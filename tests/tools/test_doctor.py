"""The doctor: what it finds, and the remedies it names."""

import socket
import subprocess
import sys
from pathlib import Path

from tests.tools.commands import free_ports, pileus
from tools import doctor
from tools.home import Config, Home


def test_a_free_port_is_free() -> None:
    assert doctor.port_free(free_ports(1)[0]).holds


def test_a_taken_port_is_named_with_its_remedy() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        finding = doctor.port_free(port)
    assert not finding.holds
    assert str(port) in finding.name
    assert "in use" in finding.seen
    assert "--native-port" in finding.remedy


def test_simulated_guests_need_neither_root_nor_packages(tmp_path: Path) -> None:
    findings = doctor.examine(
        Home(tmp_path), Config("memory", *free_ports(2)), running=False, probe=True
    )
    names = [finding.name for finding in findings]
    assert "root" not in names
    assert "libvirt-daemon-system" not in names
    assert "Python" in names


def test_real_guests_need_more(tmp_path: Path) -> None:
    config = Config("libvirt", *free_ports(2))
    names = {
        finding.name
        for finding in doctor.examine(Home(tmp_path), config, running=True, probe=False)
    }
    assert {"root", "nftables", "libvirt-python", "kernel: bridges", "memory"} <= names
    assert not any(name.startswith("port") for name in names)


def test_every_finding_that_can_fail_has_a_remedy(tmp_path: Path) -> None:
    config = Config("libvirt", *free_ports(2))
    failed = [
        finding
        for finding in doctor.examine(Home(tmp_path), config, running=False, probe=False)
        if not finding.holds
    ]
    assert all(finding.remedy for finding in failed)


def test_a_kernel_feature_that_is_not_there_is_found_missing() -> None:
    finding = doctor.kernel_feature("time travel", "ip link add a type flux-capacitor")
    assert not finding.holds
    assert finding.seen
    assert "kernel" in finding.remedy


def test_trying_kernel_features_leaves_nothing_behind() -> None:
    before = _links()
    assert doctor.kernel_feature("bridges", "ip link add doctorstrial type bridge").holds
    assert _links() == before


def test_the_doctor_is_content_with_a_machine_for_simulated_guests(tmp_path: Path) -> None:
    native, aws = free_ports(2)
    done = pileus(
        *("doctor", "--home", tmp_path, "--hypervisor", "memory"),
        *("--native-port", native, "--aws-port", aws),
    )
    assert done.returncode == 0, done.stdout
    assert "Everything is there." in done.stdout


def test_the_doctor_fails_when_a_port_is_taken(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = pileus("doctor", "--home", tmp_path, "--hypervisor", "memory", "--aws-port", port)
    assert done.returncode == 1
    assert f"MISSING port {port}" in done.stdout
    assert "Remedy:" in done.stdout


def _links() -> str:
    command = (sys.executable, "-c", "import socket; print(socket.if_nameindex())")
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout
