"""Guest networks, their kinds and their address ranges on the wire."""

from collections.abc import Sequence
from ipaddress import IPv4Address
from typing import Annotated

from nativeapi.call import Call
from nativeapi.declare import View
from nativeapi.references import noun
from orchestrator.resources import accounts, networkofferings, networks, zones
from orchestrator.resources.networkofferings import NetworkOffering
from orchestrator.schema.networks import IpRange, Network


class ServiceView(View, noun="service"):
    """Something a network does for its guests."""

    name: Annotated[str, "the service's name"]


class NetworkOfferingView(View, noun="networkoffering"):
    """A kind of guest network."""

    id: Annotated[str, "the offering's id"]
    name: Annotated[str, "the offering's name"]
    displaytext: Annotated[str, "what it is, for people"]
    traffictype: Annotated[str, "Guest"]
    isdefault: Annotated[bool, "whether it came with the cloud"]
    specifyipranges: Annotated[bool, "whether address ranges are given for its networks"]
    availability: Annotated[str, "Optional: a zone may do without"]
    state: Annotated[str, "Enabled when it can be chosen"]
    guestiptype: Annotated[str, "Shared by all accounts"]
    service: Annotated[tuple[ServiceView, ...], "what it does for guests"]
    forvpc: Annotated[bool, "whether it is for the tiers of a VPC"]


class NetworkView(View, noun="network"):
    """A guest network."""

    id: Annotated[str, "the network's id"]
    name: Annotated[str, "the network's name"]
    displaytext: Annotated[str, "what it is, for people"]
    traffictype: Annotated[str, "Guest"]
    gateway: Annotated[str | None, "its gateway"]
    netmask: Annotated[str | None, "its netmask"]
    cidr: Annotated[str | None, "its range"]
    zoneid: Annotated[str, "the zone's id"]
    zonename: Annotated[str, "the zone's name"]
    networkofferingid: Annotated[str | None, "the offering's id"]
    networkofferingname: Annotated[str, "the offering's name"]
    issystem: Annotated[bool, "whether it is the cloud's own"]
    state: Annotated[str, "Setup"]
    dns1: Annotated[str, "name server of its guests"]
    type: Annotated[str, "Shared by all accounts"]
    acltype: Annotated[str, "who may use it"]
    account: Annotated[str, "the account that owns it"]
    domainid: Annotated[str, "the owner's domain"]
    domain: Annotated[str, "the name of the owner's domain"]
    service: Annotated[tuple[ServiceView, ...], "what it does for guests"]
    networkdomain: Annotated[str, "domain of its guests' names"]
    canusefordeploy: Annotated[bool, "whether instances can be put on it"]


class IpRangeView(View, noun="vlaniprange"):
    """Addresses that a network gives out."""

    id: Annotated[str, "the range's id"]
    forvirtualnetwork: Annotated[bool, "false: the addresses are the guests' own"]
    zoneid: Annotated[str, "the zone's id"]
    vlan: Annotated[str, "untagged"]
    podid: Annotated[str | None, "the pod's id"]
    podname: Annotated[str | None, "the pod's name"]
    gateway: Annotated[str, "gateway of the addresses"]
    netmask: Annotated[str, "netmask of the addresses"]
    startip: Annotated[str, "the first address"]
    endip: Annotated[str, "the last address"]
    networkid: Annotated[str, "the network's id"]


def network_offering_views(
    _call: Call, rows: Sequence[NetworkOffering]
) -> list[NetworkOfferingView]:
    """Kinds of guest networks."""
    return [
        NetworkOfferingView(
            id=row.id,
            name=row.name,
            displaytext=row.display_text,
            traffictype="Guest",
            isdefault=True,
            specifyipranges=True,
            availability="Optional",
            state="Enabled",
            guestiptype="Shared",
            service=_services(row),
            forvpc=False,
        )
        for row in rows
    ]


def network_views(call: Call, rows: Sequence[Network]) -> list[NetworkView]:
    """Guest networks, with their zones and owners."""
    owners = accounts.owners(call.db, {row.account_id for row in rows})
    found = zones.many(call.db, {row.zone_id for row in rows})
    views = []
    for row in rows:
        offering = networkofferings.named(row.offering)
        owner = owners[row.account_id]
        views.append(
            NetworkView(
                id=row.id,
                name=row.name,
                displaytext=row.display_text,
                traffictype="Guest",
                gateway=row.gateway,
                netmask=row.netmask,
                cidr=str(networks.cidr(row)) if row.gateway else None,
                zoneid=row.zone_id,
                zonename=found[row.zone_id].name,
                networkofferingid=offering.id if offering else None,
                networkofferingname=row.offering,
                issystem=False,
                state="Setup",
                dns1=found[row.zone_id].dns1,
                type="Shared",
                acltype="Domain",
                account=owner.account,
                domainid=owner.domain_id,
                domain=owner.domain,
                service=_services(offering),
                networkdomain=row.domain,
                canusefordeploy=row.gateway is not None,
            )
        )
    return views


def ip_range_views(call: Call, rows: Sequence[IpRange]) -> list[IpRangeView]:
    """Address ranges, with their pods."""
    pods = zones.pods(call.db, {row.pod_id for row in rows})
    return [
        IpRangeView(
            id=row.id,
            forvirtualnetwork=False,
            zoneid=row.zone_id,
            vlan="untagged",
            podid=row.pod_id,
            podname=pods[row.pod_id].name if row.pod_id else None,
            gateway=row.gateway,
            netmask=row.netmask,
            startip=str(IPv4Address(row.first)),
            endip=str(IPv4Address(row.last)),
            networkid=row.network_id,
        )
        for row in rows
    ]


def _services(offering: NetworkOffering | None) -> tuple[ServiceView, ...]:
    return tuple(ServiceView(name=name) for name in offering.services) if offering else ()


noun(
    NetworkOffering,
    NetworkOfferingView,
    "networkoffering",
    visible=networkofferings.find,
    views=network_offering_views,
)
noun(Network, NetworkView, "network", visible=networks.find, views=network_views)
noun(IpRange, IpRangeView, "network", visible=networks.find_range, views=ip_range_views)
