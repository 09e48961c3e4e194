"""Simulated networks: the Network port over a world. Documents are kept as they were told."""

from orchestrator.driver.memory import shelves
from orchestrator.driver.memory.records import Rows
from orchestrator.driver.memory.world import World
from orchestrator.driver.ports import HostNetwork, NetworkFacts, RouterNetwork, Transient


class MemoryNetwork:
    """Keeps bridges, ports, groups and routers that are records."""

    def __init__(self, world: World, host: str) -> None:
        self._world = world
        self._host = host

    def observe(self) -> NetworkFacts:
        """What stands on the host now."""
        return self._world.observed(self._host, "network.observe", self._standing)

    def ensure_host(self, told: HostNetwork) -> None:
        """Keep the document unless a newer one was told."""
        with self._world.change(self._host, "network.ensure_host") as rows:
            if self._is_news(rows, shelves.WHOLE, told.generation):
                rows.put(shelves.BRIDGES, self._host, shelves.WHOLE, told.bridges)
                rows.put(shelves.PORTS, self._host, shelves.WHOLE, told.ports)
                rows.put(shelves.GROUPS, self._host, shelves.WHOLE, told.groups)

    def ensure_router(self, told: RouterNetwork) -> None:
        """Keep the document unless a newer one was told. Transient without its bridge."""
        with self._world.change(self._host, "network.ensure_router") as rows:
            if not self._is_news(rows, told.network, told.generation):
                return
            bridges = rows.get(shelves.BRIDGES, self._host, shelves.WHOLE) or ()
            if all(told.bridge != bridge.device for bridge in bridges):
                raise Transient(f"host {self._host} has no bridge {told.bridge}")
            rows.put(shelves.ROUTERS, self._host, told.network, told)

    def ensure_router_absent(self, network_id: str) -> None:
        """Forget the router and its generation."""
        with self._world.change(self._host, "network.ensure_router_absent") as rows:
            rows.drop(shelves.ROUTERS, self._host, network_id)
            rows.drop(shelves.GENERATIONS, self._host, network_id)

    def _standing(self, rows: Rows) -> NetworkFacts:
        bridges = rows.get(shelves.BRIDGES, self._host, shelves.WHOLE) or ()
        ports = rows.get(shelves.PORTS, self._host, shelves.WHOLE) or ()
        return NetworkFacts(
            networks=frozenset(bridge.network for bridge in bridges),
            ports=frozenset(port.nic for port in ports),
            routers=rows.ids(shelves.ROUTERS, self._host),
        )

    def _is_news(self, rows: Rows, document: str, generation: int) -> bool:
        """Whether nothing newer was told; the same generation again repairs what drifted."""
        newest = rows.get(shelves.GENERATIONS, self._host, document)
        if newest is not None and generation < newest:
            return False
        rows.put(shelves.GENERATIONS, self._host, document, generation)
        return True
