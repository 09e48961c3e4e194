"""libvirt's XML: one small builder per element, and the little we read back.

What a guest sees: an i440FX machine with ACPI, virtio disks whose serial number is the volume's
EC2 id without the dash (``vol`` and 17 digits, exactly the 20 characters that virtio-blk has room
for), virtio network cards, a virtio random number generator, and a serial console.

cloud-init's strict check for EC2 wants an SMBIOS system UUID that begins with ``ec2`` and a system
serial number equal to it. libvirt insists that the SMBIOS UUID is the domain's own, so the domain's
UUID is the machine's id with its first three digits replaced; the id itself is the domain's name.
"""

from dataclasses import dataclass
from pathlib import Path

import xmltodict
from lxml import etree

from orchestrator import ids
from orchestrator.driver.libvirt import layout
from orchestrator.driver.ports import Disk, Machine, Nic

NAMESPACE = "urn:pileus:machine:1"
_MIB = 1024 * 1024
# Emulation keeps translated code. The default cache is larger than a small guest's memory; one
# that is too small is emptied over and over by a large guest.
_LEAST_CACHE_MIB = 32
_CACHE_SHARE = 4


@dataclass(frozen=True)
class Surroundings:
    """What a machine's definition takes from its host: files, and ``kvm`` or ``qemu``."""

    accelerator: str
    console: Path
    display: Path


