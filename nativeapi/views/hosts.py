"""Hosts on the wire."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

from nativeapi.call import Call
from nativeapi.declare import View
from nativeapi.references import noun
from orchestrator.resources import hosts, zones
from orchestrator.schema.zones import Host


class HostView(View, noun="host"):
    """A host."""

    id: Annotated[str, "the host's id"]
    name: Annotated[str, "the host's name"]
    state: Annotated[str, "whether it can be reached: Up, Connecting, Disconnected, Error"]
    type: Annotated[str, "Routing is a host of guests"]
    ipaddress: Annotated[str, "its address"]
    zoneid: Annotated[str, "the zone's id"]
    zonename: Annotated[str, "the zone's name"]
    podid: Annotated[str, "the pod's id"]
    podname: Annotated[str, "the pod's name"]
    clusterid: Annotated[str, "the cluster's id"]
    clustername: Annotated[str, "the cluster's name"]
    clustertype: Annotated[str, "who manages the cluster"]
    version: Annotated[str | None, "version of what it runs"]
    hypervisor: Annotated[str, "what it runs"]
    cpunumber: Annotated[int, "its processors"]
    cpuspeed: Annotated[int, "clock of a processor, in MHz"]
    cpuallocated: Annotated[str, "share of its processors that instances hold, like 12%"]
    memorytotal: Annotated[int, "its memory, in bytes"]
    memoryallocated: Annotated[int, "memory that instances hold, in bytes"]
    capabilities: Annotated[str, "what its hypervisor really uses: kvm, qemu or memory"]
    lastpinged: Annotated[datetime | None, "when it was last seen"]
    created: Annotated[datetime, "when it was added"]
    resourcestate: Annotated[str, "Enabled when new things may be placed on it"]


def host_views(call: Call, rows: Sequence[Host]) -> list[HostView]:
    """Hosts, with where they stand."""
    names = zones.names(call.db, {row.zone_id for row in rows})
    pods = zones.pods(call.db, {row.pod_id for row in rows})
    clusters = zones.clusters(call.db, {row.cluster_id for row in rows})
    return [
        HostView(
            id=row.id,
            name=row.name,
            state=row.state,
            type="Routing",
            ipaddress=row.name,
            zoneid=row.zone_id,
            zonename=names[row.zone_id],
            podid=row.pod_id,
            podname=pods[row.pod_id].name,
            clusterid=row.cluster_id,
            clustername=clusters[row.cluster_id].name,
            clustertype="CloudManaged",
            version=row.version,
            hypervisor=clusters[row.cluster_id].hypervisor,
            cpunumber=row.cpus,
            cpuspeed=row.clock,
            cpuallocated=_share(row.mhz_taken, row.mhz),
            memorytotal=row.memory,
            memoryallocated=row.memory_taken,
            capabilities=row.hypervisor or "",
            lastpinged=row.observed,
            created=row.created,
            resourcestate=row.allocation,
        )
        for row in rows
    ]


def _share(part: int, whole: int) -> str:
    return f"{100 * part / whole:.2f}%" if whole else "0%"


noun(Host, HostView, "host", visible=hosts.find, views=host_views)
