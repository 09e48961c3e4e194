"""Security groups; their rules are in the room of permissions."""

from gateway import ids
from gateway.ec2.ask import Ask
from gateway.ec2.faults import Ec2Fault, bad_value, combination, missing, not_found
from gateway.ec2.listing import Listing
from gateway.ec2.registry import Reply, operation
from gateway.ec2.views import securitygroups as views
from gateway.native_calls import SecurityGroup

DEFAULT = "default"


@operation("CreateSecurityGroup")
def create_security_group(ask: Ask, group_name: str, description: str) -> Reply:
    """Make a group without rules: nothing comes in, everything may leave."""
    if group_name == DEFAULT:
        raise Ec2Fault("InvalidGroup.Reserved", "The security group 'default' is reserved.")
    if group_name.startswith("sg-") or len(group_name) > 255:
        why = "It may have 255 characters and must not start with sg-."
        raise bad_value("GroupName", group_name, why)
    row = ask.native.create_security_group(name=group_name, description=description)
    return {"GroupId": ids.ec2("sg", row["id"])}


@operation("DeleteSecurityGroup")
def delete_security_group(
    ask: Ask, group_id: str | None = None, group_name: str | None = None
) -> Reply:
    """Delete a group that no instance is in and no other group's rule names."""
    row = find(ask, group_id, group_name)
    if row["name"] == DEFAULT:
        raise Ec2Fault("CannotDelete", "The default security group cannot be deleted.")
    ask.native.delete_security_group(id=row["id"])
    return {"Return": True, "GroupId": ids.ec2("sg", row["id"])}


@operation(
    "DescribeSecurityGroups",
    listing=Listing(
        items=("SecurityGroups",),
        key="GroupId",
        ids=("GroupIds", "GroupNames"),
        filters={
            "description": "Description",
            "egress.ip-permission.cidr": "IpPermissionsEgress.IpRanges.CidrIp",
            "egress.ip-permission.from-port": "IpPermissionsEgress.FromPort",
            "egress.ip-permission.group-id": "IpPermissionsEgress.UserIdGroupPairs.GroupId",
            "egress.ip-permission.group-name": "IpPermissionsEgress.UserIdGroupPairs.GroupName",
            "egress.ip-permission.protocol": "IpPermissionsEgress.IpProtocol",
            "egress.ip-permission.to-port": "IpPermissionsEgress.ToPort",
            "group-id": "GroupId",
            "group-name": "GroupName",
            "ip-permission.cidr": "IpPermissions.IpRanges.CidrIp",
            "ip-permission.from-port": "IpPermissions.FromPort",
            "ip-permission.group-id": "IpPermissions.UserIdGroupPairs.GroupId",
            "ip-permission.group-name": "IpPermissions.UserIdGroupPairs.GroupName",
            "ip-permission.protocol": "IpPermissions.IpProtocol",
            "ip-permission.to-port": "IpPermissions.ToPort",
            "ip-permission.user-id": "IpPermissions.UserIdGroupPairs.UserId",
            "owner-id": "OwnerId",
        },
    ),
)
def describe_security_groups(
    ask: Ask, group_ids: list[str] | None = None, group_names: list[str] | None = None
) -> Reply:
    """The caller's security groups with their rules."""
    rows = ask.native.list_security_groups()
    natives = {ids.native("sg", given): given for given in group_ids or ()}
    known = {row["id"] for row in rows}
    for native, given in natives.items():
        if native not in known:
            raise not_found("sg", given)
    for name in group_names or ():
        if name not in {row["name"] for row in rows}:
            raise no_such(name)
    chosen = [
        row
        for row in rows
        if not (natives or group_names)
        or row["id"] in natives
        or row["name"] in (group_names or ())
    ]
    owner = ids.owner(ask.caller.account_id)
    return {"SecurityGroups": [views.group(owner, row) for row in chosen]}


def find(ask: Ask, group_id: str | None, group_name: str | None) -> SecurityGroup:
    """A group by id or by name; the default group has no id before it is first used.

    Raises:
        Ec2Fault: neither is given, or there is no such group.
    """
    if group_id is not None:
        rows = ask.native.list_security_groups(id=ids.native("sg", group_id))
        if not rows:
            raise not_found("sg", group_id)
        if group_name not in (None, rows[0]["name"]):
            raise combination("GroupId and GroupName name different groups.")
        return rows[0]
    if group_name is None:
        raise missing("GroupId")
    rows = ask.native.list_security_groups(securitygroupname=group_name)
    if not rows and group_name != DEFAULT:
        raise no_such(group_name)
    return rows[0] if rows else {"name": DEFAULT}


def no_such(name: str) -> Ec2Fault:
    """There is no group of this name."""
    return Ec2Fault("InvalidGroup.NotFound", f"The security group '{name}' does not exist.")
