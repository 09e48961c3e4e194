"""The documents that hosts and routers are told.

A document takes its number first, in a short transaction of its own, and then reads the rows: so it
says at least everything that was true when it took the number, and reading, which is long, keeps no
writer waiting. Whoever changes rows takes a number afterwards; of all the documents told, the one
with the highest number has every change.
"""

from collections.abc import Collection
from ipaddress import IPv4Address

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from orchestrator.driver import ports
from orchestrator.resources import networks, securitygroups
from orchestrator.schema.instances import Instance
from orchestrator.schema.networks import Network, Nic
from orchestrator.schema.offerings import ServiceOffering
from orchestrator.schema.zones import Host, Zone


def number(db: Session, model: type[Host] | type[Network], ident: str) -> None:
    """Take the next number for a document to this host or router."""
    db.execute(update(model).where(model.id == ident).values(told=model.told + 1))


def host(db: Session, host_id: str) -> ports.HostNetwork:
    """What a host is told: its bridges, its ports, and the groups these are in."""
    generation = db.scalars(select(Host.told).where(Host.id == host_id)).one()
    nics = networks.plugged(db, host_id)
    on_host = networks.many(db, {nic.network_id for nic in nics} | _routed(db, host_id))
    groups = securitygroups.of_instances(db, [nic.instance_id for nic in nics])
    return ports.HostNetwork(
        generation=generation,
        bridges=tuple(
            ports.Bridge(network.id, networks.bridge(network.id), network.number)
            for network in sorted(on_host.values(), key=lambda network: network.number)
        ),
        ports=tuple(_port(nic, groups.get(nic.instance_id, ())) for nic in nics),
        groups=securitygroups.documents(
            db, {group for member in groups.values() for group in member}
        ),
    )


def router(db: Session, network_id: str) -> ports.RouterNetwork:
    """What a router is told: its network, and every guest that is plugged in."""
    network = db.get_one(Network, network_id)
    zone = db.get_one(Zone, network.zone_id)
    return ports.RouterNetwork(
        generation=network.told,
        network=network.id,
        bridge=networks.bridge(network.id),
        gateway=IPv4Address(network.gateway or ""),
        cidr=networks.cidr(network),
        domain=network.domain,
        dns=tuple(IPv4Address(dns) for dns in (zone.dns1, zone.dns2) if dns),
        guests=_guests(db, network, zone),
    )


def affected(db: Session, group_ids: Collection[str]) -> set[str]:
    """Hosts with ports in these groups, or in groups whose rules name them."""
    return securitygroups.hosts(db, set(group_ids) | securitygroups.naming(db, group_ids))


def _routed(db: Session, host_id: str) -> set[str]:
    return set(db.scalars(select(Network.id).where(Network.router_host_id == host_id)))


def _port(nic: Nic, groups: Collection[str]) -> ports.Port:
    return ports.Port(
        nic=nic.id,
        device=networks.tap(nic.id),
        network=nic.network_id,
        mac=nic.mac,
        ip=IPv4Address(nic.ip),
        groups=tuple(sorted(groups)),
    )


def _guests(db: Session, network: Network, zone: Zone) -> tuple[ports.Guest, ...]:
    wired = networks.wired(db, network.id)
    offerings = {
        offering.id: offering.name
        for offering in db.scalars(
            select(ServiceOffering).where(
                ServiceOffering.id.in_({instance.offering_id for _, instance in wired})
            )
        )
    }
    groups = securitygroups.names_of(db, [instance.id for _, instance in wired])
    return tuple(
        ports.Guest(
            mac=nic.mac,
            ip=IPv4Address(nic.ip),
            hostname=instance.name,
            instance=instance.id,
            image=instance.template_id,
            type=offerings[instance.offering_id],
            zone=zone.name,
            reservation=instance.group or "",
            groups=tuple(sorted(groups.get(instance.id, ()))),
            keys=_keys(instance),
            user_data=instance.user_data,
        )
        for nic, instance in wired
    )


def _keys(instance: Instance) -> dict[str, str]:
    if instance.keypair is None or instance.public_key is None:
        return {}
    return {instance.keypair: instance.public_key}
