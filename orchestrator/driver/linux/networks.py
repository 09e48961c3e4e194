"""The Network port on Linux: bridges, filters and routers in network namespaces of the cloud."""

from orchestrator.driver.linux import bridges, filters, names, namespaces
from orchestrator.driver.linux.applied import Applied, HostRecord, RouterRecord
from orchestrator.driver.linux.routers import Router
from orchestrator.driver.places import Places
from orchestrator.driver.ports import HostNetwork, NetworkFacts, RouterNetwork, Transient


class LinuxNetwork:
    """Networks of one cloud on this host. Everything it makes carries the cloud's tag."""

    def __init__(self, places: Places) -> None:
        self._places = places
        self._namespace = places.host_namespace
        self._applied = Applied(places.network)

    def observe(self) -> NetworkFacts:
        """What really stands, among what was told; a half-dead router does not count."""
        record = self._applied.host_record()
        standing = bridges.present(self._namespace)
        filtered = record.ports if self._has_filters() else {}
        routers = self._applied.routers()
        return NetworkFacts(
            networks=frozenset(n for n, device in record.bridges.items() if device in standing),
            ports=frozenset(filtered),
            routers=frozenset(r.network for r in routers if self._stands(r)),
        )

    def ensure_host(self, told: HostNetwork) -> None:
        """Apply the document, unless a newer one was; the same one is applied again."""
        with self._applied.host() as record:
            if told.generation < record.generation:
                return
            namespaces.ensure(self._namespace)
            bridges.ensure(self._namespace, told.bridges)
            numbers = filters.numbered(told.ports, record.ports)
            known = [(router.bridge, router.gateway) for router in self._applied.routers()]
            self._load(filters.ruleset(told, numbers, known))
            devices = {bridge.network: bridge.device for bridge in told.bridges}
            self._applied.keep_host(HostRecord(told.generation, devices, numbers))

    def ensure_router(self, told: RouterNetwork) -> None:
        """Apply the document, unless a newer one was. Transient while its bridge is missing."""
        with self._applied.router(names.ident(told.network)) as record:
            if record is not None and told.generation < record.generation:
                return
            Router(self._places, told.network).ensure(told)
            gateway = str(told.gateway)
            self._applied.keep_router(
                RouterRecord(told.generation, told.network, told.bridge, gateway)
            )
            with self._applied.host():
                if self._has_filters():
                    self._load(filters.gateway_element(told.bridge, gateway))

    def ensure_router_absent(self, network_id: str) -> None:
        """Remove the router, its services and what it was told."""
        with self._applied.router(names.ident(network_id)):
            Router(self._places, network_id).ensure_absent()
            self._applied.drop_router(network_id)

    def _stands(self, record: RouterRecord) -> bool:
        return Router(self._places, record.network).stands(record.bridge)

    def _has_filters(self) -> bool:
        if not namespaces.exists(self._namespace):
            return False
        listed = namespaces.inside(self._namespace, ["nft", "list", "tables"])
        return {f"table {family} {filters.TABLE}" for family in ("bridge", "ip")} <= set(
            listed.splitlines()
        )

    def _load(self, text: str) -> None:
        try:
            namespaces.inside(self._namespace, ["nft", "-f", "-"], text=text)
        except Transient as error:
            raise Transient(f"nft refuses the rules: {error}") from error
