"""Security groups and permissions through boto3."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.world.world import World

SSH = {
    "IpProtocol": "tcp",
    "FromPort": 22,
    "ToPort": 22,
    "IpRanges": [{"CidrIp": "0.0.0.0/0", "Description": "from anywhere"}],
}


@pytest.fixture(scope="module")
def alice(world: World) -> Any:
    return world.aws("ec2", world.account("alice"))


@pytest.fixture
def group(world: World, alice: Any, request: pytest.FixtureRequest) -> Any:
    ident = alice.create_security_group(GroupName=request.node.name, Description="d")["GroupId"]
    yield ident
    world.settle()
    alice.delete_security_group(GroupId=ident)


def refused(call: Any, **params: Any) -> str:
    with pytest.raises(ClientError) as caught:
        call(**params)
    return str(caught.value.response["Error"]["Code"])


def shown(ec2: Any, ident: str) -> dict[str, Any]:
    return dict(ec2.describe_security_groups(GroupIds=[ident])["SecurityGroups"][0])


def test_a_group_is_made_described_and_deleted(alice: Any) -> None:
    ident = alice.create_security_group(GroupName="web", Description="web servers")["GroupId"]
    found = shown(alice, ident)
    assert (found["GroupName"], found["Description"]) == ("web", "web servers")
    assert found["IpPermissions"] == found["IpPermissionsEgress"] == []
    [by_name] = alice.describe_security_groups(GroupNames=["web"])["SecurityGroups"]
    assert by_name == found
    twice = {"GroupName": "web", "Description": "x"}
    assert refused(alice.create_security_group, **twice) == "InvalidGroup.Duplicate"
    alice.delete_security_group(GroupName="web")
    assert refused(alice.delete_security_group, GroupId=ident) == "InvalidGroup.NotFound"
    assert refused(alice.describe_security_groups, GroupIds=[ident]) == "InvalidGroup.NotFound"


@pytest.mark.parametrize(
    ("name", "code"),
    [("default", "InvalidGroup.Reserved"), ("sg-x", "InvalidParameterValue")],
)
def test_some_names_cannot_be_had(alice: Any, name: str, code: str) -> None:
    params = {"GroupName": name, "Description": "d"}
    assert refused(alice.create_security_group, **params) == code


def test_a_permission_comes_and_goes(alice: Any, group: str) -> None:
    reply = alice.authorize_security_group_ingress(GroupId=group, IpPermissions=[SSH])
    [rule] = reply["SecurityGroupRules"]
    assert (rule["GroupId"], rule["CidrIpv4"], rule["FromPort"]) == (group, "0.0.0.0/0", 22)
    assert reply["Return"] is True
    [permission] = shown(alice, group)["IpPermissions"]
    assert permission["IpRanges"] == [{"CidrIp": "0.0.0.0/0"}]
    again = refused(alice.authorize_security_group_ingress, GroupId=group, IpPermissions=[SSH])
    assert again == "InvalidPermission.Duplicate"
    gone = alice.revoke_security_group_ingress(GroupId=group, IpPermissions=[SSH])
    assert gone["RevokedSecurityGroupRules"][0]["CidrIpv4"] == "0.0.0.0/0"
    assert shown(alice, group)["IpPermissions"] == []
    missing = refused(alice.revoke_security_group_ingress, GroupId=group, IpPermissions=[SSH])
    assert missing == "InvalidPermission.NotFound"


def test_rules_of_the_same_ports_are_one_permission(alice: Any, group: str) -> None:
    ranges = [{"CidrIp": "10.0.0.0/8"}, {"CidrIp": "192.168.0.0/16"}]
    alice.authorize_security_group_ingress(
        GroupId=group, IpPermissions=[{**SSH, "IpRanges": ranges}]
    )
    [permission] = shown(alice, group)["IpPermissions"]
    assert sorted(r["CidrIp"] for r in permission["IpRanges"]) == ["10.0.0.0/8", "192.168.0.0/16"]
    alice.revoke_security_group_ingress(
        GroupId=group, IpPermissions=[{**SSH, "IpRanges": ranges[:1]}]
    )
    assert shown(alice, group)["IpPermissions"][0]["IpRanges"] == ranges[1:]


def test_the_flat_form_is_understood(alice: Any, group: str) -> None:
    flat = {"IpProtocol": "6", "FromPort": 80, "ToPort": 81, "CidrIp": "10.0.0.1/8"}
    alice.authorize_security_group_ingress(GroupId=group, **flat)
    [permission] = shown(alice, group)["IpPermissions"]
    assert (permission["IpProtocol"], permission["ToPort"]) == ("tcp", 81)
    assert permission["IpRanges"] == [{"CidrIp": "10.0.0.0/8"}]
    alice.revoke_security_group_ingress(GroupId=group, **flat)
    assert shown(alice, group)["IpPermissions"] == []


def test_a_group_may_be_a_source(alice: Any, group: str) -> None:
    peer = alice.create_security_group(GroupName="peer", Description="d")["GroupId"]
    pairs = [{"GroupId": peer}, {"GroupName": "default"}]
    permission = {"IpProtocol": "-1", "UserIdGroupPairs": pairs}
    alice.authorize_security_group_ingress(GroupId=group, IpPermissions=[permission])
    [found] = shown(alice, group)["IpPermissions"]
    assert found["IpProtocol"] == "-1"
    assert "FromPort" not in found
    assert sorted(p["GroupName"] for p in found["UserIdGroupPairs"]) == ["default", "peer"]
    assert refused(alice.delete_security_group, GroupId=peer) == "InvalidGroup.InUse"
    alice.revoke_security_group_ingress(GroupId=group, IpPermissions=[permission])
    alice.delete_security_group(GroupId=peer)


def test_a_flat_source_group_means_every_protocol(alice: Any, group: str) -> None:
    name = shown(alice, group)["GroupName"]
    alice.authorize_security_group_ingress(GroupName=name, SourceSecurityGroupName=name)
    found = shown(alice, group)["IpPermissions"]
    assert sorted(p["IpProtocol"] for p in found) == ["icmp", "tcp", "udp"]
    alice.revoke_security_group_ingress(GroupName=name, SourceSecurityGroupName=name)
    assert shown(alice, group)["IpPermissions"] == []


def test_icmp_has_types_and_codes(alice: Any, group: str) -> None:
    ping = {"IpProtocol": "icmp", "FromPort": 8, "ToPort": -1, "IpRanges": SSH["IpRanges"]}
    alice.authorize_security_group_ingress(GroupId=group, IpPermissions=[ping])
    [found] = shown(alice, group)["IpPermissions"]
    assert (found["FromPort"], found["ToPort"]) == (8, -1)


def test_rules_leave_by_their_ids(alice: Any, group: str) -> None:
    reply = alice.authorize_security_group_egress(GroupId=group, IpPermissions=[SSH])
    [rule] = reply["SecurityGroupRules"]
    assert rule["IsEgress"] is True
    ids = [rule["SecurityGroupRuleId"]]
    assert shown(alice, group)["IpPermissionsEgress"]
    assert alice.describe_security_group_rules(SecurityGroupRuleIds=ids)["SecurityGroupRules"] == [
        rule
    ]
    filters = [{"Name": "group-id", "Values": [group]}]
    assert alice.describe_security_group_rules(Filters=filters)["SecurityGroupRules"] == [rule]
    wrong = refused(alice.revoke_security_group_ingress, GroupId=group, SecurityGroupRuleIds=ids)
    assert wrong == "InvalidSecurityGroupRuleId.NotFound"
    alice.revoke_security_group_egress(GroupId=group, SecurityGroupRuleIds=ids)
    assert shown(alice, group)["IpPermissionsEgress"] == []


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"IpProtocol": "carrier-pigeon"}, "InvalidPermission.Malformed"),
        ({"FromPort": 80, "ToPort": 22}, "InvalidParameterValue"),
        ({"ToPort": 70000}, "InvalidParameterValue"),
        ({"IpProtocol": "icmp", "FromPort": 300}, "InvalidPermission.Malformed"),
        ({"IpRanges": [{"CidrIp": "10.0.0.0/99"}]}, "InvalidParameterValue"),
        ({"IpRanges": []}, "MissingParameter"),
        ({"UserIdGroupPairs": [{"GroupName": "none"}]}, "InvalidGroup.NotFound"),
        ({"UserIdGroupPairs": [{"GroupId": "sg-0123456789abcdef0"}]}, "InvalidGroup.NotFound"),
        ({"UserIdGroupPairs": [{"GroupName": "x", "UserId": "1"}]}, "InvalidGroup.NotFound"),
        ({"Ipv6Ranges": [{"CidrIpv6": "::/0"}]}, "UnsupportedOperation"),
    ],
)
def test_an_impossible_permission_changes_nothing(
    alice: Any, group: str, change: dict[str, Any], code: str
) -> None:
    good = {**SSH, "FromPort": 1, "ToPort": 1}
    permissions = [good, {**SSH, **change}]
    if code == "MissingParameter":
        permissions = permissions[1:]
    call = alice.authorize_security_group_ingress
    assert refused(call, GroupId=group, IpPermissions=permissions) == code
    assert shown(alice, group)["IpPermissions"] == []


def test_the_default_group_stays(world: World, alice: Any) -> None:
    alice.authorize_security_group_ingress(GroupName="default", IpPermissions=[SSH])
    assert refused(alice.delete_security_group, GroupName="default") == "CannotDelete"
    alice.revoke_security_group_ingress(GroupName="default", IpPermissions=[SSH])


def test_a_group_with_instances_is_in_use(world: World, alice: Any, group: str) -> None:
    image = alice.describe_images()["Images"][0]["ImageId"]
    params = {"ImageId": image, "MinCount": 1, "MaxCount": 1, "InstanceType": "m1.tiny"}
    run = alice.run_instances(SecurityGroupIds=[group], **params)
    assert refused(alice.delete_security_group, GroupId=group) == "InvalidGroup.InUse"
    alice.terminate_instances(InstanceIds=[run["Instances"][0]["InstanceId"]])
    world.settle()


def test_filters_choose_groups(alice: Any, group: str) -> None:
    alice.authorize_security_group_ingress(GroupId=group, IpPermissions=[SSH])

    def found(name: str, value: str) -> list[str]:
        filters = [{"Name": name, "Values": [value]}]
        groups = alice.describe_security_groups(Filters=filters)["SecurityGroups"]
        return [one["GroupId"] for one in groups]

    assert group in found("ip-permission.cidr", "0.0.0.0/0")
    assert group in found("ip-permission.from-port", "22")
    assert found("ip-permission.to-port", "23") == []
    assert found("group-id", group) == [group]


def test_strangers_do_not_see_each_others_groups(world: World, alice: Any, group: str) -> None:
    bob = world.aws("ec2", world.account("bob"))
    assert refused(bob.describe_security_groups, GroupIds=[group]) == "InvalidGroup.NotFound"
    call = bob.authorize_security_group_ingress
    assert refused(call, GroupId=group, IpPermissions=[SSH]) == "InvalidGroup.NotFound"


def test_a_dry_run_changes_nothing(alice: Any, group: str) -> None:
    call = alice.authorize_security_group_ingress
    params = {"GroupId": group, "IpPermissions": [SSH], "DryRun": True}
    assert refused(call, **params) == "DryRunOperation"
    assert shown(alice, group)["IpPermissions"] == []
