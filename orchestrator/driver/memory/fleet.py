"""The hosts of a world, as the orchestrator finds them."""

from collections.abc import Mapping

from orchestrator.driver.memory.disks import MemoryStorage
from orchestrator.driver.memory.machines import MemoryHypervisor
from orchestrator.driver.memory.networks import MemoryNetwork
from orchestrator.driver.memory.world import World
from orchestrator.driver.ports import Drivers, HostFacts, Transient

# A host nobody described: 64 CPUs of 2 GHz, 256 GiB.
ORDINARY_HOST = HostFacts(
    hypervisor="memory", version="1.0", cpus=64, mhz=2000, memory=256 * 1024**3
)


class MemoryFleet:
    """Drivers for the hosts of a world, by host id."""

    def __init__(
        self, world: World, hosts: Mapping[str, HostFacts], others: HostFacts | None
    ) -> None:
        self._world = world
        self._hosts = hosts
        self._others = others

    def host(self, host_id: str) -> Drivers:
        """The drivers of a host; Transient when the world has no such host."""
        facts = self._hosts.get(host_id, self._others)
        if facts is None:
            raise Transient(f"there is no host {host_id}")
        return Drivers(
            MemoryHypervisor(self._world, host_id, facts),
            MemoryStorage(self._world, host_id),
            MemoryNetwork(self._world, host_id),
        )


def memory_fleet(
    world: World,
    hosts: Mapping[str, HostFacts] | None = None,
    others: HostFacts | None = ORDINARY_HOST,
) -> MemoryFleet:
    """The hosts described, and any other host that is asked for: each is like ``others``.

    With ``others`` None there are no hosts but those described.
    """
    return MemoryFleet(world, hosts or {}, others)
