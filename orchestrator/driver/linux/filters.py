"""Security groups and anti-spoofing: from the host's document to one nftables ruleset. Pure.

Two tables share the work, because the kernels we meet cannot track connections in the bridge
family. A frame from a guest passes them in this order::

    bridge prerouting (-310)   only the port's own MAC and IPv4 address may speak, as IPv4 or ARP;
                               the frame is marked with the number of the port it came IN by
    ip prerouting (raw)        connection tracking in the network's own zone
    ip prerouting (filter)     replies pass; the sender's EGRESS rules, found by the mark
    bridge forward (-200)      the mark becomes the number of the port it goes OUT by
    ip forward (filter)        replies pass; the receiver's INGRESS rules, found by the mark

The ``ip`` hooks see bridged packets through br_netfilter, with the bridge as their device; so the
zone is found by device, and the ports of two networks may have equal addresses. Each group is one
chain per direction and one named set of its members: a rule that names a group costs one lookup.

A port without a mark (the router's) is not filtered. A device that was not told may not speak.
Port numbers are kept from one ruleset to the next, so that a packet in flight while rules are
exchanged never meets another port's rules.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address

from orchestrator.driver.linux import names
from orchestrator.driver.ports import Group, HostNetwork, Port, Rule

TABLE = "pileus"
_PROTOCOLS = {"icmp": "icmp", "1": "icmp", "tcp": "tcp", "6": "tcp", "udp": "udp", "17": "udp"}

_NOBODY = IPv4Address(0)  # asks in ARP whether an address is taken

_BRIDGE_CHAINS = """\
  chain prerouting {
    type filter hook prerouting priority -310; policy drop;
    iifname @uplinks meta mark set 0 accept
    iifname @guests goto guest
  }
  chain guest {
    meta mark set iifname map @numbers
    ether type ip udp sport 67 counter drop
    ether type ip ip saddr 0.0.0.0 ip daddr 255.255.255.255 udp sport 68 udp dport 67 \
iifname . ether saddr @cards accept
    ether type ip iifname . ether saddr . ip saddr @speakers accept
    ether type arp arp htype 1 arp ptype ip \
iifname . ether saddr . arp saddr ether . arp saddr ip @askers accept
    counter drop
  }
  chain forward {
    type filter hook forward priority -200; policy accept;
    meta mark set 0
    oifname @guests goto deliver
  }
  chain deliver {
    ether daddr & 01:00:00:00:00:00 == 00:00:00:00:00:00 oifname . ether daddr != @cards drop
    meta mark set oifname map @numbers
  }
  chain input {
    type filter hook input priority -200; policy accept;
    iifname @guests drop
  }
"""

_SERVICES = """\
  chain services {
    iifname . ip daddr @gateways meta l4proto { tcp, udp } th dport 53 accept
    iifname . ip daddr @gateways udp dport 67 accept
    ip daddr 255.255.255.255 udp dport 67 accept
    ip daddr 169.254.169.254 tcp dport 80 accept
  }
"""


@dataclass(frozen=True)
class _Plan:
    told: HostNetwork
    numbers: Mapping[str, int]

    def number(self, port: Port) -> int:
        return self.numbers[port.nic]

    def groups(self, port: Port) -> list[Group]:
        return [group for group in self.told.groups if group.id in port.groups]

    def limited(self) -> list[Port]:
        """Ports that may not send everything: one of their groups has an egress rule."""
        return [port for port in self.told.ports if any(each.egress for each in self.groups(port))]


def numbered(ports: Iterable[Port], before: Mapping[str, int]) -> dict[str, int]:
    """A number for each port's NIC: the one it had, or the lowest free one from 1 on."""
    nics = [port.nic for port in ports]
    numbers = {nic: before[nic] for nic in nics if nic in before}
    taken = set(before.values())
    free = (number for number in range(1, len(taken) + len(nics) + 1) if number not in taken)
    for nic in nics:
        if nic not in numbers:
            numbers[nic] = next(free)
    return numbers


def ruleset(
    told: HostNetwork, numbers: Mapping[str, int], gateways: Iterable[tuple[str, str]]
) -> str:
    """The text for ``nft -f``: replaces both tables in one transaction.

    Args:
        told: the host's document.
        numbers: from :func:`numbered`.
        gateways: bridge device and router address of every network whose router is known; guests
            with egress rules may still ask these for DHCP and DNS.
    """
    plan = _Plan(told, numbers)
    lines = [_fresh("bridge"), *_bridge(plan), "}", _fresh("ip"), *_ip(plan, gateways), "}", ""]
    return "\n".join(lines)


def gateway_element(device: str, address: str) -> str:
    """The text for ``nft -f`` that makes one more router known."""
    return f'add element ip {TABLE} gateways {{ "{names.device(device)}" . {address} }}\n'


def _fresh(family: str) -> str:
    table = f"table {family} {TABLE}"
    return f"{table} {{ }}\ndelete {table}\n{table} {{"


