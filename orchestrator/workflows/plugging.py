"""Steps that several workflows share: telling hosts and routers what their networks look like."""

from collections.abc import Collection
from typing import Any

from orchestrator.engine.workflow import Work
from orchestrator.resources import networks, securitygroups, telling
from orchestrator.schema.instances import Instance
from orchestrator.schema.networks import Network
from orchestrator.schema.zones import Host


def plug(work: Work[Any], instance_id: str) -> None:
    """Give every card of an instance its port, filters and lease on the instance's host.

    The instance's other groups' hosts hear of it too: rules may name the groups it is in.
    """
    with work.sessions.write() as db:
        host_id = db.get_one(Instance, instance_id).host_id
        cards = networks.nics(db, [instance_id]).get(instance_id, [])
        if host_id is None:
            return
        hosts = {host_id}
        for nic in cards:
            networks.wire(db, nic, host_id)
            hosts.add(networks.route_by(db, nic.network_id, host_id))
        hosts |= _hearing(db, instance_id)
    tell_hosts(work, hosts)
    tell_routers(work, {nic.network_id for nic in cards})


def unplug(work: Work[Any], instance_id: str) -> None:
    """Take every card's port, filters and lease away. Nothing happens when there is none."""
    with work.sessions.write() as db:
        cards = networks.nics(db, [instance_id]).get(instance_id, [])
        hosts = _hearing(db, instance_id) | {nic.host_id for nic in cards if nic.host_id}
        for nic in cards:
            networks.wire(db, nic, None)
        instance = db.get_one(Instance, instance_id)
        hosts |= {instance.host_id} if instance.host_id else set()
    tell_hosts(work, hosts)
    tell_routers(work, {nic.network_id for nic in cards})


def tell_hosts(work: Work[Any], host_ids: Collection[str]) -> None:
    """Tell hosts what they carry, as the rows say now."""
    for host_id in sorted(host_ids):
        with work.sessions.write() as db:
            telling.number(db, Host, host_id)
        with work.sessions.read() as db:
            told = telling.host(db, host_id)
        work.fleet.host(host_id).network.ensure_host(told)


def tell_routers(work: Work[Any], network_ids: Collection[str]) -> None:
    """Tell routers whom they serve, as the rows say now."""
    for network_id in sorted(network_ids):
        with work.sessions.write() as db:
            telling.number(db, Network, network_id)
        with work.sessions.read() as db:
            host_id = networks.many(db, [network_id])[network_id].router_host_id
            if host_id is None:
                continue
            told = telling.router(db, network_id)
        work.fleet.host(host_id).network.ensure_router(told)


def _hearing(db: Any, instance_id: str) -> set[str]:
    groups = securitygroups.of_instances(db, [instance_id]).get(instance_id, [])
    return telling.affected(db, groups)
