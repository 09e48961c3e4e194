"""The fleets a cloud can have. Only the orchestrator's main program chooses one."""

import os

from orchestrator.driver.ports import Drivers, Fleet, Refused
from orchestrator.settings import Settings


class LocalFleet:
    """A fleet of one host: this machine. Its first host id is kept; there is no second."""

    def __init__(self, settings: Settings, drivers: Drivers) -> None:
        self._mark = settings.home / "run" / "host"
        self._drivers = drivers

    def host(self, host_id: str) -> Drivers:
        """This machine's drivers; Refused when this machine is another host already."""
        if self._whose(host_id) != host_id:
            raise Refused("this machine is another host of the cloud already")
        return self._drivers

    def _whose(self, host_id: str) -> str:
        if not self._mark.exists():
            self._mark.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            draft = self._mark.with_name(f"host.{os.getpid()}")
            draft.write_text(host_id)
            draft.replace(self._mark)
        return self._mark.read_text()


def fleet(settings: Settings) -> Fleet:
    """The fleet that the settings name."""
    if settings.hypervisor == "memory":
        from orchestrator.driver.memory.fleet import memory_fleet
        from orchestrator.driver.memory.world import World

        return memory_fleet(World(settings.home / "world"))
    # Imported only here: libvirt's binding is not there where guests are simulated.
    from orchestrator.driver.local import local_drivers

    drivers = local_drivers(settings.home, settings.tag, settings.machine_type)
    return LocalFleet(settings, drivers)
