"""Regions, zones, pods and clusters on the wire."""

from collections.abc import Sequence
from typing import Annotated

from nativeapi.call import Call
from nativeapi.declare import View
from nativeapi.references import noun
from orchestrator.resources import zones
from orchestrator.schema.zones import Cluster, Pod, Region, Zone


class RegionView(View, noun="region"):
    """A region."""

    id: Annotated[int, "the region's number"]
    name: Annotated[str, "the region's name"]
    endpoint: Annotated[str, "where its native API is"]


class ZoneView(View, noun="zone"):
    """A zone."""

    id: Annotated[str, "the zone's id"]
    name: Annotated[str, "the zone's name"]
    dns1: Annotated[str, "first name server of guests"]
    dns2: Annotated[str | None, "second name server of guests"]
    internaldns1: Annotated[str, "name server of the cloud itself"]
    domain: Annotated[str | None, "network domain of guests' names"]
    networktype: Annotated[str, "Basic or Advanced"]
    securitygroupsenabled: Annotated[bool, "whether security groups are offered in it"]
    allocationstate: Annotated[str, "Enabled when new things may be placed in it"]
    dhcpprovider: Annotated[str, "who answers DHCP"]
    localstorageenabled: Annotated[bool, "whether disks may lie on a host's own storage"]


class PodView(View, noun="pod"):
    """A pod."""

    id: Annotated[str, "the pod's id"]
    name: Annotated[str, "the pod's name"]
    zoneid: Annotated[str, "the zone's id"]
    zonename: Annotated[str, "the zone's name"]
    gateway: Annotated[str, "gateway of the hosts' subnet"]
    netmask: Annotated[str, "netmask of the hosts' subnet"]
    startip: Annotated[str, "first address reserved for the cloud itself"]
    endip: Annotated[str | None, "last address reserved for the cloud itself"]
    allocationstate: Annotated[str, "Enabled when new things may be placed in it"]


class ClusterView(View, noun="cluster"):
    """A cluster."""

    id: Annotated[str, "the cluster's id"]
    name: Annotated[str, "the cluster's name"]
    podid: Annotated[str, "the pod's id"]
    podname: Annotated[str, "the pod's name"]
    zoneid: Annotated[str, "the zone's id"]
    zonename: Annotated[str, "the zone's name"]
    hypervisortype: Annotated[str, "what its hosts run"]
    clustertype: Annotated[str, "who manages it; CloudManaged is this cloud"]
    allocationstate: Annotated[str, "Enabled when new things may be placed in it"]
    managedstate: Annotated[str, "whether this cloud manages it"]


def region_view(region: Region) -> RegionView:
    """A region."""
    return RegionView(id=region.number, name=region.name, endpoint=region.endpoint)


def zone_views(_call: Call, rows: Sequence[Zone]) -> list[ZoneView]:
    """Zones."""
    return [
        ZoneView(
            id=row.id,
            name=row.name,
            dns1=row.dns1,
            dns2=row.dns2,
            internaldns1=row.internal_dns1,
            domain=row.domain,
            networktype=row.network_type,
            securitygroupsenabled=row.security_groups,
            allocationstate=row.allocation,
            dhcpprovider="VirtualRouter",
            localstorageenabled=True,
        )
        for row in rows
    ]


def pod_views(call: Call, rows: Sequence[Pod]) -> list[PodView]:
    """Pods, with their zones."""
    names = zones.names(call.db, {row.zone_id for row in rows})
    return [
        PodView(
            id=row.id,
            name=row.name,
            zoneid=row.zone_id,
            zonename=names[row.zone_id],
            gateway=row.gateway,
            netmask=row.netmask,
            startip=row.start_ip,
            endip=row.end_ip,
            allocationstate=row.allocation,
        )
        for row in rows
    ]


def cluster_views(call: Call, rows: Sequence[Cluster]) -> list[ClusterView]:
    """Clusters, with their pods and zones."""
    names = zones.names(call.db, {row.zone_id for row in rows})
    pods = zones.pods(call.db, {row.pod_id for row in rows})
    return [
        ClusterView(
            id=row.id,
            name=row.name,
            podid=row.pod_id,
            podname=pods[row.pod_id].name,
            zoneid=row.zone_id,
            zonename=names[row.zone_id],
            hypervisortype=row.hypervisor,
            clustertype="CloudManaged",
            allocationstate=row.allocation,
            managedstate="Managed",
        )
        for row in rows
    ]


noun(Zone, ZoneView, "zone", visible=zones.find, views=zone_views)
noun(Pod, PodView, "pod", visible=zones.find_pod, views=pod_views)
noun(Cluster, ClusterView, "cluster", visible=zones.find_cluster, views=cluster_views)
