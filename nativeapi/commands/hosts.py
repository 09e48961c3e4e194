"""Hosts."""

from typing import Annotated

from nativeapi.call import Call
from nativeapi.declare import Choices, Page, Role, Visible, Wire
from nativeapi.listing import Listing, ident, page
from nativeapi.registry import command
from nativeapi.views.hosts import HostView, host_views
from orchestrator.faults import invalid
from orchestrator.resources import hosts
from orchestrator.schema.zones import Cluster, Host, Pod, Zone
from orchestrator.workflows import hosts as work


@command("addHost", role=Role.ADMIN, since="1.0")
class AddHost:
    """Add a host to a cluster. It is Up once it has been connected."""

    zone: Annotated[Visible[Zone], Wire("zoneid"), "the zone it belongs to"]
    pod: Annotated[Visible[Pod], Wire("podid"), "the pod it belongs to"]
    cluster: Annotated[Visible[Cluster], Wire("clusterid"), "the cluster it belongs to"]
    url: Annotated[str, "where it is: http://name-or-address"]
    hypervisor: Annotated[str, Choices("KVM"), "what it runs"]
    username: Annotated[str, "user to log in as; a host of this machine needs none"]
    password: Annotated[str, "that user's password; it is not kept"]

    def run(self, call: Call) -> Page[HostView]:
        if (self.cluster.zone_id, self.cluster.pod_id) != (self.zone.id, self.pod.id):
            text = "The cluster belongs to another zone or pod."
            raise invalid("cluster", text, field="clusterid")
        host = hosts.create(call.db, self.cluster, self.url)
        work.connect(call, host)
        return Page(host_views(call, [host]), 1)


@command("listHosts", role=Role.ADMIN, since="1.0")
class ListHosts(Listing):
    """List hosts."""

    host: Annotated[Visible[Host] | None, Wire("id"), "the host"] = None
    name: Annotated[str | None, "the host's name"] = None
    type: Annotated[str | None, Choices("Routing"), "only hosts of guests; there are no others"] = (
        None
    )
    state: Annotated[str | None, "only hosts in this state"] = None
    zone: Annotated[Visible[Zone] | None, Wire("zoneid"), "only hosts of this zone"] = None
    pod: Annotated[Visible[Pod] | None, Wire("podid"), "only hosts of this pod"] = None
    cluster: Annotated[Visible[Cluster] | None, Wire("clusterid"), "only hosts of this cluster"] = (
        None
    )

    def run(self, call: Call) -> Page[HostView]:
        found = hosts.page(
            call.db,
            self.window(call),
            ident=ident(self.host),
            name=self.name,
            zone_id=ident(self.zone),
            pod_id=ident(self.pod),
            cluster_id=ident(self.cluster),
            state=self.state,
            keyword=self.keyword,
        )
        return page(call, found, host_views)
