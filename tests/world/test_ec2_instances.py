"""Instances through boto3."""

import base64
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.world.world import World


@pytest.fixture(scope="module")
def image(world: World) -> str:
    return str(world.aws("ec2").describe_images()["Images"][0]["ImageId"])


@pytest.fixture(scope="module", autouse=True)
def third(world: World) -> None:
    """An instance type of which two fit on each of the two hosts."""
    memory = world.native().listHosts(type="Routing")["host"][0]["memorytotal"] >> 20
    world.native().createServiceOffering(
        name="m1.third", displaytext="third", cpunumber=1, cpuspeed=500, memory=memory * 2 // 5
    )


@pytest.fixture(scope="module")
def alice(world: World) -> Any:
    return world.aws("ec2", world.account("alice"))


@pytest.fixture(autouse=True)
def none_left(world: World, alice: Any) -> Iterator[None]:
    yield
    world.settle()
    rows = alice.describe_instances()["Reservations"]
    alive = [i["InstanceId"] for r in rows for i in r["Instances"] if i["State"]["Code"] != 48]
    if alive:
        alice.terminate_instances(InstanceIds=alive)
        world.settle()


def refused(call: Any, **params: Any) -> str:
    with pytest.raises(ClientError) as caught:
        call(**params)
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] < 600
    return str(caught.value.response["Error"]["Code"])


def launch(ec2: Any, image: str, count: int = 1, **more: Any) -> list[str]:
    run = ec2.run_instances(
        ImageId=image, MinCount=count, MaxCount=count, **{"InstanceType": "m1.small", **more}
    )
    return [instance["InstanceId"] for instance in run["Instances"]]


def described(ec2: Any, **params: Any) -> list[dict[str, Any]]:
    pages = ec2.describe_instances(**params)["Reservations"]
    return [instance for reservation in pages for instance in reservation["Instances"]]


def states(ec2: Any, idents: list[str]) -> list[str]:
    return [i["State"]["Name"] for i in described(ec2, InstanceIds=idents)]


def test_a_launch_answers_with_what_was_asked(world: World, alice: Any, image: str) -> None:
    alice.create_key_pair(KeyName="launch")
    group = alice.create_security_group(GroupName="launch", Description="d")["GroupId"]
    run = alice.run_instances(
        ImageId=image,
        MinCount=1,
        MaxCount=2,
        InstanceType="m1.small",
        KeyName="launch",
        SecurityGroupIds=[group],
        Placement={"AvailabilityZone": "us-east-1a"},
        UserData="#!/bin/sh\necho hello\n",
    )
    assert run["ReservationId"].startswith("r-")
    assert len(run["OwnerId"]) == 12
    assert [i["AmiLaunchIndex"] for i in run["Instances"]] == [0, 1]
    one = run["Instances"][0]
    assert one["State"] == {"Code": 0, "Name": "pending"}
    assert (one["ImageId"], one["InstanceType"], one["KeyName"]) == (image, "m1.small", "launch")
    assert one["SecurityGroups"] == [{"GroupId": group, "GroupName": "launch"}]
    assert one["Placement"]["AvailabilityZone"] == "us-east-1a"
    assert abs(datetime.now(UTC) - one["LaunchTime"]) < timedelta(minutes=1)
    world.settle()
    [later] = [i for i in described(alice) if i["InstanceId"] == one["InstanceId"]]
    assert later["State"] == {"Code": 16, "Name": "running"}
    assert later["PrivateIpAddress"] == later["PublicIpAddress"]
    [disk] = later["BlockDeviceMappings"]
    assert disk["DeviceName"] == later["RootDeviceName"] == "/dev/sda1"
    assert disk["Ebs"]["Status"] == "attached"
    assert disk["Ebs"]["DeleteOnTermination"] is True


def test_instances_of_one_launch_are_one_reservation(alice: Any, image: str) -> None:
    first, second = launch(alice, image, 2), launch(alice, image)
    found = alice.describe_instances(InstanceIds=first + second)["Reservations"]
    assert [len(reservation["Instances"]) for reservation in found] == [2, 1]
    assert found[0]["ReservationId"] != found[1]["ReservationId"]


