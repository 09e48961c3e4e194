"""Volumes through boto3."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.world.world import World

ZONE = "us-east-1a"


@pytest.fixture(scope="module")
def alice(world: World) -> Any:
    return world.aws("ec2", world.account("alice"))


@pytest.fixture(scope="module")
def instance(world: World, alice: Any) -> str:
    image = alice.describe_images()["Images"][0]["ImageId"]
    run = alice.run_instances(ImageId=image, MinCount=1, MaxCount=1, InstanceType="m1.tiny")
    world.settle()
    return str(run["Instances"][0]["InstanceId"])


def refused(call: Any, **params: Any) -> str:
    with pytest.raises(ClientError) as caught:
        call(**params)
    return str(caught.value.response["Error"]["Code"])


def made(ec2: Any, size: int = 1, **more: Any) -> str:
    return str(ec2.create_volume(AvailabilityZone=ZONE, Size=size, **more)["VolumeId"])


def shown(ec2: Any, ident: str) -> dict[str, Any]:
    return dict(ec2.describe_volumes(VolumeIds=[ident])["Volumes"][0])


def test_a_volume_lives_through_botocores_waiters(world: World, alice: Any, instance: str) -> None:
    reply = alice.create_volume(AvailabilityZone=ZONE, Size=3, VolumeType="standard")
    ident = reply["VolumeId"]
    assert (reply["Size"], reply["VolumeType"], reply["SnapshotId"]) == (3, "standard", "")
    alice.get_waiter("volume_available").wait(VolumeIds=[ident], WaiterConfig={"Delay": 1})
    attached = alice.attach_volume(VolumeId=ident, InstanceId=instance, Device="/dev/sdf")
    assert (attached["State"], attached["Device"]) == ("attaching", "/dev/sdf")
    alice.get_waiter("volume_in_use").wait(VolumeIds=[ident], WaiterConfig={"Delay": 1})
    world.settle()
    [attachment] = shown(alice, ident)["Attachments"]
    assert attachment["State"] == "attached"
    assert attachment["InstanceId"] == instance
    assert attachment["DeleteOnTermination"] is False
    assert alice.detach_volume(VolumeId=ident)["State"] == "detaching"
    alice.get_waiter("volume_available").wait(VolumeIds=[ident], WaiterConfig={"Delay": 1})
    assert shown(alice, ident)["Attachments"] == []
    alice.delete_volume(VolumeId=ident)
    alice.get_waiter("volume_deleted").wait(VolumeIds=[ident], WaiterConfig={"Delay": 1})
    world.settle()
    assert refused(alice.delete_volume, VolumeId=ident) == "InvalidVolume.NotFound"


def test_an_attached_volume_is_in_use(world: World, alice: Any, instance: str) -> None:
    ident, other = made(alice), made(alice)
    where = {"InstanceId": instance, "Device": "xvdg"}
    assert alice.attach_volume(VolumeId=ident, **where)["Device"] == "/dev/sdg"
    assert refused(alice.attach_volume, VolumeId=ident, **where) == "VolumeInUse"
    assert refused(alice.attach_volume, VolumeId=other, **where) == "InvalidDevice.InUse"
    assert refused(alice.delete_volume, VolumeId=ident) == "VolumeInUse"
    world.settle()
    elsewhere = {"VolumeId": ident, "Device": "/dev/sdz"}
    assert refused(alice.detach_volume, **elsewhere) == "InvalidAttachment.NotFound"
    elsewhere = {"VolumeId": ident, "InstanceId": "i-0123456789abcdef0"}
    assert refused(alice.detach_volume, **elsewhere) == "InvalidAttachment.NotFound"
    filters = [{"Name": "attachment.device", "Values": ["/dev/vdg"]}]
    assert [v["VolumeId"] for v in alice.describe_volumes(Filters=filters)["Volumes"]] == [ident]
    alice.detach_volume(VolumeId=ident, InstanceId=instance, Device="/dev/xvdg", Force=True)
    world.settle()
    assert refused(alice.detach_volume, VolumeId=ident) == "IncorrectState"
    alice.delete_volume(VolumeId=ident)
    alice.delete_volume(VolumeId=other)


def test_a_root_volume_stays_with_its_instance(alice: Any, instance: str) -> None:
    filters = [{"Name": "attachment.instance-id", "Values": [instance]}]
    [root] = alice.describe_volumes(Filters=filters)["Volumes"]
    assert root["State"] == "in-use"
    assert root["Attachments"][0]["Device"] == "/dev/sda1"
    assert refused(alice.detach_volume, VolumeId=root["VolumeId"]) == "OperationNotPermitted"
    assert refused(alice.delete_volume, VolumeId=root["VolumeId"]) == "VolumeInUse"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"AvailabilityZone": "nowhere"}, "InvalidZone.NotFound"),
        ({"Size": None}, "MissingParameter"),
        ({"Size": 0}, "InvalidParameterValue"),
        ({"Size": 5000}, "InvalidParameterValue"),
        ({"VolumeType": "io9"}, "InvalidParameterValue"),
        ({"Encrypted": True}, "UnsupportedOperation"),
        ({"Iops": 100}, "UnsupportedOperation"),
        ({"SnapshotId": "snap-0123456789abcdef0"}, "UnsupportedOperation"),
    ],
)
def test_an_impossible_volume_is_refused(alice: Any, change: dict[str, Any], code: str) -> None:
    params = {"AvailabilityZone": ZONE, "Size": 1, **change}
    given = {name: value for name, value in params.items() if value is not None}
    assert refused(alice.create_volume, **given) == code


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"VolumeId": "vol-0123456789abcdef0"}, "InvalidVolume.NotFound"),
        ({"VolumeId": "i-0123456789abcdef0"}, "InvalidVolumeID.Malformed"),
        ({"InstanceId": "i-0123456789abcdef0"}, "InvalidInstanceID.NotFound"),
        ({"Device": "/dev/hda"}, "InvalidParameterValue"),
        ({"Device": "/dev/sda1"}, "InvalidDevice.InUse"),
    ],
)
def test_an_impossible_attachment_is_refused(
    alice: Any, instance: str, change: dict[str, Any], code: str
) -> None:
    ident = made(alice)
    params = {"VolumeId": ident, "InstanceId": instance, "Device": "/dev/sdb", **change}
    assert refused(alice.attach_volume, **params) == code
    assert shown(alice, ident)["State"] == "available"
    alice.delete_volume(VolumeId=ident)


def test_a_client_token_makes_one_volume(alice: Any) -> None:
    ident = made(alice, ClientToken="once")
    assert made(alice, ClientToken="once") == ident
    again = {"AvailabilityZone": ZONE, "Size": 2, "ClientToken": "once"}
    assert refused(alice.create_volume, **again) == "IdempotentParameterMismatch"
    alice.delete_volume(VolumeId=ident)


def test_a_dry_run_changes_nothing(alice: Any, instance: str) -> None:
    before = alice.describe_volumes()["Volumes"]
    params = {"AvailabilityZone": ZONE, "Size": 1, "DryRun": True}
    assert refused(alice.create_volume, **params) == "DryRunOperation"
    assert alice.describe_volumes()["Volumes"] == before


def test_strangers_do_not_see_each_others_volumes(world: World, alice: Any) -> None:
    ident = made(alice)
    bob = world.aws("ec2", world.account("bob"))
    assert bob.describe_volumes()["Volumes"] == []
    assert refused(bob.delete_volume, VolumeId=ident) == "InvalidVolume.NotFound"
    assert refused(bob.describe_volumes, VolumeIds=[ident]) == "InvalidVolume.NotFound"
    alice.delete_volume(VolumeId=ident)


def test_volumes_come_in_pages(alice: Any) -> None:
    idents = [made(alice) for _ in range(3)]
    filters = [{"Name": "volume-id", "Values": idents}]
    pages = list(
        alice.get_paginator("describe_volumes").paginate(
            Filters=filters, PaginationConfig={"PageSize": 2}
        )
    )
    assert [len(page["Volumes"]) for page in pages] == [2, 1]
    for ident in idents:
        alice.delete_volume(VolumeId=ident)
