"""The images that ``pileus image`` builds, as guests: what a cloud expects of them, one by one."""

import gzip
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from orchestrator.driver.ports import Guest
from orchestrator.ids import ec2_id, new_id
from tests.live.emulated import Emulated, Key
from tests.live.wire import DOMAIN, GATEWAY, MTU, Wire, address, mac
from tools.image import cache_folder, ensure_image

pytestmark = pytest.mark.live

# Counts its runs, so that a second one would show.
SCRIPT = b"#!/bin/sh\necho ran >>/root/runs\necho said by user data\n"


@dataclass
class Subject:
    """A guest under test and how the metadata service describes it."""

    wire: Wire
    machine: Emulated
    described: Guest

    @property
    def instance(self) -> str:
        """Its instance id, as it should know it."""
        return ec2_id("i", self.described.instance)


@contextmanager
def booted(folder: Path, kind: str, seat: int, memory: int, user_data: bytes) -> Iterator[Subject]:
    """A guest from the image of that kind, on a disk of 3 GiB."""
    image = ensure_image(kind, cache_folder())
    wire = Wire(folder)
    key = Key.make(folder)
    identity = new_id()
    described = Guest(
        mac=mac(seat),
        ip=address(seat),
        hostname=f"{kind}-guest",
        instance=identity,
        image=new_id(),
        type="m1.small",
        zone="zone1",
        reservation="r-1",
        groups=("default",),
        keys={"mine": key.public},
        user_data=user_data,
    )
    machine = Emulated(wire, key, image, seat, memory, size=3, firmware=f"ec2{identity[3:]}")
    try:
        wire.start()
        wire.tell(described)
        machine.start()
        yield Subject(wire, machine, described)
    finally:
        machine.cut_power()
        wire.close()


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Subject]:
    folder = tmp_path_factory.mktemp("tiny")
    with booted(folder, "tiny", 10, memory=96, user_data=gzip.compress(SCRIPT)) as subject:
        subject.machine.wait_for(f"PILEUS-READY {subject.instance} ")
        yield subject


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Subject]:
    folder = tmp_path_factory.mktemp("full")
    with booted(folder, "full", 11, memory=512, user_data=SCRIPT) as subject:
        subject.machine.ssh("cloud-init status --wait")
        yield subject


def root_gibibytes(subject: Subject) -> float:
    """How large the guest's root filesystem is."""
    return int(subject.machine.ssh("df -k / | tail -n 1").split()[1]) / 1024**2


def plug_in_disk(subject: Subject) -> None:
    """Hot-plug an empty disk of 64 MiB as the guest's second."""
    file = subject.wire.folder / "data.raw"
    with file.open("wb") as disk:
        disk.truncate(64 * 1024**2)
    subject.machine.plug_in_disk(file)


def test_a_tiny_guest_takes_its_name_key_and_network_from_the_cloud(tiny: Subject) -> None:
    assert tiny.machine.ssh("hostname") == "tiny-guest\n"
    assert f"tiny-guest.{DOMAIN} tiny-guest" in tiny.machine.ssh("cat /etc/hosts")
    assert f" mtu {MTU} " in tiny.machine.ssh("ip link show dev eth0")
    assert f"nameserver {GATEWAY}" in tiny.machine.ssh("cat /etc/resolv.conf")


def test_a_tiny_guest_shows_the_fingerprint_of_its_own_host_key_on_the_console(
    tiny: Subject,
) -> None:
    [shown] = tiny.machine.wait_for("Fingerprint: SHA256:\\S+")
    assert tiny.machine.host_fingerprint() in shown