def test_an_instance_stops_starts_and_ends(world: World, alice: Any, image: str) -> None:
    [ident] = launch(alice, image)
    world.settle()
    stopped = alice.stop_instances(InstanceIds=[ident], Force=True)["StoppingInstances"]
    assert stopped[0]["PreviousState"]["Name"] == "running"
    assert stopped[0]["CurrentState"]["Name"] == "stopping"
    world.settle()
    again = alice.stop_instances(InstanceIds=[ident])["StoppingInstances"]
    assert again[0]["CurrentState"]["Name"] == "stopped"
    assert refused(alice.reboot_instances, InstanceIds=[ident]) == "IncorrectInstanceState"
    started = alice.start_instances(InstanceIds=[ident])["StartingInstances"]
    assert started[0]["CurrentState"]["Name"] == "pending"
    world.settle()
    alice.reboot_instances(InstanceIds=[ident])
    assert alice.start_instances(InstanceIds=[ident])["StartingInstances"]
    ended = alice.terminate_instances(InstanceIds=[ident])["TerminatingInstances"]
    assert ended[0]["CurrentState"]["Name"] == "shutting-down"
    world.settle()
    [gone] = described(alice, InstanceIds=[ident])
    assert gone["State"] == {"Code": 48, "Name": "terminated"}
    assert gone["BlockDeviceMappings"] == []
    assert "PublicIpAddress" not in gone
    twice = alice.terminate_instances(InstanceIds=[ident])["TerminatingInstances"]
    assert twice[0]["CurrentState"]["Name"] == "terminated"
    assert refused(alice.start_instances, InstanceIds=[ident]) == "IncorrectInstanceState"


def test_an_instance_can_end_before_it_has_begun(world: World, alice: Any, image: str) -> None:
    [ident] = launch(alice, image)
    alice.terminate_instances(InstanceIds=[ident])
    assert states(alice, [ident])[0] in ("shutting-down", "terminated")
    world.settle()
    assert states(alice, [ident]) == ["terminated"]


def test_terminated_instances_are_still_listed(world: World, alice: Any, image: str) -> None:
    [ident] = launch(alice, image)
    alice.terminate_instances(InstanceIds=[ident])
    world.settle()
    assert ident in [instance["InstanceId"] for instance in described(alice)]


def test_if_one_instance_is_unknown_nothing_is_done(world: World, alice: Any, image: str) -> None:
    [ident] = launch(alice, image)
    world.settle()
    both = [ident, "i-0123456789abcdef0"]
    for call in (alice.stop_instances, alice.terminate_instances, alice.describe_instances):
        assert refused(call, InstanceIds=both) == "InvalidInstanceID.NotFound"
    assert states(alice, [ident]) == ["running"]


@pytest.mark.parametrize(
    "ident", ["i-1", "vol-0123456789abcdef0", "i-0123456789ABCDEFG", "x", "i-"]
)
def test_a_malformed_id_is_told_so(alice: Any, ident: str) -> None:
    assert refused(alice.describe_instances, InstanceIds=[ident]) == "InvalidInstanceID.Malformed"


def test_a_bare_uuid_is_an_id(world: World, alice: Any, image: str) -> None:
    [ident] = launch(alice, image)
    h = ident[2:]
    native = f"{h[:8]}-{h[8:12]}-8{h[12:15]}-8{h[15:]}0-70696c657573"
    assert described(alice, InstanceIds=[native])[0]["InstanceId"] == ident


def test_strangers_do_not_see_each_others_instances(world: World, alice: Any, image: str) -> None:
    [ident] = launch(alice, image)
    bob = world.aws("ec2", world.account("bob"))
    assert described(bob) == []
    assert refused(bob.describe_instances, InstanceIds=[ident]) == "InvalidInstanceID.NotFound"
    assert refused(bob.terminate_instances, InstanceIds=[ident]) == "InvalidInstanceID.NotFound"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"ImageId": "ami-0123456789abcdef0"}, "InvalidAMIID.NotFound"),
        ({"ImageId": "ami-1"}, "InvalidAMIID.Malformed"),
        ({"InstanceType": "x1.none"}, "InvalidInstanceType"),
        ({"KeyName": "none"}, "InvalidKeyPair.NotFound"),
        ({"SecurityGroups": ["none"]}, "InvalidGroup.NotFound"),
        ({"SecurityGroupIds": ["sg-0123456789abcdef0"]}, "InvalidGroup.NotFound"),
        ({"Placement": {"AvailabilityZone": "nowhere"}}, "InvalidZone.NotFound"),
        ({"Placement": {"Tenancy": "dedicated"}}, "UnsupportedOperation"),
        ({"MinCount": 0}, "InvalidParameterValue"),
        ({"MinCount": 2}, "InvalidParameterValue"),
        ({"MaxCount": 100000}, "InvalidParameterValue"),
        ({"SubnetId": "subnet-1"}, "UnsupportedOperation"),
        ({"InstanceType": "m1.huge", "MaxCount": 5, "MinCount": 5}, "InsufficientInstanceCapacity"),
        ({"BlockDeviceMappings": [{"DeviceName": "/dev/sdb"}]}, "UnsupportedOperation"),
        ({"BlockDeviceMappings": [{"DeviceName": "c:"}]}, "InvalidParameterValue"),
        ({"DisableApiTermination": True}, "UnsupportedOperation"),
    ],
)
def test_an_impossible_launch_leaves_nothing(
    world: World, alice: Any, image: str, change: dict[str, Any], code: str
) -> None:
    before = {i["InstanceId"] for i in described(alice)}
    params = {"ImageId": image, "MinCount": 1, "MaxCount": 1, "InstanceType": "m1.small", **change}
    for _ in range(2):  # DryRun finds out what can be known without launching
        assert refused(alice.run_instances, **params) == code
        if code == "InsufficientInstanceCapacity":
            break
        params["DryRun"] = True
    world.settle()
    left = [i for i in described(alice) if i["InstanceId"] not in before]
    assert {i["State"]["Name"] for i in left} <= {"terminated"}


