"""Attacks of one account on another: a stranger's things can be neither seen nor touched."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from botocore.exceptions import ClientError
from cs import CloudStackApiException

import nativeapi.registry
from tests.world.world import Keys, World


@dataclass(frozen=True)
class Alice:
    """What she has: ids as EC2 spells them, and as the native API does."""

    keys: Keys
    instance: str
    volume: str
    group: str
    rule: str
    image: str
    ids: dict[str, str]


@pytest.fixture(scope="module")
def alice(world: World) -> Iterator[Alice]:
    """An account with one of everything."""
    keys = world.account("alice")
    ec2, native, s3 = world.aws("ec2", keys), world.native(keys), world.aws("s3", keys)
    ec2.create_key_pair(KeyName="hers")
    group = ec2.create_security_group(GroupName="hers", Description="hers")["GroupId"]
    ec2.authorize_security_group_ingress(
        GroupId=group, IpProtocol="tcp", FromPort=22, ToPort=22, CidrIp="10.0.0.0/8"
    )
    public = ec2.describe_images()["Images"][0]["ImageId"]
    launched = ec2.run_instances(
        ImageId=public, InstanceType="m1.tiny", MinCount=1, MaxCount=1, SecurityGroupIds=[group]
    )
    zone = world.native().listZones()["zone"][0]
    volume = ec2.create_volume(AvailabilityZone=zone["name"], Size=1)["VolumeId"]
    native.registerTemplate(
        name="hers",
        displaytext="hers",
        format="QCOW2",
        hypervisor="KVM",
        ostypeid=native.listOsTypes()["ostype"][0]["id"],
        url="http://images.example/hers.qcow2",
        zoneid=zone["id"],
    )
    s3.create_bucket(Bucket="hers")
    s3.put_object(Bucket="hers", Key="note", Body=b"secret")
    world.settle()
    (instance,) = launched["Instances"]
    (image,) = ec2.describe_images(Filters=[{"Name": "name", "Values": ["hers"]}])["Images"]
    (rule,) = ec2.describe_security_group_rules()["SecurityGroupRules"]
    yield Alice(
        keys,
        instance["InstanceId"],
        volume,
        group,
        rule["SecurityGroupRuleId"],
        image["ImageId"],
        _ids(world, keys),
    )
    ec2.terminate_instances(InstanceIds=[instance["InstanceId"]])


@pytest.fixture(scope="module")
def mallory(world: World) -> Keys:
    """Another account."""
    return world.account("mallory")


def _ids(world: World, keys: Keys) -> dict[str, str]:
    """Native ids of what she has, by the word that native parameters are named after."""
    native = world.native(keys)
    (group,) = (g for g in native.listSecurityGroups()["securitygroup"] if g["name"] == "hers")
    (account,) = native.listAccounts()["account"]
    return {
        "VirtualMachine": native.listVirtualMachines()["virtualmachine"][0]["id"],
        "Volume": native.listVolumes()["volume"][0]["id"],
        "Template": native.listTemplates(templatefilter="self")["template"][0]["id"],
        "SecurityGroup": group["id"],
        "rule": group["ingressrule"][0]["ruleid"],
        "job": native.listAsyncJobs()["asyncjobs"][0]["jobid"],
        "account": account["id"],
        "user": account["user"][0]["id"],
    }


def _state(world: World, her: Alice) -> list[Any]:
    native, s3 = world.native(her.keys), world.aws("s3", her.keys)
    return [
        native.listVirtualMachines(),
        native.listVolumes(),
        native.listSecurityGroups(),
        native.listSSHKeyPairs(),
        native.listTemplates(templatefilter="self"),
        native.listAccounts(),
        len(native.listAsyncJobs()["asyncjobs"]),
        [(one["Key"], one["ETag"]) for one in s3.list_objects_v2(Bucket="hers")["Contents"]],
    ]


def _refused(call: Callable[..., Any], **params: Any) -> str:
    with pytest.raises((ClientError, CloudStackApiException)) as caught:
        call(**params)
    error: Any = caught.value
    if isinstance(error, ClientError):
        return str(error.response["Error"]["Code"])
    return str(error.error["kind"])


def test_ec2_does_not_know_a_strangers_ids(world: World, alice: Alice, mallory: Keys) -> None:
    before, ec2 = _state(world, alice), world.aws("ec2", mallory)
    for operation in ("describe", "start", "stop", "reboot", "terminate"):
        call = getattr(ec2, f"{operation}_instances")
        for extra in ({}, {"DryRun": True}):
            code = _refused(call, InstanceIds=[alice.instance], **extra)
            assert code == "InvalidInstanceID.NotFound"
    for name in ("describe_volumes", "detach_volume", "delete_volume"):
        asked = {"VolumeIds": [alice.volume]} if name[0:3] == "des" else {"VolumeId": alice.volume}
        assert _refused(getattr(ec2, name), **asked) == "InvalidVolume.NotFound"
    rule = {"IpProtocol": "tcp", "FromPort": 1, "ToPort": 1, "CidrIp": "0.0.0.0/0"}
    for name in ("authorize_security_group_ingress", "revoke_security_group_ingress"):
        code = _refused(getattr(ec2, name), GroupId=alice.group, **rule)
        assert code == "InvalidGroup.NotFound"
    assert _refused(ec2.delete_security_group, GroupId=alice.group) == "InvalidGroup.NotFound"
    code = _refused(ec2.describe_security_group_rules, SecurityGroupRuleIds=[alice.rule])
    assert code == "InvalidSecurityGroupRuleId.NotFound"
    ec2.delete_key_pair(KeyName="hers")  # which succeeds for whatever is not there
    assert _state(world, alice) == before


def test_nothing_is_launched_with_a_strangers_things(
    world: World, alice: Alice, mallory: Keys
) -> None:
    ec2 = world.aws("ec2", mallory)
    (public,) = ec2.describe_images()["Images"]
    launch = {"ImageId": public["ImageId"], "InstanceType": "m1.tiny", "MinCount": 1, "MaxCount": 1}
    for change, code in (
        ({"KeyName": "hers"}, "InvalidKeyPair.NotFound"),
        ({"SecurityGroupIds": [alice.group]}, "InvalidGroup.NotFound"),
        ({"SecurityGroups": ["hers"]}, "InvalidGroup.NotFound"),
        ({"ImageId": alice.image}, "InvalidAMIID.NotFound"),
    ):
        assert _refused(ec2.run_instances, **{**launch, **change}) == code
    assert ec2.describe_instances()["Reservations"] == []


def test_lists_show_nothing_of_a_stranger(world: World, alice: Alice, mallory: Keys) -> None:
    native, domain = world.native(mallory), world.native().listDomains()["domain"][0]["id"]
    wide = {"listall": True, "isrecursive": True, "domainid": domain}
    for command in (
        *("listVirtualMachines", "listVolumes", "listSecurityGroups", "listSSHKeyPairs"),
        *("listAsyncJobs", "listAccounts"),
    ):
        found = str(getattr(native, command)(**wide))
        assert not [ident for ident in (*alice.ids.values(), "hers") if ident in found]
        assert _refused(getattr(native, command), account="alice", domainid=domain) == "not_found"


def test_native_commands_do_not_know_a_strangers_ids(
    world: World, alice: Alice, mallory: Keys
) -> None:
    before, native = _state(world, alice), world.native(mallory)
    for name in (
        *("startVirtualMachine", "stopVirtualMachine", "rebootVirtualMachine"),
        *("destroyVirtualMachine", "deleteVolume", "detachVolume", "deleteTemplate"),
        "deleteSecurityGroup",
    ):
        (noun,) = (word for word in alice.ids if name.endswith(word))
        assert _refused(getattr(native, name), id=alice.ids[noun]) == "not_found"
    assert _refused(native.queryAsyncJobResult, jobid=alice.ids["job"]) == "not_found"
    assert _refused(native.revokeSecurityGroupIngress, id=alice.ids["rule"]) == "not_found"
    assert _refused(native.registerUserKeys, id=alice.ids["user"]) == "not_found"
    native.createSecurityGroup(name="mine")
    for account in ("alice", "admin"):
        peer = [{"account": account, "group": "default"}]
        asked = {"securitygroupname": "mine", "usersecuritygrouplist": peer}
        assert _refused(native.authorizeSecurityGroupIngress, **asked) == "not_found"
    for name in ("listUsers", "createUser", "updateConfiguration", "listHosts"):
        assert _refused(getattr(native, name)) == "unknown_command"
    assert _refused(native.getUser, userapikey=alice.keys.access) == "unknown_command"
    assert _state(world, alice) == before


def test_a_strangers_bucket_is_closed(world: World, alice: Alice, mallory: Keys) -> None:
    before, s3 = _state(world, alice), world.aws("s3", mallory)
    s3.create_bucket(Bucket="his")
    note = {"Bucket": "hers", "Key": "note"}
    for name, asked in (
        ("list_objects_v2", {"Bucket": "hers"}),
        ("delete_bucket", {"Bucket": "hers"}),
        ("get_object", note),
        ("get_object", {**note, "Key": "none"}),
        ("put_object", {**note, "Body": b"x"}),
        ("delete_object", note),
        ("copy_object", {"Bucket": "his", "Key": "x", "CopySource": "hers/note"}),
        ("copy_object", {**note, "CopySource": "his/x"}),
    ):
        assert _refused(getattr(s3, name), **asked) == "AccessDenied", name
    told = s3.delete_objects(Bucket="hers", Delete={"Objects": [{"Key": "note"}]})
    assert [each["Code"] for each in told["Errors"]] == ["AccessDenied"]
    assert "Deleted" not in told
    assert _refused(s3.create_bucket, Bucket="hers") == "BucketAlreadyExists"
    assert _state(world, alice) == before


def test_the_service_key_may_look_up_callers_and_switches_and_nothing_else(
    world: World, alice: Alice
) -> None:
    native = world.native(world.service)
    assert native.getUser(userapikey=alice.keys.access)["user"]["account"] == "alice"
    assert _refused(native.getUser, userapikey=world.service.access) == "not_found"
    assert native.listCapabilities()["capability"]
    for name in set(nativeapi.registry.load()) - {"getUser", "listCapabilities"}:
        assert _refused(getattr(native, name)) == "unknown_command", name
    assert _refused(world.aws("ec2", world.service).describe_instances) == "AuthFailure"
    assert _refused(world.aws("s3", world.service).list_buckets) == "InvalidAccessKeyId"