def test_a_tiny_guest_runs_packed_user_data_once_and_takes_new_keys_at_each_boot(
    tiny: Subject,
) -> None:
    log = tiny.machine.ssh("cat /var/log/user-data.log")
    assert log == "said by user data\nuser data ended with status 0\n"
    tiny.machine.ssh("echo by-hand >>/root/.ssh/authorized_keys")
    more = {**tiny.described.keys, "other": "ssh-ed25519 AAAA other"}
    tiny.wire.tell(replace(tiny.described, keys=more))
    tiny.machine.ssh("reboot")
    tiny.machine.wait_for("PILEUS-READY", times=2)
    assert tiny.machine.ssh("cat /root/runs") == "ran\n"
    authorized = tiny.machine.ssh("cat /root/.ssh/authorized_keys").splitlines()
    assert sorted(authorized) == sorted(["by-hand", *(key.strip() for key in more.values())])


def test_a_tiny_guest_fills_its_disk_and_outlives_a_power_cut(tiny: Subject) -> None:
    known_as = tiny.machine.host_fingerprint()
    assert root_gibibytes(tiny) > 2.8
    tiny.machine.ssh("echo precious >/root/file; sync")
    tiny.machine.cut_power()
    tiny.machine.start()
    tiny.machine.wait_for("PILEUS-READY")
    assert tiny.machine.ssh("cat /root/file") == "precious\n"
    assert root_gibibytes(tiny) > 2.8
    assert tiny.machine.host_fingerprint() == known_as


def test_a_tiny_guest_sees_a_new_disk_at_once_and_can_use_it(tiny: Subject) -> None:
    plug_in_disk(tiny)
    tiny.machine.ssh("until [ -b /dev/vdb ]; do usleep 100000; done")
    tiny.machine.ssh("mkfs.ext4 -q /dev/vdb && mount /dev/vdb /mnt && echo kept >/mnt/file")
    assert tiny.machine.ssh("cat /mnt/file") == "kept\n"


def test_files_are_copied_to_and_from_a_tiny_guest(tiny: Subject, tmp_path: Path) -> None:
    (tmp_path / "there").write_text("words")
    tiny.machine.copy(tmp_path / "there", ":/root/copied")
    tiny.machine.copy(":/root/copied", tmp_path / "back")
    assert (tmp_path / "back").read_text() == "words"


def test_a_machine_from_an_image_of_a_tiny_guest_is_an_instance_of_its_own(tiny: Subject) -> None:
    known_as = tiny.machine.host_fingerprint()
    tiny.machine.press_power_button()
    other = replace(tiny.described, instance=new_id(), hostname="copy")
    tiny.wire.tell(other)
    tiny.machine.start()
    tiny.machine.wait_for(f"PILEUS-READY {ec2_id('i', other.instance)} ")
    assert tiny.machine.ssh("hostname; cat /root/runs") == "copy\nran\nran\n"
    assert tiny.machine.host_fingerprint() != known_as


def test_cloud_init_is_content_with_a_full_guest(full: Subject) -> None:
    assert full.machine.ssh("cloud-init status") == "status: done\n"
    assert full.machine.ssh("cloud-id") == "aws\n"
    assert "DataSourceEc2" in full.machine.ssh("cat /run/cloud-init/result.json")
    assert full.machine.ssh("systemctl --failed --quiet list-units") == ""


def test_cloud_init_applies_name_and_user_data_to_a_full_guest(full: Subject) -> None:
    assert full.machine.ssh("hostname; cat /root/runs") == "full-guest\nran\n"
    assert full.instance in full.machine.ssh("cat /var/lib/cloud/data/instance-id")


def test_a_full_guest_sees_a_new_disk_at_once(full: Subject) -> None:
    plug_in_disk(full)
    full.machine.ssh("until [ -b /dev/vdb ]; do sleep 0.1; done")
    full.machine.ssh("mkfs.ext4 -q /dev/vdb && mount /dev/vdb /mnt")


def test_a_full_guest_fills_its_disk_and_runs_user_data_once(full: Subject) -> None:
    known_as = full.machine.host_fingerprint()
    full.machine.press_power_button()
    full.machine.start()
    full.machine.ssh("cloud-init status --wait")
    assert full.machine.ssh("cat /root/runs") == "ran\n"
    assert root_gibibytes(full) > 2.8
    assert full.machine.host_fingerprint() == known_as
