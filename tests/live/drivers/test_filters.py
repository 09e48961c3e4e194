"""Security groups and anti-spoofing, seen from inside real guests."""

from dataclasses import dataclass, replace
from ipaddress import IPv4Network

import pytest

from orchestrator.driver.linux import namespaces
from orchestrator.driver.ports import Group, Rule
from tests.live.drivers.lab import EVERYWHERE, OPEN_SSH, Box, Lab, Unreachable, eventually

pytestmark = pytest.mark.live

PING = Rule("icmp", 8, 0, cidr=EVERYWHERE)


@dataclass(frozen=True)
class Neighbours:
    """Two guests on one bridge, and one on another with the first one's address."""

    alice: Box
    bob: Box
    double: Box
    usual: Group


@pytest.fixture(scope="module")
def town(lab: Lab) -> Neighbours:
    usual = lab.group(OPEN_SSH)
    here, elsewhere = lab.wire("10.77.0.0/24"), lab.wire("10.77.0.0/24")
    alice = lab.start(here, 10, usual)
    bob = lab.start(here, 11, usual)
    double = lab.start(elsewhere, 10, usual)
    lab.wait(alice, bob, double)
    for each in (alice, bob, double):
        lab.ssh(each, "mkdir -p /www; hostname >/www/index.html; httpd -p 80 -h /www")
    return Neighbours(alice, bob, double, usual)


def fetches(lab: Lab, source: Box, target: Box) -> bool:
    """Whether the source guest can read the target guest's web page."""
    command = f"timeout 4 wget -q -O - http://{target.ip}/ || echo no"
    return lab.ssh(source, command).strip() != "no"


def pings(lab: Lab, source: Box, address: str, *options: str) -> bool:
    command = f"ping -c 2 -W 2 {' '.join(options)} {address} >/dev/null && echo yes || echo no"
    return lab.ssh(source, command).strip() == "yes"


def dropped(lab: Lab, chain: str) -> int:
    """Packets that a chain of the bridge table dropped so far."""
    command = ["nft", "list", "chain", *chain.split()]
    listed = namespaces.inside(lab.places.host_namespace, command)
    words = [line.split() for line in listed.splitlines() if "counter" in line]
    return sum(int(line[line.index("packets") + 1]) for line in words)


def test_a_port_is_closed_until_a_rule_opens_it_and_closed_again_after(
    lab: Lab, town: Neighbours
) -> None:
    assert not lab.knocks(town.bob, 80)
    web = lab.group(Rule("tcp", 80, 80, cidr=EVERYWHERE))
    lab.join(town.bob, town.usual, web)
    assert lab.knocks(town.bob, 80)
    lab.keep(replace(web, ingress=()))
    lab.tell()
    assert not lab.knocks(town.bob, 80)
    lab.join(town.bob, town.usual)


def test_a_guest_without_an_open_port_cannot_be_reached_by_ssh(lab: Lab, town: Neighbours) -> None:
    lab.join(town.bob)
    with pytest.raises(Unreachable):
        lab.ssh(town.bob, "true", seconds=30)
    lab.join(town.bob, town.usual)
    assert lab.ssh(town.bob, "echo in") == "in\n"


def test_answers_come_back_without_a_rule(lab: Lab, town: Neighbours) -> None:
    web = lab.group(Rule("tcp", 80, 80, cidr=EVERYWHERE))
    lab.join(town.bob, town.usual, web)
    assert fetches(lab, town.alice, town.bob)
    assert not fetches(lab, town.bob, town.alice)
    lab.join(town.bob, town.usual)


def test_a_rule_for_a_range_admits_that_range_only(lab: Lab, town: Neighbours) -> None:
    alone = lab.group(Rule("tcp", 80, 80, cidr=IPv4Network(f"{town.alice.ip}/32")))
    lab.join(town.bob, town.usual, alone)
    assert fetches(lab, town.alice, town.bob)
    assert not lab.knocks(town.bob, 80)
    lab.join(town.bob, town.usual)


def test_a_rule_for_a_group_follows_its_members(lab: Lab, town: Neighbours) -> None:
    clients = lab.group()
    servers = lab.group(Rule("tcp", 80, 80, group=clients.id))
    lab.join(town.bob, town.usual, servers)
    assert not fetches(lab, town.alice, town.bob)
    lab.join(town.alice, town.usual, clients)
    assert fetches(lab, town.alice, town.bob)
    lab.join(town.alice, town.usual)
    assert not fetches(lab, town.alice, town.bob)
    lab.join(town.bob, town.usual)


def test_ping_is_a_matter_of_icmp_type_and_code(lab: Lab, town: Neighbours) -> None:
    assert not pings(lab, town.alice, town.bob.ip)
    lab.join(town.bob, town.usual, lab.group(PING))
    assert pings(lab, town.alice, town.bob.ip)
    lab.join(town.bob, town.usual, lab.group(replace(PING, first=13)))
    assert not pings(lab, town.alice, town.bob.ip)
    lab.join(town.bob, town.usual)


