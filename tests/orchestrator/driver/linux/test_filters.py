"""The text of the filters, and that nft takes it."""

import subprocess
from dataclasses import replace
from ipaddress import IPv4Address, IPv4Network

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.driver.linux.filters import gateway_element, numbered, ruleset
from orchestrator.driver.ports import Bridge, Group, HostNetwork, Port, Rule
from orchestrator.ids import new_id

EVERYWHERE = IPv4Network("0.0.0.0/0")
OFFICE = IPv4Network("10.9.0.0/16")
# The same in every process that collects these tests: they become part of the tests' names.
NETWORK, WEB, ADMINS = (f"{n}0000000-0000-8000-8000-70696c657573" for n in (1, 2, 3))
BRIDGE = Bridge(NETWORK, "br-1", 7)


def port(number: int = 10, *groups: str) -> Port:
    return Port(
        nic=new_id(),
        device=f"tap-{number}",
        network=NETWORK,
        mac=f"52:54:00:00:00:{number:02x}",
        ip=IPv4Address("10.1.0.0") + number,
        groups=groups,
    )


def text(*ports: Port, groups: tuple[Group, ...] = ()) -> str:
    told = HostNetwork(1, (BRIDGE,), ports, groups)
    return ruleset(told, numbered(ports, {}), [("br-1", "10.1.0.1")])


def chain(rules: str, name: str) -> list[str]:
    body = rules.split(f"  chain {name} {{\n")[1].split("\n  }")[0]
    return [line.strip() for line in body.splitlines()]


def permitted(rule: Rule) -> str:
    group = Group(WEB, (), (rule,), ())
    return chain(text(port(10, WEB), groups=(group,)), f"in-{WEB}")[0]


def check(rules: str) -> None:
    """nft parses and dry-runs the rules, in a network namespace that is thrown away."""
    done = subprocess.run(
        ["unshare", "--net", "nft", "-c", "-f", "-"],
        input=rules,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        (Rule("tcp", 22, 22, cidr=EVERYWHERE), "tcp dport 22-22 accept"),
        (Rule("tcp", 80, 443, cidr=OFFICE), "ip saddr 10.9.0.0/16 tcp dport 80-443 accept"),
        (Rule("17", 53, 53, cidr=EVERYWHERE), "udp dport 53-53 accept"),
        (Rule("tcp", None, None, cidr=EVERYWHERE), "ip protocol tcp accept"),
        (Rule("icmp", 8, 0, cidr=EVERYWHERE), "icmp type 8 icmp code 0 accept"),
        (Rule("icmp", 3, -1, cidr=EVERYWHERE), "icmp type 3 accept"),
        (Rule("icmp", -1, -1, cidr=EVERYWHERE), "ip protocol icmp accept"),
        (Rule("47", None, None, cidr=EVERYWHERE), "ip protocol 47 accept"),
        (Rule("all", None, None, cidr=OFFICE), "ip saddr 10.9.0.0/16 accept"),
        (Rule("all", None, None, group=ADMINS), f"ip saddr @members-{ADMINS} accept"),
    ],
)
def test_a_rule_is_one_line(rule: Rule, expected: str) -> None:
    assert permitted(rule) == expected


def test_a_port_without_groups_receives_nothing_but_leases() -> None:
    assert chain(text(port()), "to-1") == ["udp sport 67 udp dport 68 accept", "counter drop"]


def test_a_port_may_send_everything_until_one_of_its_groups_has_an_egress_rule() -> None:
    free = Group(WEB, (), (), ())
    assert "from-1" not in text(port(10, WEB), groups=(free,))
    limited = replace(free, egress=(Rule("tcp", 80, 80, cidr=OFFICE),))
    rules = text(port(10, WEB), groups=(limited,))
    assert chain(rules, "from-1") == ["jump services", f"jump out-{WEB}", "counter drop"]
    assert chain(rules, f"out-{WEB}") == ["ip daddr 10.9.0.0/16 tcp dport 80-80 accept"]


def test_members_of_a_group_that_a_rule_names_are_one_set() -> None:
    members = tuple(IPv4Address(f"10.1.0.{number}") for number in (11, 12, 11))
    admins = Group(ADMINS, members, (), ())
    web = Group(WEB, (), (Rule("all", None, None, group=ADMINS),), ())
    rules = text(port(10, WEB), groups=(web, admins))
    assert f"  set members-{ADMINS} {{\n    type ipv4_addr\n" in rules
    assert "elements = { 10.1.0.11, 10.1.0.12 }" in rules
    check(rules)


def test_a_rule_may_name_a_group_that_has_no_members_here() -> None:
    web = Group(WEB, (), (Rule("all", None, None, group=ADMINS),), ())
    check(text(port(10, WEB), groups=(web,)))


def test_a_rule_without_a_source_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="neither"):
        permitted(Rule("tcp", 1, 2))


@pytest.mark.parametrize("device", ["tap 1", 'a"b', "x; drop", "", "sixteen-letters!", "-dash"])
def test_a_device_name_that_could_be_more_than_a_name_is_a_mistake(device: str) -> None:
    with pytest.raises(ValueError, match="device name"):
        text(replace(port(), device=device))


def test_ports_keep_their_numbers_and_new_ones_get_free_ones() -> None:
    first, second, third = port(10), port(11), port(12)
    before = numbered([first, second], {})
    assert sorted(before.values()) == [1, 2]
    after = numbered([second, third], before)
    assert after[second.nic] == before[second.nic]
    assert after[third.nic] == 3
    assert numbered([third], {first.nic: 2})[third.nic] == 1


def test_an_empty_host_has_valid_rules() -> None:
    check(ruleset(HostNetwork(1, (), (), ()), {}, []))


def test_a_gateway_can_be_added_to_the_rules() -> None:
    check(text(port()) + gateway_element("br-1", "10.1.0.1"))


_cidrs = st.sampled_from([EVERYWHERE, OFFICE, IPv4Network("10.1.0.5/32")])
_ports = st.tuples(st.integers(0, 65535), st.integers(0, 65535)).map(sorted)
_parties = st.one_of(
    _cidrs.map(lambda cidr: {"cidr": cidr}), st.just({"group": WEB}), st.just({"group": ADMINS})
)
_rules = st.one_of(
    st.builds(
        lambda protocol, span, party: Rule(protocol, *span, **party),
        st.sampled_from(["tcp", "udp"]),
        _ports,
        _parties,
    ),
    st.builds(
        lambda kind, code, party: Rule("icmp", kind, code, **party),
        st.integers(-1, 255),
        st.integers(-1, 255),
        _parties,
    ),
    st.builds(
        lambda number, party: Rule(str(number), None, None, **party),
        st.one_of(st.just("all"), st.integers(0, 255)),
        _parties,
    ),
)


@settings(max_examples=40, deadline=None)
@given(
    ingress=st.lists(_rules, max_size=6),
    egress=st.lists(_rules, max_size=4),
    count=st.integers(0, 5),
)
def test_nft_takes_whatever_a_host_may_be_told(
    ingress: list[Rule], egress: list[Rule], count: int
) -> None:
    ports = [port(10 + number, WEB, ADMINS) for number in range(count)]
    web = Group(WEB, tuple(each.ip for each in ports), tuple(ingress), tuple(egress))
    check(text(*ports, groups=(web, Group(ADMINS, (), (), tuple(egress)))))