def domain(machine: Machine, where: Surroundings) -> str:
    """The whole definition of a machine."""
    root = etree.Element("domain", type=where.accelerator)
    _text(root, "name", machine.id)
    _text(root, "uuid", smbios_uuid(machine.id))
    _text(root, "title", machine.name)
    root.append(_metadata(machine))
    _text(root, "memory", str(machine.memory // _MIB), unit="MiB")
    _text(root, "vcpu", str(machine.cpus))
    root.append(_sysinfo(machine))
    root.append(_firmware())
    root.append(_features(where.accelerator, machine.memory // _MIB))
    root.append(_processor(where.accelerator))
    for event, act in (("poweroff", "destroy"), ("reboot", "restart"), ("crash", "destroy")):
        _text(root, f"on_{event}", act)
    root.append(_devices(machine, where))
    return _printed(root)


def disk(plugged: Disk) -> str:
    """One disk, as it is plugged into a running machine."""
    return _printed(_disk(plugged))


def smbios_uuid(machine_id: str) -> str:
    """The UUID that the guest's firmware shows: the machine's id, beginning with ``ec2``."""
    return "ec2" + machine_id[3:]


def device_name(slot: int) -> str:
    """The name of a slot: vda, vdb, … vdz."""
    if not 0 <= slot < 26:
        raise ValueError(f"there is no disk slot {slot}")
    return f"vd{chr(ord('a') + slot)}"


def is_machine(text: str) -> bool:
    """Whether a definition is one of ours."""
    return f"xmlns:pileus='{NAMESPACE}'" in text or f'xmlns:pileus="{NAMESPACE}"' in text


def plugged_volumes(text: str) -> dict[str, str]:
    """The volumes in a definition, each with its device name."""
    devices = xmltodict.parse(text, force_list=("disk",))["domain"]["devices"]
    found = {}
    for each in devices.get("disk", ()):
        volume = layout.volume_of(each.get("source", {}).get("@file", ""))
        if volume is not None:
            found[volume] = each["target"]["@dev"]
    return found


def disk_with(text: str, volume_id: str) -> str | None:
    """The volume's disk element, exactly as the definition has it; None when it is not there."""
    for each in etree.fromstring(text).iterfind("devices/disk"):
        source = each.find("source")
        if source is not None and layout.volume_of(source.get("file", "")) == volume_id:
            return _printed(each)
    return None


def _metadata(machine: Machine) -> etree._Element:
    metadata = etree.Element("metadata")
    ours = etree.SubElement(metadata, f"{{{NAMESPACE}}}machine", nsmap={"pileus": NAMESPACE})
    ours.set("id", machine.id)
    return metadata


def _sysinfo(machine: Machine) -> etree._Element:
    sysinfo = etree.Element("sysinfo", type="smbios")
    system = etree.SubElement(sysinfo, "system")
    uuid = smbios_uuid(machine.id)
    entries = {"manufacturer": "Pileus", "product": "Pileus EC2", "serial": uuid, "uuid": uuid}
    for name, value in entries.items():
        _text(system, "entry", value, name=name)
    return sysinfo


def _firmware() -> etree._Element:
    firmware = etree.Element("os")
    _text(firmware, "type", "hvm", arch="x86_64", machine="pc")
    etree.SubElement(firmware, "boot", dev="hd")
    etree.SubElement(firmware, "smbios", mode="sysinfo")
    return firmware


def _features(accelerator: str, memory: int) -> etree._Element:
    features = etree.Element("features")
    etree.SubElement(features, "acpi")
    etree.SubElement(features, "apic")
    if accelerator == "qemu":
        emulation = etree.SubElement(features, "tcg")
        cache = max(_LEAST_CACHE_MIB, memory // _CACHE_SHARE)
        _text(emulation, "tb-cache", str(cache), unit="MiB")
    return features


def _processor(accelerator: str) -> etree._Element:
    if accelerator == "kvm":
        return etree.Element("cpu", mode="host-passthrough")
    processor = etree.Element("cpu", mode="custom", match="exact")
    # Of the old models the one to which a guest need not apply the costly guard against Meltdown.
    _text(processor, "model", "Opteron_G3")
    return processor


def _devices(machine: Machine, where: Surroundings) -> etree._Element:
    devices = etree.Element("devices")
    devices.extend(_disk(each) for each in machine.disks)
    devices.extend(_nic(each) for each in machine.nics)
    devices.append(_serial(where.console))
    devices.append(_display(where.display))
    video = etree.SubElement(devices, "video")
    etree.SubElement(video, "model", type="vga")
    etree.SubElement(devices, "memballoon", model="virtio")
    random = etree.SubElement(devices, "rng", model="virtio")
    _text(random, "backend", "/dev/urandom", model="random")
    return devices


def _disk(plugged: Disk) -> etree._Element:
    element = etree.Element("disk", type="file", device="disk")
    etree.SubElement(element, "driver", name="qemu", type="qcow2", cache="none", discard="unmap")
    etree.SubElement(element, "source", file=str(layout.disk_path(plugged.pool, plugged.volume)))
    etree.SubElement(element, "target", dev=device_name(plugged.slot), bus="virtio")
    _text(element, "serial", "vol" + ids.short(plugged.volume))
    return element


def _nic(nic: Nic) -> etree._Element:
    element = etree.Element("interface", type="bridge")
    etree.SubElement(element, "mac", address=nic.mac)
    etree.SubElement(element, "source", bridge=nic.bridge)
    etree.SubElement(element, "target", dev=nic.device)
    etree.SubElement(element, "model", type="virtio")
    # Nobody boots from the network: without its ROM the firmware does not try.
    etree.SubElement(element, "rom", enabled="no")
    return element


def _serial(log: Path) -> etree._Element:
    element = etree.Element("serial", type="file")
    # Appending, so that the log can be cut short while the guest writes.
    etree.SubElement(element, "source", path=str(log), append="on")
    etree.SubElement(element, "target", port="0")
    return element


def _display(socket: Path) -> etree._Element:
    element = etree.Element("graphics", type="vnc")
    etree.SubElement(element, "listen", type="socket", socket=str(socket))
    return element


def _text(parent: etree._Element, tag: str, text: str, **attributes: str) -> None:
    etree.SubElement(parent, tag, attributes).text = text


def _printed(element: etree._Element) -> str:
    return etree.tostring(element, encoding="unicode", with_tail=False)
