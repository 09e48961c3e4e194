"""Virtual machines on the wire."""

from collections.abc import Sequence
from datetime import datetime
from ipaddress import IPv4Address
from typing import Annotated

from nativeapi.call import Call
from nativeapi.declare import Role, View
from nativeapi.references import noun
from nativeapi.views.ownership import Around, around
from orchestrator.resources import instances, networks, zones
from orchestrator.resources.instances import Surroundings
from orchestrator.resources.offerings import MIB
from orchestrator.schema.instances import Instance
from orchestrator.schema.networks import Network, Nic


class NicView(View, noun="nic"):
    """A network card."""

    id: Annotated[str, "the card's id"]
    networkid: Annotated[str, "the network it is plugged into"]
    networkname: Annotated[str, "that network's name"]
    netmask: Annotated[str | None, "netmask of its address"]
    gateway: Annotated[str | None, "gateway of its address"]
    ipaddress: Annotated[str, "its address"]
    traffictype: Annotated[str, "Guest"]
    type: Annotated[str, "Shared"]
    isdefault: Annotated[bool, "whether it is the instance's first"]
    macaddress: Annotated[str, "its hardware address"]


class MembershipView(View, noun="securitygroup"):
    """A security group that an instance is in."""

    id: Annotated[str, "the group's id"]
    name: Annotated[str, "the group's name"]
    description: Annotated[str, "what it is for"]


class InstanceView(View, noun="virtualmachine"):
    """A virtual machine."""

    id: Annotated[str, "the instance's id"]
    name: Annotated[str, "its host name"]
    displayname: Annotated[str, "its name for people"]
    account: Annotated[str, "the account that owns it"]
    domainid: Annotated[str, "the owner's domain"]
    domain: Annotated[str, "the name of the owner's domain"]
    created: Annotated[datetime, "when it was made"]
    state: Annotated[str, "where it is in its life"]
    haenable: Annotated[bool, "whether it is started again elsewhere when its host dies"]
    group: Annotated[str | None, "the group it was put in"]
    zoneid: Annotated[str, "the zone's id"]
    zonename: Annotated[str, "the zone's name"]
    hostid: Annotated[str | None, "the host's id; for administrators"]
    hostname: Annotated[str | None, "the host's name; for administrators"]
    templateid: Annotated[str, "the template's id"]
    templatename: Annotated[str | None, "the template's name"]
    templatedisplaytext: Annotated[str | None, "the template, for people"]
    passwordenabled: Annotated[bool, "whether it takes a password from the cloud"]
    serviceofferingid: Annotated[str, "the service offering's id"]
    serviceofferingname: Annotated[str | None, "the service offering's name"]
    cpunumber: Annotated[int, "processors"]
    cpuspeed: Annotated[int, "clock of a processor, in MHz"]
    memory: Annotated[int, "memory, in MB"]
    guestosid: Annotated[str | None, "the operating system's id"]
    rootdeviceid: Annotated[int, "slot of the root disk"]
    rootdevicetype: Annotated[str, "where the root disk lies"]
    securitygroup: Annotated[tuple[MembershipView, ...], "the security groups it is in"]
    nic: Annotated[tuple[NicView, ...], "its network cards"]
    hypervisor: Annotated[str, "what runs it"]
    instancename: Annotated[str | None, "its name on the host; for administrators"]
    keypair: Annotated[str | None, "the key pair it was made with"]
    jobid: Annotated[str | None, "the job under way on it"]
    jobstatus: Annotated[int | None, "0 while a job is under way"]


class _Context:
    """Everything around many instances, fetched in a fixed number of queries."""

    def __init__(self, call: Call, rows: Sequence[Instance]) -> None:
        self.root = call.role is Role.ADMIN
        self.near: Surroundings = instances.surroundings(call.db, rows)
        self.around: Around = around(
            call, {row.account_id for row in rows}, {row.id for row in rows}
        )
        self.zones = zones.names(call.db, {row.zone_id for row in rows})
        cards = [nic for nics in self.near.nics.values() for nic in nics]
        self.networks = networks.many(call.db, {nic.network_id for nic in cards})


def instance_views(call: Call, rows: Sequence[Instance]) -> list[InstanceView]:
    """Virtual machines, with what is around them."""
    context = _Context(call, rows)
    return [_view(context, row) for row in rows]


def _view(context: _Context, row: Instance) -> InstanceView:
    owner = context.around.owners[row.account_id]
    template = context.near.templates.get(row.template_id)
    offering = context.near.offerings.get(row.offering_id)
    host_id = row.host_id if context.root else None
    return InstanceView(
        id=row.id,
        name=row.name,
        displayname=row.display_name,
        account=owner.account,
        domainid=owner.domain_id,
        domain=owner.domain,
        created=row.created,
        state=row.state,
        haenable=False,
        group=row.group,
        zoneid=row.zone_id,
        zonename=context.zones[row.zone_id],
        hostid=host_id,
        hostname=context.near.hosts.get(host_id) if host_id else None,
        templateid=row.template_id,
        templatename=template.name if template else None,
        templatedisplaytext=template.display_text if template else None,
        passwordenabled=False,
        serviceofferingid=row.offering_id,
        serviceofferingname=offering.name if offering else None,
        cpunumber=row.cpus,
        cpuspeed=row.mhz,
        memory=row.memory // MIB,
        guestosid=template.os_type if template else None,
        rootdeviceid=0,
        rootdevicetype="ROOT",
        securitygroup=tuple(
            MembershipView(id=group.id, name=group.name, description=group.description)
            for group in context.near.groups.get(row.id, ())
        ),
        nic=tuple(
            _nic(nic, context.networks[nic.network_id], first=place == 0)
            for place, nic in enumerate(context.near.nics.get(row.id, ()))
        ),
        hypervisor="KVM",
        instancename=row.name if context.root else None,
        keypair=row.keypair,
        jobid=context.around.jobs.get(row.id),
        jobstatus=context.around.pending(row.id),
    )


def _nic(nic: Nic, network: Network, *, first: bool) -> NicView:
    return NicView(
        id=nic.id,
        networkid=nic.network_id,
        networkname=network.name,
        netmask=network.netmask,
        gateway=network.gateway,
        ipaddress=str(IPv4Address(nic.ip)),
        traffictype="Guest",
        type="Shared",
        isdefault=first,
        macaddress=nic.mac,
    )


noun(Instance, InstanceView, "virtualmachine", owned=instances.find, views=instance_views)