def test_user_data_must_be_base64(world: World, alice: Any, image: str) -> None:
    with pytest.raises(ClientError, match=r"InvalidUserData\.Malformed"):
        _raw(world, alice, {"ImageId": image, "UserData": "not base64!"})


def _raw(world: World, alice: Any, change: dict[str, str]) -> None:
    """A launch whose parameters boto3 does not touch."""

    def spoil(params: dict[str, Any], **_: Any) -> None:
        params["body"].update(change)

    alice.meta.events.register("before-call.ec2.RunInstances", spoil, unique_id="spoil")
    try:
        alice.run_instances(ImageId=change["ImageId"], MinCount=1, MaxCount=1)
    finally:
        alice.meta.events.unregister("before-call.ec2.RunInstances", unique_id="spoil")


def test_fewer_than_the_most_are_launched_when_room_runs_out(
    world: World, alice: Any, image: str
) -> None:
    params = {"ImageId": image, "MaxCount": 5, "InstanceType": "m1.third"}
    assert refused(alice.run_instances, MinCount=5, **params) == "InsufficientInstanceCapacity"
    world.settle()
    assert len(alice.run_instances(MinCount=3, **params)["Instances"]) == 4


def test_a_client_token_makes_the_same_launch_once(world: World, alice: Any, image: str) -> None:
    params = {"ImageId": image, "MinCount": 2, "MaxCount": 2, "ClientToken": "token-1"}
    first, second = (alice.run_instances(InstanceType="m1.tiny", **params) for _ in range(2))
    assert first["ReservationId"] == second["ReservationId"]
    assert [i["InstanceId"] for i in first["Instances"]] == [
        i["InstanceId"] for i in second["Instances"]
    ]
    other = refused(alice.run_instances, InstanceType="m1.small", **params)
    assert other == "IdempotentParameterMismatch"


def test_a_dry_run_changes_nothing(world: World, alice: Any, image: str) -> None:
    [ident] = launch(alice, image)
    world.settle()
    for call, params in (
        (alice.run_instances, {"ImageId": image, "MinCount": 1, "MaxCount": 1}),
        (alice.stop_instances, {"InstanceIds": [ident]}),
        (alice.terminate_instances, {"InstanceIds": [ident]}),
        (alice.describe_instances, {}),
    ):
        assert refused(call, DryRun=True, **params) == "DryRunOperation"
    assert states(alice, [ident]) == ["running"]


def test_the_root_disk_can_be_made_larger(world: World, alice: Any, image: str) -> None:
    mapping = {"DeviceName": "/dev/sda1", "Ebs": {"VolumeSize": 9, "DeleteOnTermination": True}}
    [ident] = launch(alice, image, BlockDeviceMappings=[mapping])
    world.settle()
    volumes = alice.describe_volumes(
        Filters=[{"Name": "attachment.instance-id", "Values": [ident]}]
    )["Volumes"]
    assert [volume["Size"] for volume in volumes] == [9]


def test_groups_may_be_named_both_ways_at_once(world: World, alice: Any, image: str) -> None:
    one = alice.create_security_group(GroupName="both-1", Description="d")["GroupId"]
    alice.create_security_group(GroupName="both-2", Description="d")
    [ident] = launch(alice, image, SecurityGroupIds=[one], SecurityGroups=["both-2"])
    [instance] = described(alice, InstanceIds=[ident])
    assert [g["GroupName"] for g in instance["SecurityGroups"]] == ["both-1", "both-2"]


