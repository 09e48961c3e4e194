"""What every driver must do, whatever it drives.

A test file gives a fixture ``ground`` (a :class:`Ground`) and subclasses the behaviours that its
driver has, each as a class whose name starts with ``Test``::

    class TestMachines(conformance.Machines): ...

Behaviours that need something special of the ground (a pool that fills up, a site that serves
rubbish) are classes of their own: a driver that cannot show them does not subclass them.

Where guests are slow, a ground has patience and waits for them (``wait_for_guest``), and it may
override ``running`` to lend one booted guest to all tests of :class:`Hotplug`.
"""

from tests.orchestrator.driver.conformance.disks import Crowding, Disks, Fetching, Images
from tests.orchestrator.driver.conformance.ground import Ground
from tests.orchestrator.driver.conformance.machines import Company, Facts, Hotplug, Machines
from tests.orchestrator.driver.conformance.networks import Networks, Routers

__all__ = [
    "Company",
    "Crowding",
    "Disks",
    "Facts",
    "Fetching",
    "Ground",
    "Hotplug",
    "Images",
    "Machines",
    "Networks",
    "Routers",
]
