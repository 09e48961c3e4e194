"""Security groups: native rules, one per range or group, gathered into EC2's permissions."""

from collections.abc import Sequence
from dataclasses import dataclass

from gateway import ids
from gateway.ec2.registry import Reply
from gateway.native_calls import Rule, SecurityGroup

ANY = -1


@dataclass(frozen=True)
class Traffic:
    """What a rule allows: EC2's protocol (``-1`` is any), and ports or ICMP type and code."""

    protocol: str
    first: int | None
    last: int | None

    def members(self) -> Reply:
        """As members of a permission or a rule."""
        return {"IpProtocol": self.protocol, "FromPort": self.first, "ToPort": self.last}


def traffic(rule: Rule) -> Traffic:
    """What a native rule allows."""
    protocol = rule["protocol"].lower()
    if protocol == "icmp":
        return Traffic(protocol, rule.get("icmptype", ANY), rule.get("icmpcode", ANY))
    if protocol in ("tcp", "udp"):
        return Traffic(protocol, rule["startport"], rule["endport"])
    return Traffic("-1" if protocol == "all" else protocol, None, None)


def group(owner: str, row: SecurityGroup) -> Reply:
    """A security group with its permissions."""
    return {
        "GroupId": ids.ec2("sg", row["id"]),
        "GroupName": row["name"],
        "Description": row.get("description", ""),
        "OwnerId": owner,
        "IpPermissions": _permissions(owner, row.get("ingressrule", ())),
        "IpPermissionsEgress": _permissions(owner, row.get("egressrule", ())),
    }


def rule(owner: str, group_id: str | None, egress: bool, row: Rule) -> Reply:
    """One rule by itself."""
    allowed = traffic(row)
    return {
        "SecurityGroupRuleId": ids.ec2("sgr", row["ruleid"]),
        "GroupId": group_id,
        "GroupOwnerId": owner,
        "IsEgress": egress,
        "IpProtocol": allowed.protocol,
        "FromPort": ANY if allowed.first is None else allowed.first,
        "ToPort": ANY if allowed.last is None else allowed.last,
        "CidrIpv4": row.get("cidr"),
        "ReferencedGroupInfo": None if "cidr" in row else _referenced(owner, row),
    }


def revoked(shown: Reply) -> Reply:
    """A rule that was taken away, which EC2 shows with fewer members."""
    info = shown["ReferencedGroupInfo"]
    kept = {k: v for k, v in shown.items() if k not in ("GroupOwnerId", "ReferencedGroupInfo")}
    return {**kept, "ReferencedGroupId": info.get("GroupId") if info else None}


def _permissions(owner: str, rows: Sequence[Rule]) -> list[Reply]:
    found = dict[Traffic, Reply]()
    for row in rows:
        allowed = traffic(row)
        if allowed not in found:
            found[allowed] = {
                **allowed.members(),
                "IpRanges": [],
                "Ipv6Ranges": [],
                "PrefixListIds": [],
                "UserIdGroupPairs": [],
            }
        if "cidr" in row:
            found[allowed]["IpRanges"].append({"CidrIp": row["cidr"]})
        else:
            found[allowed]["UserIdGroupPairs"].append(_pair(owner, row))
    return list(found.values())


def _pair(owner: str, row: Rule) -> Reply:
    named = {"UserId": owner, "GroupName": row["securitygroupname"]}
    if "securitygroupid" in row:
        named["GroupId"] = ids.ec2("sg", row["securitygroupid"])
    return named


def _referenced(owner: str, row: Rule) -> Reply:
    return {name: text for name, text in _pair(owner, row).items() if name != "GroupName"}