def test_an_egress_rule_closes_the_rest_but_not_name_service_and_metadata(
    lab: Lab, town: Neighbours
) -> None:
    web = lab.group(Rule("tcp", 80, 80, cidr=EVERYWHERE), PING)
    lab.join(town.bob, town.usual, web)
    assert pings(lab, town.alice, town.bob.ip)
    limited = lab.group(egress=(Rule("tcp", 80, 80, cidr=IPv4Network(f"{town.bob.ip}/32")),))
    lab.join(town.alice, town.usual, limited)
    assert not pings(lab, town.alice, town.bob.ip)
    assert fetches(lab, town.alice, town.bob)
    assert "guest-11" in lab.ssh(
        town.alice, f"nslookup guest-11.lab.test {town.alice.wire.gateway}"
    )
    read = "wget -q -O - http://169.254.169.254/latest/meta-data/local-ipv4"
    assert lab.ssh(town.alice, read) == town.alice.ip
    lab.join(town.alice, town.usual)
    lab.join(town.bob, town.usual)


def test_a_guest_may_not_speak_with_another_address(lab: Lab, town: Neighbours) -> None:
    assert pings(lab, town.alice, str(town.alice.wire.gateway))
    lab.ssh(town.alice, "ip addr add 10.77.0.99/32 dev eth0")
    before = dropped(lab, "bridge pileus guest")
    assert not pings(lab, town.alice, str(town.alice.wire.gateway), "-I", "10.77.0.99")
    assert dropped(lab, "bridge pileus guest") > before
    lab.ssh(town.alice, "ip addr del 10.77.0.99/32 dev eth0")


def test_a_guest_may_not_claim_another_address_in_arp(lab: Lab, town: Neighbours) -> None:
    lab.inside(town.alice.wire, "ip", "neigh", "flush", "all")
    lab.ssh(town.bob, "true")
    before = dropped(lab, "bridge pileus guest")
    # The address on lo lets arping take it for its own; nothing is announced by that.
    claim = f"arping -A -c 3 -I eth0 -s {town.bob.ip} {town.bob.ip}"
    mine = f"{town.bob.ip}/32 dev lo"
    lab.ssh(town.alice, f"ip addr add {mine}; {claim}; ip addr del {mine}")
    assert dropped(lab, "bridge pileus guest") >= before + 3
    known = lab.inside(town.alice.wire, "ip", "neigh", "show", town.bob.ip)
    assert town.bob.port.mac in known


def test_a_guest_may_not_speak_with_another_card_address(lab: Lab, town: Neighbours) -> None:
    gateway = town.alice.wire.gateway
    script = (
        "ip link set eth0 down; ip link set eth0 address 52:54:00:99:99:99; ip link set eth0 up;"
        f"ip addr add {town.alice.ip}/24 dev eth0 2>/dev/null;"
        f"ping -c 2 -W 2 {gateway} >/dev/null && echo yes >/tmp/seen || echo no >/tmp/seen;"
        f"ip link set eth0 down; ip link set eth0 address {town.alice.port.mac};"
        f"ip link set eth0 up; ip route add default via {gateway}"
    )
    lab.ssh(town.alice, f"(sleep 1; {script}) >/dev/null 2>&1 </dev/null &")

    def seen() -> str:
        try:
            return lab.ssh(town.alice, "cat /tmp/seen", seconds=15).strip()
        except Unreachable:
            return ""

    assert eventually(lambda: seen() != "", 60)
    assert seen() == "no"


def test_two_networks_with_the_same_addresses_live_on_one_host(lab: Lab, town: Neighbours) -> None:
    alice, double = town.alice, town.double
    assert alice.ip == double.ip
    lab.ssh(alice, "echo alice >/root/who")
    lab.ssh(double, "echo double >/root/who")
    assert lab.ssh(alice, "cat /root/who") == "alice\n"
    assert lab.ssh(double, "cat /root/who") == "double\n"


def test_equal_flows_in_two_networks_do_not_share_their_state(lab: Lab, town: Neighbours) -> None:
    """One flow is open to alice; a rule for her alone does not admit her double's equal flow."""
    web = lab.group(Rule("tcp", 80, 80, cidr=EVERYWHERE))
    lab.join(town.alice, town.usual, web)
    knock = ["nc", "-p", "45000", "-w", "3", "-z", town.alice.ip, "80"]
    lab.inside(town.alice.wire, *knock)
    with pytest.raises(Unreachable):
        lab.inside(town.double.wire, *knock)
    lab.join(town.double, town.usual, web)
    lab.inside(town.double.wire, *knock)
    lab.join(town.alice, town.usual)
    lab.join(town.double, town.usual)


def test_a_new_guest_gets_the_address_of_one_that_is_gone(lab: Lab, town: Neighbours) -> None:
    lab.stop(town.double)
    again = lab.start(town.double.wire, 10, town.usual)
    lab.wait(again)
    assert lab.ssh(again, "hostname").strip() == "guest-10"
