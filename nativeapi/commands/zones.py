"""Regions, zones, pods and clusters."""

from typing import Annotated

from nativeapi.call import Call
from nativeapi.declare import Choices, Page, Range, Role, Visible, Wire
from nativeapi.listing import Listing, ident, page, slice_of
from nativeapi.registry import command
from nativeapi.views.zones import (
    ClusterView,
    PodView,
    RegionView,
    ZoneView,
    cluster_views,
    pod_views,
    region_view,
    zone_views,
)
from orchestrator.faults import invalid
from orchestrator.resources import zones
from orchestrator.schema.zones import Allocation, Cluster, Pod, Region, Zone


@command("listRegions", role=Role.USER, since="1.0")
class ListRegions(Listing):
    """List the regions of the cloud."""

    id: Annotated[int | None, Range(0), "the region's number"] = None
    name: Annotated[str | None, "the region's name"] = None

    def run(self, call: Call) -> Page[RegionView]:
        found = slice_of(zones.regions(call.db), self._wants, self.window(call))
        return Page([region_view(row) for row in found.rows], found.total)

    def _wants(self, row: Region) -> bool:
        return (
            self.id in (None, row.number)
            and self.name in (None, row.name)
            and self.matches(row.name)
        )


@command("createZone", role=Role.ADMIN, since="1.0")
class CreateZone:
    """Create a zone."""

    name: Annotated[str, "the zone's name"]
    network_type: Annotated[str, Choices("Basic", "Advanced"), "how guests are connected"]
    dns1: Annotated[str, "first name server of guests"]
    dns2: Annotated[str | None, "second name server of guests"] = None
    internal_dns1: Annotated[str, "name server of the cloud itself"]
    domain: Annotated[str | None, "network domain of guests' names"] = None
    security_group_enabled: Annotated[bool, "whether security groups are offered in it"] = True
    allocation_state: Annotated[Allocation, "Enabled when new things may be placed in it"] = (
        Allocation.ENABLED
    )

    def run(self, call: Call) -> ZoneView:
        zone = zones.create(
            call.db,
            name=self.name,
            network_type=self.network_type,
            security_groups=self.security_group_enabled,
            dns1=self.dns1,
            dns2=self.dns2,
            internal_dns1=self.internal_dns1,
            domain=self.domain,
            allocation=self.allocation_state,
        )
        return zone_views(call, [zone])[0]


@command("listZones", role=Role.USER, since="1.0")
class ListZones(Listing):
    """List the zones of the cloud."""

    zone: Annotated[Visible[Zone] | None, Wire("id"), "the zone"] = None
    name: Annotated[str | None, "the zone's name"] = None
    available: Annotated[bool, "only zones in which things may be placed"] = False

    def run(self, call: Call) -> Page[ZoneView]:
        found = zones.page(
            call.db,
            self.window(call),
            ident=ident(self.zone),
            name=self.name,
            available=self.available,
            keyword=self.keyword,
        )
        return page(call, found, zone_views)


@command("updateZone", role=Role.ADMIN, since="1.0")
class UpdateZone:
    """Change a zone."""

    zone: Annotated[Visible[Zone], Wire("id"), "the zone"]
    name: Annotated[str | None, "its new name"] = None
    dns1: Annotated[str | None, "first name server of guests"] = None
    allocation_state: Annotated[
        Allocation | None, "Enabled when new things may be placed in it"
    ] = None

    def run(self, call: Call) -> ZoneView:
        zones.update(
            call.db,
            self.zone,
            name=self.name,
            allocation=self.allocation_state,
            dns1=self.dns1,
        )
        return zone_views(call, [self.zone])[0]


@command("createPod", role=Role.ADMIN, since="1.0")
class CreatePod:
    """Create a pod in a zone."""

    zone: Annotated[Visible[Zone], Wire("zoneid"), "the zone it belongs to"]
    name: Annotated[str, "the pod's name"]
    gateway: Annotated[str, "gateway of the hosts' subnet"]
    netmask: Annotated[str, "netmask of the hosts' subnet"]
    start_ip: Annotated[str, "first address reserved for the cloud itself"]
    end_ip: Annotated[str | None, "last address reserved for the cloud itself"] = None

    def run(self, call: Call) -> PodView:
        pod = zones.create_pod(
            call.db,
            self.zone,
            name=self.name,
            gateway=self.gateway,
            netmask=self.netmask,
            start_ip=self.start_ip,
            end_ip=self.end_ip,
        )
        return pod_views(call, [pod])[0]


@command("listPods", role=Role.ADMIN, since="1.0")
class ListPods(Listing):
    """List pods."""

    pod: Annotated[Visible[Pod] | None, Wire("id"), "the pod"] = None
    name: Annotated[str | None, "the pod's name"] = None
    zone: Annotated[Visible[Zone] | None, Wire("zoneid"), "only pods of this zone"] = None

    def run(self, call: Call) -> Page[PodView]:
        found = zones.page_pods(
            call.db,
            self.window(call),
            ident=ident(self.pod),
            name=self.name,
            zone_id=ident(self.zone),
            keyword=self.keyword,
        )
        return page(call, found, pod_views)


@command("addCluster", role=Role.ADMIN, since="1.0")
class AddCluster:
    """Add a cluster to a pod."""

    zone: Annotated[Visible[Zone], Wire("zoneid"), "the zone it belongs to"]
    pod: Annotated[Visible[Pod], Wire("podid"), "the pod it belongs to"]
    name: Annotated[str, Wire("clustername"), "the cluster's name"]
    hypervisor: Annotated[str, "what its hosts run: KVM"]
    cluster_type: Annotated[str, Choices("CloudManaged"), "who manages it"]

    def run(self, call: Call) -> Page[ClusterView]:
        if self.pod.zone_id != self.zone.id:
            raise invalid("pod", "The pod belongs to another zone.", field="podid")
        cluster = zones.create_cluster(
            call.db, self.pod, name=self.name, hypervisor=self.hypervisor
        )
        return Page(cluster_views(call, [cluster]), 1)


@command("listClusters", role=Role.ADMIN, since="1.0")
class ListClusters(Listing):
    """List clusters."""

    cluster: Annotated[Visible[Cluster] | None, Wire("id"), "the cluster"] = None
    name: Annotated[str | None, "the cluster's name"] = None
    zone: Annotated[Visible[Zone] | None, Wire("zoneid"), "only clusters of this zone"] = None
    pod: Annotated[Visible[Pod] | None, Wire("podid"), "only clusters of this pod"] = None

    def run(self, call: Call) -> Page[ClusterView]:
        found = zones.page_clusters(
            call.db,
            self.window(call),
            ident=ident(self.cluster),
            name=self.name,
            zone_id=ident(self.zone),
            pod_id=ident(self.pod),
            keyword=self.keyword,
        )
        return page(call, found, cluster_views)
