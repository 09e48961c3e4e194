"""Real guests: their boot, their disks, their end."""

import time

import pytest

from orchestrator.driver.ports import Disk, Power
from orchestrator.ids import ec2_id, new_id, short
from tests.live.drivers.lab import MIB, Box, Lab, eventually

pytestmark = pytest.mark.live


def attached(lab: Lab, box: Box) -> Disk:
    disk = Disk(new_id(), lab.pool, 1)
    lab.drivers.storage.ensure_disk(lab.pool, disk.volume, 64 * MIB, None)
    lab.drivers.hypervisor.ensure_attached(box.machine.id, disk)
    return disk


def devices(lab: Lab, box: Box) -> set[str]:
    return set(lab.ssh(box, "ls /sys/block | grep vd").split())


def test_a_guest_boots_with_its_name_and_lets_its_key_in(lab: Lab, box: Box) -> None:
    assert lab.ssh(box, "hostname").strip() == "guest-10"
    assert lab.drivers.hypervisor.observe()[box.machine.id].power is Power.RUNNING


def test_user_data_ran(lab: Lab, box: Box) -> None:
    assert eventually(lambda: lab.ssh(box, "cat /root/user-data-was-here") == "it ran\n")


def test_the_guest_reads_who_it_is_from_its_metadata(lab: Lab, box: Box) -> None:
    read = "wget -q -O - http://169.254.169.254/latest/meta-data/"
    assert lab.ssh(box, f"{read}instance-id").strip() == ec2_id("i", box.machine.id)
    assert lab.ssh(box, f"{read}local-ipv4").strip() == box.ip


def test_cloud_init_would_recognise_ec2_by_the_firmware(lab: Lab, box: Box) -> None:
    uuid, serial = lab.ssh(box, "cd /sys/class/dmi/id; cat product_uuid product_serial").split()
    assert uuid.lower().startswith("ec2")
    assert uuid.lower() == serial.lower()


def test_the_guest_knows_its_router_by_name_service(lab: Lab, box: Box) -> None:
    assert box.ip in lab.ssh(box, f"nslookup guest-10.lab.test {box.wire.gateway}")


def test_a_plugged_disk_appears_with_its_id_and_goes_again(lab: Lab, box: Box) -> None:
    disk = attached(lab, box)
    assert eventually(lambda: devices(lab, box) == {"vda", "vdb"})
    assert lab.ssh(box, "cat /sys/block/vdb/serial") == "vol" + short(disk.volume)
    lab.drivers.hypervisor.ensure_detached(box.machine.id, disk.volume)
    assert devices(lab, box) == {"vda"}
    assert disk.volume not in lab.drivers.hypervisor.observe()[box.machine.id].volumes
    lab.drivers.storage.ensure_disk_absent(lab.pool, disk.volume)


def test_what_is_written_to_a_disk_is_there_when_it_is_plugged_in_again(lab: Lab, box: Box) -> None:
    disk = attached(lab, box)
    assert eventually(lambda: "vdb" in devices(lab, box))
    lab.ssh(
        box, "mke2fs -q /dev/vdb && mount -t ext4 /dev/vdb /mnt && echo kept >/mnt/f; umount /mnt"
    )
    lab.drivers.hypervisor.ensure_detached(box.machine.id, disk.volume)
    lab.drivers.hypervisor.ensure_attached(box.machine.id, disk)
    assert eventually(lambda: "vdb" in devices(lab, box))
    assert lab.ssh(box, "mount -t ext4 /dev/vdb /mnt && cat /mnt/f && umount /mnt") == "kept\n"
    lab.drivers.hypervisor.ensure_detached(box.machine.id, disk.volume)
    lab.drivers.storage.ensure_disk_absent(lab.pool, disk.volume)


def test_a_disk_can_be_taken_from_a_guest_that_is_still_booting(lab: Lab, box: Box) -> None:
    lab.drivers.hypervisor.ensure_stopped(box.machine.id, 0)
    lab.drivers.hypervisor.ensure_running(box.machine)
    disk = attached(lab, box)
    lab.drivers.hypervisor.ensure_detached(box.machine.id, disk.volume)
    assert disk.volume not in lab.drivers.hypervisor.observe()[box.machine.id].volumes
    lab.drivers.storage.ensure_disk_absent(lab.pool, disk.volume)
    lab.wait(box)


def test_a_guest_powers_off_when_asked_and_its_root_disk_stays(lab: Lab, box: Box) -> None:
    lab.ssh(box, "echo still here >/root/kept; sync")
    began = time.monotonic()
    lab.drivers.hypervisor.ensure_stopped(box.machine.id, 60)
    assert time.monotonic() - began < 50, "it was not the guest that ended it"
    assert box.machine.id not in lab.drivers.hypervisor.observe()
    lab.drivers.hypervisor.ensure_running(box.machine)
    lab.wait(box)
    assert lab.ssh(box, "cat /root/kept") == "still here\n"


def test_a_rebooted_guest_comes_up_again(lab: Lab, box: Box) -> None:
    before = lab.ssh(box, "cat /proc/sys/kernel/random/boot_id")
    lab.drivers.hypervisor.ensure_rebooted(box.machine.id)
    assert eventually(lambda: lab.console(box).count("PILEUS-READY") == 2, 120)
    assert lab.ssh(box, "cat /proc/sys/kernel/random/boot_id") != before


def test_a_guest_that_powered_itself_off_is_seen_stopped_and_starts_again(
    lab: Lab, box: Box
) -> None:
    hypervisor = lab.drivers.hypervisor
    lab.ssh(box, "poweroff")
    assert eventually(lambda: hypervisor.observe()[box.machine.id].power is Power.STOPPED)
    hypervisor.ensure_running(box.machine)
    assert hypervisor.observe()[box.machine.id].power is Power.RUNNING
