"""Machines on libvirt: the Hypervisor port.

A machine is a libvirt domain whose name is its id. Nothing is remembered here: every verb looks at
the domain, does what is missing, and when libvirt objects looks again, for a twin may have been
first. Definitions are rewritten at every start, so a left-over of a crash never matters.
"""

import time
from collections.abc import Callable, Mapping
from typing import Any

import libvirt

from orchestrator.driver.libvirt import xml
from orchestrator.driver.libvirt.connection import (
    Connection,
    attempted,
    described,
    found,
    gone_is_fine,
    translated,
)
from orchestrator.driver.libvirt.consoles import Consoles
from orchestrator.driver.places import Places
from orchestrator.driver.ports import (
    Disk,
    HostFacts,
    Machine,
    MachineFacts,
    NoSpace,
    Power,
    Refused,
    Transient,
)

_LIVE = libvirt.VIR_DOMAIN_AFFECT_LIVE
_LASTING = libvirt.VIR_DOMAIN_AFFECT_CONFIG
_UNDEFINE = libvirt.VIR_DOMAIN_UNDEFINE_MANAGED_SAVE | libvirt.VIR_DOMAIN_UNDEFINE_NVRAM
_POLL = 0.2
# A guest that is still booting does not hear the power button or an unplug request: ask again.
_ASK_AGAIN = 4.0


class LibvirtHypervisor:
    """Runs machines on this host's libvirt.

    Args:
        connection: to the cloud's own libvirt daemon.
        places: where console logs and display sockets go.
        accelerator: says ``kvm`` or ``qemu``; asked when first needed, may take seconds.
        patience: seconds a guest may take to let go of a disk.
    """

    def __init__(
        self,
        connection: Connection,
        places: Places,
        accelerator: Callable[[], str],
        patience: float = 40,
    ) -> None:
        self._connection = connection
        self._displays = places.displays
        self._consoles = Consoles(places.consoles)
        self._accelerator = accelerator
        self._patience = patience

    def facts(self) -> HostFacts:
        """Processors, memory and emulator version as libvirt reports them."""
        with self._connection.use() as link:
            _model, _mebibytes, cpus, mhz, *_rest = link.getInfo()
            memory = _memory(link)
            number = link.getVersion()
        version = f"{number // 1_000_000}.{number // 1000 % 1000}.{number % 1000}"
        return HostFacts(self._accelerator(), version, cpus, mhz, memory)

    def observe(self) -> Mapping[str, MachineFacts]:
        """Every domain that carries our mark, by name."""
        facts = {}
        with self._connection.use() as link:
            for domain in link.listAllDomains(0):
                text = described(domain, lasting=False)
                power = Power.STOPPED if text is None else Power.RUNNING
                text = text or described(domain, lasting=True)
                if text is not None and xml.is_machine(text):
                    volumes = frozenset(xml.plugged_volumes(text))
                    facts[domain.name()] = MachineFacts(power, volumes)
        self._consoles.trim(facts)
        return facts

    def ensure_running(self, machine: Machine) -> None:
        """Define the domain afresh and start it. NoSpace when the host has less memory."""
        accelerator = self._accelerator()
        with self._connection.use() as link:
            domain = found(link, machine.id)
            if domain is not None and _is_running(domain):
                _ensure_awake(domain)
                return
            if machine.memory > _memory(link):
                raise NoSpace(f"the host has less memory than machine {machine.id} needs")
            self._displays.mkdir(parents=True, exist_ok=True)
            console = self._consoles.begin(machine.id)
            display = self._displays / f"{machine.id}.sock"
            where = xml.Surroundings(accelerator, console, display)
            domain = link.defineXML(xml.domain(machine, where))
            error = attempted(domain.create)
            if error is not None and not _is_running(domain):
                raise error

    def ensure_stopped(self, machine_id: str, patience: float) -> None:
        """Press the power button, wait, pull the plug, undefine."""
        with self._connection.use() as link:
            domain = found(link, machine_id)
            if domain is None:
                return
            if patience > 0:
                _press_button(domain, patience)
            with gone_is_fine():
                if _is_running(domain):
                    domain.destroy()
            with gone_is_fine():
                domain.undefineFlags(_UNDEFINE)
        (self._displays / f"{machine_id}.sock").unlink(missing_ok=True)

    def ensure_rebooted(self, machine_id: str) -> None:
        """Reset a running machine, as the reset button does."""
        with self._connection.use() as link:
            domain = found(link, machine_id)
            if domain is not None and _is_running(domain):
                with gone_is_fine():
                    domain.reset(0)

    def ensure_attached(self, machine_id: str, disk: Disk) -> None:
        """Plug a disk into the running machine and its definition."""
        with self._connection.use() as link:
            domain = found(link, machine_id)
            if domain is None or not _is_running(domain):
                raise Refused(f"machine {machine_id} is not running")
            for flag in (_LIVE, _LASTING):
                if _is_plugged(domain, disk, flag):
                    continue
                error = attempted(domain.attachDeviceFlags, xml.disk(disk), flag)
                if error is not None and not _is_plugged(domain, disk, flag):
                    raise error

    def ensure_detached(self, machine_id: str, volume_id: str) -> None:
        """Unplug a disk. Transient when the guest does not let go of it in time."""
        with self._connection.use() as link:
            domain = found(link, machine_id)
            if domain is None:
                return
            self._unplug_live(domain, volume_id)
            _strike(domain, volume_id)

    def _unplug_live(self, domain: Any, volume_id: str) -> None:
        deadline = time.monotonic() + self._patience
        again = 0.0
        last: Exception | None = None
        while (element := _element(domain, volume_id, _LIVE)) is not None:
            now = time.monotonic()
            if now > deadline:
                raise Transient(f"the guest does not let go of volume {volume_id}: {last}")
            if now >= again:
                last = attempted(domain.detachDeviceFlags, element, _LIVE)
                again = now + _ASK_AGAIN
            time.sleep(_POLL)


