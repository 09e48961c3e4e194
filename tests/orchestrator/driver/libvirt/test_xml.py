"""Definitions of machines, checked by libvirt's own schema."""

from dataclasses import replace
from pathlib import Path

import pytest
from lxml import etree

from orchestrator.driver.libvirt import xml
from orchestrator.driver.ports import Disk, Machine, Nic, Pool
from orchestrator.ids import new_id, short

POOL = Pool(new_id(), "/pool & <co>")
ROOT, DATA = Disk(new_id(), POOL, 0), Disk(new_id(), POOL, 3)
MACHINE = Machine(
    id=new_id(),
    name='a "name" & <more>',
    cpus=2,
    memory=256 * 1024 * 1024,
    disks=(ROOT, DATA),
    nics=(Nic(new_id(), "tap-1", "br-1", "52:54:00:00:00:01"),),
)
EMULATED = xml.Surroundings("qemu", Path("/log"), Path("/sock"))
TEXT = xml.domain(MACHINE, EMULATED)


@pytest.mark.parametrize("accelerator", ["qemu", "kvm"])
def test_libvirts_schema_takes_a_definition(accelerator: str) -> None:
    schema = etree.RelaxNG(etree.parse("/usr/share/libvirt/schemas/domain.rng"))
    text = xml.domain(MACHINE, replace(EMULATED, accelerator=accelerator))
    schema.assertValid(etree.fromstring(text))


def test_what_was_built_is_read_back() -> None:
    assert xml.is_machine(TEXT)
    assert xml.plugged_volumes(TEXT) == {ROOT.volume: "vda", DATA.volume: "vdd"}
    found = xml.disk_with(TEXT, DATA.volume)
    assert found is not None
    assert DATA.volume in found
    assert xml.disk_with(TEXT, new_id()) is None


def test_a_disks_serial_number_is_its_volume_and_fits() -> None:
    serial = etree.fromstring(xml.disk(ROOT)).findtext("serial")
    assert serial == "vol" + short(ROOT.volume)
    assert len(serial) == 20


def test_the_firmware_looks_like_ec2_to_cloud_init() -> None:
    root = etree.fromstring(TEXT)
    uuid = root.findtext("uuid")
    assert uuid is not None
    assert uuid.startswith("ec2")
    entries = {each.get("name"): each.text for each in root.iterfind("sysinfo/system/entry")}
    assert entries["uuid"] == entries["serial"] == uuid


def test_emulation_gets_a_bounded_translation_cache_and_kvm_the_hosts_processor() -> None:
    assert "<tb-cache" in TEXT
    accelerated = xml.domain(MACHINE, replace(EMULATED, accelerator="kvm"))
    assert "<tb-cache" not in accelerated
    assert 'mode="host-passthrough"' in accelerated


def test_strangers_disks_and_machines_are_not_ours() -> None:
    text = (
        "<domain><devices><disk><source file='/x/a.qcow2'/><target dev='vda'/></disk>"
        "<disk><target dev='vdb'/></disk></devices></domain>"
    )
    assert not xml.is_machine(text)
    assert xml.plugged_volumes(text) == {}


def test_there_are_as_many_slots_as_letters() -> None:
    assert [xml.device_name(slot) for slot in (0, 1, 25)] == ["vda", "vdb", "vdz"]
    with pytest.raises(ValueError, match="no disk slot"):
        xml.device_name(26)
