"""Security group rules in one form, for comparing what is asked with what is there.

EC2 speaks of permissions (a protocol and ports, with many sources), the native API of rules with
one source each. Both become sets of :class:`Rule`.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network
from typing import TypedDict

from gateway.ec2.faults import Ec2Fault, bad_value, combination, missing
from gateway.ec2.views.securitygroups import ANY, Traffic, traffic
from gateway.native_calls import Rule as NativeRule

_NAMES = {"6": "tcp", "17": "udp", "1": "icmp", "all": "-1"}
_LAST_PORT = 65535
# What a source group without a protocol means in the flat form.
_EVERYTHING = (("tcp", 0, _LAST_PORT), ("udp", 0, _LAST_PORT), ("icmp", ANY, ANY))


class Range(TypedDict, total=False):
    """A range of addresses."""

    CidrIp: str


class Pair(TypedDict, total=False):
    """A security group as a source."""

    GroupId: str
    GroupName: str
    UserId: str


class Permission(TypedDict, total=False):
    """A protocol and ports, and everything they are open for."""

    IpProtocol: str
    FromPort: int
    ToPort: int
    IpRanges: list[Range]
    UserIdGroupPairs: list[Pair]


@dataclass(frozen=True)
class Rule:
    """What is allowed, and for whom: a range of addresses, or a group by its name."""

    traffic: Traffic
    cidr: str | None
    group: str | None

    def __str__(self) -> str:
        allowed = self.traffic
        ports = "" if allowed.first is None else f", {allowed.first} to {allowed.last}"
        return f"{allowed.protocol}{ports}, {self.cidr or self.group}"


def of_native(rows: Sequence[NativeRule]) -> dict[Rule, NativeRule]:
    """Native rules by what they mean."""
    return {Rule(traffic(r), r.get("cidr"), r.get("securitygroupname")): r for r in rows}


def wanted(permissions: Sequence[Permission], name_of: Callable[[Pair], str]) -> list[Rule]:
    """The rules that permissions ask for; ``name_of`` finds the name of a source group.

    Raises:
        Ec2Fault: a permission that says nothing, or something impossible.
    """
    found = [rule for permission in permissions for rule in _rules(permission, name_of)]
    if not found:
        raise missing("IpPermissions")
    return found


def flat(
    protocol: str | None,
    first: int | None,
    last: int | None,
    cidr: str | None,
    group: str | None,
    owner: str | None,
) -> list[Permission]:
    """The permissions that the old flat parameters mean; none when none of them is given."""
    if cidr is None and group is None:
        if protocol or first is not None or last is not None:
            raise missing("CidrIp")
        return []
    if cidr is not None and group is not None:
        raise combination("CidrIp and SourceSecurityGroupName cannot be used together.")
    made: Permission = {}
    if cidr is not None:
        made["IpRanges"] = [{"CidrIp": cidr}]
    elif group is not None:
        pair: Pair = {"GroupName": group}
        made["UserIdGroupPairs"] = [{**pair, "UserId": owner} if owner else pair]
    if protocol is None and group is not None:
        return [
            {**made, "IpProtocol": name, "FromPort": low, "ToPort": high}
            for name, low, high in _EVERYTHING
        ]
    if protocol is None:
        raise missing("IpProtocol")
    made["IpProtocol"] = protocol
    if first is not None:
        made["FromPort"] = first
    if last is not None:
        made["ToPort"] = last
    return [made]


def _rules(permission: Permission, name_of: Callable[[Pair], str]) -> Iterator[Rule]:
    allowed = _traffic(permission)
    for one in permission.get("IpRanges", ()):
        yield Rule(allowed, _cidr(one.get("CidrIp", "")), None)
    for pair in permission.get("UserIdGroupPairs", ()):
        yield Rule(allowed, None, name_of(pair))


def _traffic(permission: Permission) -> Traffic:
    given = permission.get("IpProtocol")
    if given is None:
        raise missing("IpProtocol")
    name = _NAMES.get(given, given.lower())
    first, last = permission.get("FromPort"), permission.get("ToPort")
    if name == "icmp":
        return Traffic(name, ANY if first is None else first, ANY if last is None else last)
    if name in ("tcp", "udp"):
        if first is None or last is None:
            raise missing("FromPort" if first is None else "ToPort")
        if not 0 <= first <= last <= _LAST_PORT:
            raise bad_value("FromPort", f"{first} to {last}", "Ports are 0 to 65535, in order.")
        return Traffic(name, first, last)
    if name == "-1" or (name.isascii() and name.isdigit() and int(name) <= 255):
        return Traffic(name, None, None)
    raise Ec2Fault(
        "InvalidPermission.Malformed",
        f"Unsupported IP protocol '{given}' - supported: tcp, udp, icmp, -1 or a number.",
    )


def _cidr(text: str) -> str:
    try:
        return str(IPv4Network(text, strict=False))
    except ValueError:
        raise bad_value("CidrIp", text, "It must be an IPv4 range such as 10.0.0.0/8.") from None