FILTERED = [
    ("instance-state-name", ["running"], 2),
    ("instance-state-name", ["run*", "stopped"], 3),
    ("instance-state-code", ["80"], 1),
    ("instance-type", ["m1.tiny"], 1),
    ("instance-type", ["m1.????"], 1),
    ("reservation-id", ["r-none"], 0),
    ("availability-zone", ["us-east-1a"], 3),
    ("block-device-mapping.device-name", ["/dev/sda1"], 3),
    ("key-name", ["none"], 0),
]


def test_filters_choose_instances(world: World, alice: Any, image: str) -> None:
    idents = launch(alice, image, 2) + launch(alice, image, InstanceType="m1.tiny")
    world.settle()
    alice.stop_instances(InstanceIds=idents[:1], Force=True)
    world.settle()
    mine = {"Name": "instance-id", "Values": idents}
    for name, values, count in FILTERED:
        found = described(alice, Filters=[{"Name": name, "Values": values}, mine])
        assert len(found) == count, name


def test_an_unknown_filter_is_refused_by_name(alice: Any) -> None:
    with pytest.raises(ClientError, match="no-such-filter"):
        alice.describe_instances(Filters=[{"Name": "no-such-filter", "Values": ["x"]}])


def test_pages_cover_everything_once(world: World, alice: Any, image: str) -> None:
    idents = launch(alice, image, 3) + launch(alice, image, 2)
    filters = [{"Name": "instance-id", "Values": idents}]
    pages = alice.get_paginator("describe_instances").paginate(
        Filters=filters, PaginationConfig={"PageSize": 2}
    )
    seen = [
        [i["InstanceId"] for r in page["Reservations"] for i in r["Instances"]] for page in pages
    ]
    assert [len(page) for page in seen] == [2, 2, 1]
    assert sorted(ident for page in seen for ident in page) == sorted(idents)
    both = refused(alice.describe_instances, InstanceIds=idents, MaxResults=5)
    assert both == "InvalidParameterCombination"
    assert refused(alice.describe_instances, NextToken="x") == "InvalidParameterValue"


def test_attributes_are_told_one_by_one(world: World, alice: Any, image: str) -> None:
    [ident] = launch(alice, image)

    def attribute(name: str) -> dict[str, Any]:
        reply: dict[str, Any] = alice.describe_instance_attribute(InstanceId=ident, Attribute=name)
        return reply

    assert attribute("instanceType")["InstanceType"] == {"Value": "m1.small"}
    assert attribute("disableApiTermination")["DisableApiTermination"] == {"Value": False}
    assert attribute("rootDeviceName")["RootDeviceName"] == {"Value": "/dev/sda1"}
    assert attribute("groupSet")["Groups"][0]["GroupName"] == "default"
    assert attribute("blockDeviceMapping")["BlockDeviceMappings"]
    params = {"InstanceId": ident, "Attribute": "userData"}
    assert refused(alice.describe_instance_attribute, **params) == "UnsupportedOperation"
    params["Attribute"] = "colour"
    assert refused(alice.describe_instance_attribute, **params) == "InvalidParameterValue"


def test_status_is_told_of_running_instances(world: World, alice: Any, image: str) -> None:
    [ident] = launch(alice, image)
    world.settle()
    alice.get_waiter("instance_status_ok").wait(InstanceIds=[ident])
    alice.stop_instances(InstanceIds=[ident], Force=True)
    world.settle()
    assert alice.describe_instance_status(InstanceIds=[ident])["InstanceStatuses"] == []
    [status] = alice.describe_instance_status(InstanceIds=[ident], IncludeAllInstances=True)[
        "InstanceStatuses"
    ]
    assert status["InstanceStatus"]["Status"] == "not-applicable"


def test_user_data_reaches_the_instance_as_given(world: World, alice: Any, image: str) -> None:
    [ident] = launch(alice, image, UserData="hello \u00e9\n")
    from sqlalchemy import select

    from orchestrator.schema.instances import Instance

    h = ident[2:]
    native = f"{h[:8]}-{h[8:12]}-8{h[12:15]}-8{h[15:]}0-70696c657573"
    with world.sessions.read() as db:
        data = db.scalar(select(Instance.user_data).where(Instance.id == native))
    assert data == "hello \u00e9\n".encode()
    assert base64.b64encode(data)
