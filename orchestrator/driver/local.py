"""This machine's own drivers, put together: libvirt for machines, files for disks, Linux networks.

Constructing them touches nothing: no connection is opened and no daemon started before the first
verb. The libvirt daemon is started, or started again, whenever a connection has to be opened.
"""

from pathlib import Path

from orchestrator.driver.libvirt.buckets import BucketStorage
from orchestrator.driver.libvirt.connection import Connection
from orchestrator.driver.libvirt.daemon import ensure_daemon
from orchestrator.driver.libvirt.machines import LibvirtHypervisor
from orchestrator.driver.libvirt.probe import Accelerator
from orchestrator.driver.linux.networks import LinuxNetwork
from orchestrator.driver.places import Places
from orchestrator.driver.ports import Drivers


def local_drivers(home: Path, tag: str, machine_type: str = "auto") -> Drivers:
    """The drivers of the machine that we are on, for one cloud.

    Args:
        home: the cloud's folder; lasting state goes below it.
        tag: the cloud's tag, part of every name outside the home; see ``places.tag_of``.
        machine_type: ``kvm``, ``qemu`` (emulation), or ``auto`` to find out with a probe guest.
    """
    places = Places(home.absolute(), tag)
    connection = Connection(lambda: ensure_daemon(places.home, tag))
    accelerator = Accelerator(machine_type)
    return Drivers(
        hypervisor=LibvirtHypervisor(connection, places, accelerator.choose),
        storage=BucketStorage(places.home / "staging"),
        network=LinuxNetwork(places),
    )
