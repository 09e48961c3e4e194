"""A world as one plain value, so that a test can say ``before == after``.

Left out is what may differ between equal worlds: generations of network documents, how often a
machine booted, the order in which things were told, and hosts and pools with nothing on them.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from ipaddress import IPv4Address, IPv4Network

from orchestrator.driver.memory import shelves
from orchestrator.driver.memory.records import Rows
from orchestrator.driver.memory.shelves import DiskFacts
from orchestrator.driver.ports import (
    Bridge,
    Group,
    Guest,
    ImageFacts,
    Machine,
    Port,
    Power,
    Rule,
)


@dataclass(frozen=True)
class MachineSeen:
    """A machine: what was told of it (disks by slot), and whether it runs."""

    power: Power
    machine: Machine

    @property
    def volumes(self) -> frozenset[str]:
        """The volumes plugged in."""
        return frozenset(disk.volume for disk in self.machine.disks)


@dataclass(frozen=True)
class RouterSeen:
    """A network's router: its own addresses and, by MAC, the guests it serves."""

    bridge: str
    gateway: IPv4Address
    cidr: IPv4Network
    domain: str
    dns: tuple[IPv4Address, ...]
    leases: Mapping[str, Guest]


@dataclass
class HostSeen:
    """All on one host, by id."""

    machines: dict[str, MachineSeen] = field(default_factory=dict)
    strangers: set[str] = field(default_factory=set)
    bridges: dict[str, Bridge] = field(default_factory=dict)
    ports: dict[str, Port] = field(default_factory=dict)
    groups: dict[str, Group] = field(default_factory=dict)
    routers: dict[str, RouterSeen] = field(default_factory=dict)


@dataclass
class PoolSeen:
    """All in one pool or image store, by id."""

    disks: dict[str, DiskFacts] = field(default_factory=dict)
    images: dict[str, ImageFacts] = field(default_factory=dict)
    strays: set[str] = field(default_factory=set)


class Hosts(dict[str, HostSeen]):
    """Hosts with anything on them; any other host is an empty one."""

    def __missing__(self, host: str) -> HostSeen:
        return HostSeen()


class Pools(dict[str, PoolSeen]):
    """Pools with anything in them; any other pool is an empty one."""

    def __missing__(self, pool: str) -> PoolSeen:
        return PoolSeen()


@dataclass(frozen=True)
class Snapshot:
    """A whole world."""

    hosts: Hosts
    pools: Pools


def snapshot(rows: Rows) -> Snapshot:
    """Everything there is."""
    hosts: defaultdict[str, HostSeen] = defaultdict(HostSeen)
    pools: defaultdict[str, PoolSeen] = defaultdict(PoolSeen)
    _see_machines(rows, hosts)
    _see_networks(rows, hosts)
    _see_routers(rows, hosts)
    _see_pools(rows, pools)
    return Snapshot(
        Hosts({host: seen for host, seen in hosts.items() if seen != HostSeen()}),
        Pools({pool: seen for pool, seen in pools.items() if seen != PoolSeen()}),
    )


def _see_machines(rows: Rows, hosts: defaultdict[str, HostSeen]) -> None:
    for host, machine, standing in rows.everywhere(shelves.MACHINES):
        told = standing.machine
        disks = tuple(sorted(told.disks, key=lambda disk: disk.slot))
        hosts[host].machines[machine] = MachineSeen(standing.power, replace(told, disks=disks))
    for host, name, _ in rows.everywhere(shelves.STRANGERS):
        hosts[host].strangers.add(name)


def _see_networks(rows: Rows, hosts: defaultdict[str, HostSeen]) -> None:
    for host, _, bridges in rows.everywhere(shelves.BRIDGES):
        hosts[host].bridges = {each.network: each for each in bridges}
    for host, _, ports in rows.everywhere(shelves.PORTS):
        hosts[host].ports = {
            each.nic: replace(each, groups=tuple(sorted(each.groups))) for each in ports
        }
    for host, _, groups in rows.everywhere(shelves.GROUPS):
        hosts[host].groups = {each.id: _in_order(each) for each in groups}


def _in_order(group: Group) -> Group:
    return replace(
        group,
        members=tuple(sorted(group.members)),
        ingress=_rules_in_order(group.ingress),
        egress=_rules_in_order(group.egress),
    )


def _rules_in_order(rules: tuple[Rule, ...]) -> tuple[Rule, ...]:
    return tuple(sorted(rules, key=repr))


def _see_routers(rows: Rows, hosts: defaultdict[str, HostSeen]) -> None:
    for host, network, told in rows.everywhere(shelves.ROUTERS):
        hosts[host].routers[network] = RouterSeen(
            bridge=told.bridge,
            gateway=told.gateway,
            cidr=told.cidr,
            domain=told.domain,
            dns=told.dns,
            leases={guest.mac: guest for guest in told.guests},
        )


def _see_pools(rows: Rows, pools: defaultdict[str, PoolSeen]) -> None:
    for pool, volume, disk in rows.everywhere(shelves.DISKS):
        pools[pool].disks[volume] = disk
    for pool, image, facts in rows.everywhere(shelves.IMAGES):
        pools[pool].images[image] = facts
    for pool, name, _ in rows.everywhere(shelves.STRAYS):
        pools[pool].strays.add(name)
