"""Bridges, ports, groups and routers."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from ipaddress import IPv4Address, IPv4Network

from orchestrator.driver.ports import Group, Guest, HostNetwork, RouterNetwork, Rule
from orchestrator.ids import new_id
from tests.orchestrator.driver.conformance.ground import Ground, at_once

EVERYWHERE = IPv4Network("0.0.0.0/0")


class Networks:
    """What a host is told of its networks."""

    def group(self, *members: IPv4Address) -> Group:
        """A group that lets SSH in, and itself."""
        group = new_id()
        ssh = Rule("tcp", 22, 22, cidr=EVERYWHERE)
        return Group(
            group,
            members,
            ingress=(
                ssh,
                Rule("icmp", -1, -1, cidr=EVERYWHERE),
                Rule("all", None, None, None, group),
            ),
            egress=(Rule("all", None, None, cidr=EVERYWHERE),),
        )

    def test_bridges_and_ports_stand_as_told(self, ground: Ground) -> None:
        port = ground.port()
        group = self.group(port.ip)
        ground.tell(replace(port, groups=(group.id,)), groups=(group,))
        facts = ground.drivers.network.observe()
        assert ground.bridge.network in facts.networks
        assert port.nic in facts.ports

    def test_the_same_document_again_changes_nothing(self, ground: Ground) -> None:
        group = self.group(ground.port().ip)
        told = ground.tell(replace(ground.port(), groups=(group.id,)), groups=(group,))
        before = ground.drivers.network.observe()
        ground.drivers.network.ensure_host(told)
        assert ground.drivers.network.observe() == before

    def test_two_callers_at_once_tell_one_document(self, ground: Ground) -> None:
        one, other = ground.both
        port = ground.port()
        told = HostNetwork(next(ground.generations), (ground.bridge,), (port,), ())
        at_once(
            lambda: one.network.ensure_host(told),
            lambda: other.network.ensure_host(told),
        )
        assert one.network.observe().ports == {port.nic}

    def test_an_older_document_changes_nothing(self, ground: Ground) -> None:
        older = HostNetwork(next(ground.generations), (), (), ())
        port = ground.port()
        ground.tell(port)
        before = ground.drivers.network.observe()
        ground.drivers.network.ensure_host(older)
        assert ground.drivers.network.observe() == before
        assert port.nic in before.ports

    def test_old_and_new_told_at_once_leave_the_new(self, ground: Ground) -> None:
        one, other = ground.both
        first, second = ground.port(10), ground.port(11)
        older = HostNetwork(next(ground.generations), (ground.bridge,), (first,), ())
        newer = HostNetwork(next(ground.generations), (ground.bridge,), (second,), ())
        at_once(
            lambda: one.network.ensure_host(older),
            lambda: other.network.ensure_host(newer),
        )
        assert one.network.observe().ports == {second.nic}

    def test_what_is_told_no_more_is_gone(self, ground: Ground) -> None:
        ground.tell(ground.port())
        ground.tell_nothing()
        facts = ground.drivers.network.observe()
        assert not facts.networks
        assert not facts.ports


class Routers:
    """What a host is told of guest networks' routers."""

    @contextmanager
    def bridged(self, ground: Ground) -> Iterator[None]:
        """With the bridge standing; router and bridge are cleared away afterwards."""
        ground.tell()
        try:
            yield
        finally:
            ground.drivers.network.ensure_router_absent(ground.bridge.network)
            ground.tell_nothing()

    def router(self, ground: Ground, *guests: Guest) -> RouterNetwork:
        """The guest network's router, a generation later than before."""
        return RouterNetwork(
            generation=next(ground.generations),
            network=ground.bridge.network,
            bridge=ground.bridge.device,
            gateway=ground.cidr[1],
            cidr=ground.cidr,
            domain="conformance.test",
            dns=(),
            guests=guests,
        )

    def guest(self, ground: Ground, host_number: int) -> Guest:
        """A guest of that address."""
        return Guest(
            mac=f"02:00:4d:00:00:{host_number:02x}",
            ip=ground.cidr[host_number],
            hostname=f"guest-{host_number}",
            instance="i-0123456789abcdef0",
            image="ami-0123456789abcdef0",
            type="m1.small",
            zone="zone-1",
            reservation="r-0123456789abcdef0",
            groups=("default",),
            keys={"mine": "ssh-ed25519 AAAA mine"},
            user_data=b"\x00\xffhello",
        )

    def test_a_router_stands_as_told_and_goes(self, ground: Ground) -> None:
        network = ground.drivers.network
        with self.bridged(ground):
            network.ensure_router(self.router(ground, self.guest(ground, 10)))
            assert ground.bridge.network in network.observe().routers
            network.ensure_router_absent(ground.bridge.network)
            assert ground.bridge.network not in network.observe().routers

    def test_telling_a_router_again_or_more_keeps_one(self, ground: Ground) -> None:
        network = ground.drivers.network
        with self.bridged(ground):
            told = self.router(ground, self.guest(ground, 10))
            network.ensure_router(told)
            before = network.observe()
            network.ensure_router(told)
            more = self.router(ground, self.guest(ground, 10), self.guest(ground, 11))
            network.ensure_router(more)
            network.ensure_router(told)
            assert network.observe() == before

    def test_two_callers_at_once_make_and_remove_one_router(self, ground: Ground) -> None:
        one, other = ground.both
        with self.bridged(ground):
            told = self.router(ground, self.guest(ground, 10))
            at_once(
                lambda: one.network.ensure_router(told),
                lambda: other.network.ensure_router(told),
            )
            assert one.network.observe().routers == {ground.bridge.network}
            at_once(
                lambda: one.network.ensure_router_absent(ground.bridge.network),
                lambda: other.network.ensure_router_absent(ground.bridge.network),
            )
            assert not one.network.observe().routers

    def test_a_router_that_went_can_come_back(self, ground: Ground) -> None:
        network = ground.drivers.network
        with self.bridged(ground):
            network.ensure_router(self.router(ground))
            network.ensure_router_absent(ground.bridge.network)
            network.ensure_router(self.router(ground))
            assert ground.bridge.network in network.observe().routers

    def test_removing_a_router_that_is_not_there_does_nothing(self, ground: Ground) -> None:
        before = ground.drivers.network.observe()
        ground.drivers.network.ensure_router_absent(new_id())
        assert ground.drivers.network.observe() == before
