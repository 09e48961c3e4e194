"""What old API versions saw differently. Everything else is the same model for every version.

Up to 2010-11-15 security groups had names and no ids: ``groupId`` carries the name, and only
reservations tell groups. An element that did not exist yet is left out, since clients of the time
validate what they get. Shapes are changed in the reply, before it is rendered.
"""

from collections.abc import Callable
from typing import Any

NAMES_ONLY = "2010-11-15"
Reply = dict[str, Any]


def shape(operation: str, version: str, reply: Reply) -> Reply:
    """A reply as a client of this API version expects it."""
    change = _UNTIL_2010.get(operation)
    return change(reply) if change and version <= NAMES_ONLY else reply


def _without(item: Reply, *members: str) -> Reply:
    return {name: value for name, value in item.items() if name not in members}


def _named(groups: list[Reply]) -> list[Reply]:
    return [{"GroupId": group["GroupName"]} for group in groups]


def _reservation(reply: Reply) -> Reply:
    instances = [_without(instance, "SecurityGroups") for instance in reply["Instances"]]
    return {**reply, "Groups": _named(reply["Groups"]), "Instances": instances}


def _reservations(reply: Reply) -> Reply:
    return {**reply, "Reservations": [_reservation(r) for r in reply["Reservations"]]}


def _group(group: Reply) -> Reply:
    permissions = [
        {**one, "UserIdGroupPairs": [_without(p, "GroupId") for p in one["UserIdGroupPairs"]]}
        for one in group["IpPermissions"]
    ]
    return {
        **_without(group, "GroupId", "IpPermissionsEgress", "VpcId", "SecurityGroupArn"),
        "IpPermissions": permissions,
    }


def _groups(reply: Reply) -> Reply:
    return {**reply, "SecurityGroups": [_group(group) for group in reply["SecurityGroups"]]}


def _rules(reply: Reply) -> Reply:
    return _without(reply, "SecurityGroupRules", "RevokedSecurityGroupRules")


_UNTIL_2010: dict[str, Callable[[Reply], Reply]] = {
    "RunInstances": _reservation,
    "DescribeInstances": _reservations,
    "DescribeSecurityGroups": _groups,
    "CreateSecurityGroup": lambda reply: {},
    "DeleteSecurityGroup": lambda reply: _without(reply, "GroupId"),
    "AuthorizeSecurityGroupIngress": _rules,
    "RevokeSecurityGroupIngress": _rules,
    "AllocateAddress": lambda reply: {"PublicIp": reply["PublicIp"]},
    "AssociateAddress": lambda reply: {},
}