def _memory(link: Any) -> int:
    """Bytes of the whole host; the ``getInfo`` figure is one NUMA cell's on some machines."""
    return int(link.getMemoryStats(libvirt.VIR_NODE_MEMORY_STATS_ALL_CELLS)["total"]) * 1024


def _strike(domain: Any, volume_id: str) -> None:
    """Take the volume out of the definition."""
    element = _element(domain, volume_id, _LASTING)
    if element is None:
        return
    error = attempted(domain.detachDeviceFlags, element, _LASTING)
    if error is not None and _element(domain, volume_id, _LASTING) is not None:
        raise error


def _element(domain: Any, volume_id: str, flag: int) -> str | None:
    text = described(domain, lasting=flag == _LASTING)
    return None if text is None else xml.disk_with(text, volume_id)


def _is_plugged(domain: Any, disk: Disk, flag: int) -> bool:
    text = described(domain, lasting=flag == _LASTING)
    plugged = {} if text is None else xml.plugged_volumes(text)
    slot = xml.device_name(disk.slot)
    if plugged.get(disk.volume, slot) != slot:
        raise Refused(f"volume {disk.volume} is in another slot")
    if any(device == slot and volume != disk.volume for volume, device in plugged.items()):
        raise Refused(f"slot {disk.slot} is taken")
    return disk.volume in plugged


def _is_running(domain: Any) -> bool:
    try:
        return bool(domain.isActive())
    except libvirt.libvirtError as error:
        if error.get_error_code() == libvirt.VIR_ERR_NO_DOMAIN:
            return False
        raise translated(error) from error


def _ensure_awake(domain: Any) -> None:
    """A start that was cut short leaves the guest paused."""
    with gone_is_fine():
        state, _reason = domain.state()
        if state == libvirt.VIR_DOMAIN_PAUSED:
            domain.resume()


def _press_button(domain: Any, patience: float) -> None:
    deadline = time.monotonic() + patience
    again = 0.0
    while _is_running(domain) and (now := time.monotonic()) < deadline:
        if now >= again:
            with gone_is_fine():
                domain.shutdownFlags(libvirt.VIR_DOMAIN_SHUTDOWN_ACPI_POWER_BTN)
            again = now + _ASK_AGAIN
        time.sleep(_POLL)