def _bridge(plan: _Plan) -> Iterator[str]:
    ports = plan.told.ports
    uplinks = [_quoted(names.uplink(bridge.network)) for bridge in plan.told.bridges]
    cards = {port: f"{_quoted(port.device)} . {names.mac(port.mac)}" for port in ports}
    asking = [f"{cards[p]} . {names.mac(p.mac)} . {ip}" for p in ports for ip in (p.ip, _NOBODY)]
    mine = "iifname . ether saddr"
    yield from _set("uplinks", "typeof iifname", uplinks)
    yield from _set("guests", "typeof iifname", [_quoted(port.device) for port in ports])
    yield from _set("cards", f"typeof {mine}", cards.values())
    yield from _set(
        "speakers", f"typeof {mine} . ip saddr", [f"{cards[p]} . {p.ip}" for p in ports]
    )
    yield from _set("askers", f"typeof {mine} . arp saddr ether . arp saddr ip", asking)
    numbers = [f"{_quoted(port.device)} : {plan.number(port)}" for port in ports]
    yield from _set("numbers", "type ifname : mark", numbers, kind="map")
    yield _BRIDGE_CHAINS.rstrip()


def _ip(plan: _Plan, gateways: Iterable[tuple[str, str]]) -> Iterator[str]:
    known = [f"{_quoted(device)} . {address}" for device, address in sorted(gateways)]
    yield from _set("gateways", "type ifname . ipv4_addr", known)
    yield from _members(plan.told)
    yield from _zones(plan.told)
    yield _SERVICES.rstrip()
    for group in plan.told.groups:
        yield from _chain(_in(group.id), (_permit(rule, "saddr") for rule in group.ingress))
        yield from _chain(_out(group.id), (_permit(rule, "daddr") for rule in group.egress))
    yield from _ingress(plan)
    yield from _egress(plan)


def _members(told: HostNetwork) -> Iterator[str]:
    members = {group.id: group.members for group in told.groups}
    rules = [rule for group in told.groups for rule in (*group.ingress, *group.egress)]
    for ident in sorted({rule.group for rule in rules if rule.group is not None}):
        addresses = sorted(set(members.get(ident, ())))
        yield from _set(_who(ident), "type ipv4_addr", [str(address) for address in addresses])


def _zones(told: HostNetwork) -> Iterator[str]:
    zones = [f"{_quoted(bridge.device)} : {bridge.zone}" for bridge in told.bridges]
    rules = [f"ct zone set iifname map {{ {', '.join(zones)} }}"] if zones else []
    yield from _chain("zones", rules, hook="prerouting priority raw")


def _ingress(plan: _Plan) -> Iterator[str]:
    for port in plan.told.ports:
        # Guests cannot send from port 67, so this is the router's DHCP.
        jumps = [f"jump {_in(group.id)}" for group in plan.groups(port)]
        rules = ["udp sport 67 udp dport 68 accept", *jumps, "counter drop"]
        yield from _chain(f"to-{plan.number(port)}", rules)
    chosen = _choice("to", [plan.number(port) for port in plan.told.ports])
    yield from _chain("ingress", chosen, hook="forward priority filter")


def _egress(plan: _Plan) -> Iterator[str]:
    limited = plan.limited()
    for port in limited:
        jumps = [f"jump {_out(group.id)}" for group in plan.groups(port)]
        yield from _chain(f"from-{plan.number(port)}", ["jump services", *jumps, "counter drop"])
    chosen = _choice("from", [plan.number(port) for port in limited])
    yield from _chain("egress", chosen, hook="prerouting priority filter")


def _choice(prefix: str, numbers: list[int]) -> list[str]:
    verdicts = ", ".join(f"{number} : goto {prefix}-{number}" for number in numbers)
    return [
        "meta mark 0 accept",
        "ct state established,related accept",
        "ct state invalid counter drop",
        *([f"meta mark vmap {{ {verdicts} }}"] if numbers else []),
    ]


def _permit(rule: Rule, side: str) -> str:
    return " ".join([*_party(rule, side), *_traffic(rule), "accept"])


def _party(rule: Rule, side: str) -> list[str]:
    if rule.group is not None:
        return [f"ip {side} @{_who(rule.group)}"]
    if rule.cidr is None:
        raise ValueError("a rule names neither a range nor a group")
    return [f"ip {side} {rule.cidr}"] if rule.cidr.prefixlen else []


def _traffic(rule: Rule) -> list[str]:
    if rule.protocol == "all":
        return []
    protocol = _PROTOCOLS.get(rule.protocol)
    if protocol is None:
        return [f"ip protocol {int(rule.protocol)}"]
    if protocol == "icmp":
        fields = (("type", rule.first), ("code", rule.last))
        exact = [f"icmp {name} {value}" for name, value in fields if value not in (None, -1)]
        return exact or ["ip protocol icmp"]
    if rule.first is None or rule.last is None:
        return [f"ip protocol {protocol}"]
    return [f"{protocol} dport {rule.first}-{rule.last}"]


def _set(name: str, kind_of: str, elements: Iterable[str], kind: str = "set") -> Iterator[str]:
    listed = sorted(set(elements))
    yield f"  {kind} {name} {{"
    yield f"    {kind_of}"
    if listed:
        yield f"    elements = {{ {', '.join(listed)} }}"
    yield "  }"


def _chain(name: str, rules: Iterable[str], hook: str = "") -> Iterator[str]:
    yield f"  chain {name} {{"
    if hook:
        yield f"    type filter hook {hook}; policy accept;"
    yield from (f"    {rule}" for rule in rules)
    yield "  }"


def _in(group_id: str) -> str:
    return f"in-{names.ident(group_id)}"


def _out(group_id: str) -> str:
    return f"out-{names.ident(group_id)}"


def _who(group_id: str) -> str:
    return f"members-{names.ident(group_id)}"


def _quoted(device: str) -> str:
    return f'"{names.device(device)}"'
