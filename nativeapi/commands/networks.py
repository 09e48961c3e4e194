"""Guest networks, their kinds and their address ranges."""

from typing import Annotated

from nativeapi.call import Call
from nativeapi.declare import Choices, Length, Page, Role, Visible, Wire
from nativeapi.listing import Listing, ident, page, slice_of
from nativeapi.registry import command
from nativeapi.views.networks import (
    IpRangeView,
    NetworkOfferingView,
    NetworkView,
    ip_range_views,
    network_offering_views,
    network_views,
)
from orchestrator.faults import invalid
from orchestrator.resources import networks
from orchestrator.resources.networkofferings import OFFERINGS, NetworkOffering
from orchestrator.schema.networks import IpRange, Network
from orchestrator.schema.zones import Pod, Zone


@command("listNetworkOfferings", role=Role.USER, since="1.0")
class ListNetworkOfferings(Listing):
    """List the kinds of guest networks."""

    offering: Annotated[Visible[NetworkOffering] | None, Wire("id"), "the offering"] = None
    name: Annotated[str | None, "the offering's name"] = None

    def run(self, call: Call) -> Page[NetworkOfferingView]:
        found = slice_of(OFFERINGS, self._wants, self.window(call))
        return page(call, found, network_offering_views)

    def _wants(self, row: NetworkOffering) -> bool:
        return (
            self.offering in (None, row)
            and self.name in (None, row.name)
            and self.matches(row.name, row.display_text)
        )


@command("createNetwork", role=Role.ADMIN, since="1.0")
class CreateNetwork:
    """Create a guest network in a zone."""

    name: Annotated[str, "the network's name"]
    display_text: Annotated[str, Length(1, 255), "what it is, for people"]
    offering: Annotated[Visible[NetworkOffering], Wire("networkofferingid"), "its kind"]
    zone: Annotated[Visible[Zone], Wire("zoneid"), "the zone it belongs to"]

    def run(self, call: Call) -> NetworkView:
        network = networks.create(
            call.db,
            self.zone,
            call.caller.account_id,
            name=self.name,
            display_text=self.display_text,
            offering=self.offering.name,
        )
        return network_views(call, [network])[0]


@command("listNetworks", role=Role.USER, since="1.0")
class ListNetworks(Listing):
    """List guest networks."""

    network: Annotated[Visible[Network] | None, Wire("id"), "the network"] = None
    zone: Annotated[Visible[Zone] | None, Wire("zoneid"), "only networks of this zone"] = None

    def run(self, call: Call) -> Page[NetworkView]:
        found = networks.page(
            call.db,
            self.window(call),
            ident=ident(self.network),
            zone_id=ident(self.zone),
            keyword=self.keyword,
        )
        return page(call, found, network_views)


@command("createVlanIpRange", role=Role.ADMIN, since="1.0", key="vlan")
class CreateVlanIpRange:
    """Let a guest network give out a range of addresses."""

    network: Annotated[Visible[Network], Wire("networkid"), "the network"]
    zone: Annotated[Visible[Zone] | None, Wire("zoneid"), "the network's zone"] = None
    pod: Annotated[Visible[Pod] | None, Wire("podid"), "the pod the addresses belong to"] = None
    for_virtual_network: Annotated[bool, "must be false: the addresses are the guests' own"] = False
    gateway: Annotated[str, "gateway of the addresses"]
    netmask: Annotated[str, "netmask of the addresses"]
    start_ip: Annotated[str, "the first address"]
    end_ip: Annotated[str | None, "the last address; the first when absent"] = None
    vlan: Annotated[str, Choices("untagged"), "how the addresses are tagged"] = "untagged"

    def run(self, call: Call) -> IpRangeView:
        if self.for_virtual_network:
            text = "Only ranges of guest addresses are offered; give forvirtualnetwork=false."
            raise invalid("network", text, field="forvirtualnetwork")
        if self.zone is not None and self.zone.id != self.network.zone_id:
            raise invalid("zone", "The network belongs to another zone.", field="zoneid")
        if self.pod is not None and self.pod.zone_id != self.network.zone_id:
            raise invalid("pod", "The pod belongs to another zone.", field="podid")
        added = networks.create_range(
            call.db,
            self.network,
            self.pod,
            gateway=self.gateway,
            netmask=self.netmask,
            first=self.start_ip,
            last=self.end_ip or self.start_ip,
        )
        return ip_range_views(call, [added])[0]


@command("listVlanIpRanges", role=Role.ADMIN, since="1.0")
class ListVlanIpRanges(Listing):
    """List the address ranges of guest networks."""

    ip_range: Annotated[Visible[IpRange] | None, Wire("id"), "the range"] = None
    network: Annotated[Visible[Network] | None, Wire("networkid"), "only ranges of this one"] = None
    zone: Annotated[Visible[Zone] | None, Wire("zoneid"), "only ranges of this zone"] = None

    def run(self, call: Call) -> Page[IpRangeView]:
        found = networks.page_ranges(
            call.db,
            self.window(call),
            ident=ident(self.ip_range),
            network_id=ident(self.network),
            zone_id=ident(self.zone),
        )
        return page(call, found, ip_range_views)
