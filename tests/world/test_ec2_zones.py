"""Regions, zones, types, images and account attributes through boto3."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.world.world import World


def refused(call: Any, **params: Any) -> str:
    with pytest.raises(ClientError) as caught:
        call(**params)
    return str(caught.value.response["Error"]["Code"])


def test_there_is_one_region_where_the_caller_is(world: World, ec2: Any) -> None:
    [region] = ec2.describe_regions(RegionNames=["us-east-1"])["Regions"]
    assert region["Endpoint"] == world.aws_url.removeprefix("http://")
    assert refused(ec2.describe_regions, RegionNames=["mars"]) == "InvalidParameterValue"


def test_a_zone_is_an_availability_zone(ec2: Any) -> None:
    [zone] = ec2.describe_availability_zones(ZoneNames=["us-east-1a"])["AvailabilityZones"]
    assert (zone["State"], zone["RegionName"]) == ("available", "us-east-1")
    by_id = ec2.describe_availability_zones(ZoneIds=[zone["ZoneId"]])["AvailabilityZones"]
    assert by_id == [zone]
    unknown = {"ZoneNames": ["nowhere"]}
    assert refused(ec2.describe_availability_zones, **unknown) == "InvalidZone.NotFound"
    filters = [{"Name": "state", "Values": ["unavailable"]}]
    assert ec2.describe_availability_zones(Filters=filters)["AvailabilityZones"] == []


def test_a_service_offering_is_an_instance_type(ec2: Any) -> None:
    found = ec2.describe_instance_types(InstanceTypes=["m1.small"])["InstanceTypes"]
    assert found[0]["VCpuInfo"]["DefaultVCpus"] == 1
    assert found[0]["MemoryInfo"] == {"SizeInMiB": 512}
    pages = ec2.get_paginator("describe_instance_types").paginate(PaginationConfig={"PageSize": 5})
    assert "m1.tiny" in [t["InstanceType"] for page in pages for t in page["InstanceTypes"]]
    unknown = {"InstanceTypes": ["x1.none"]}
    assert refused(ec2.describe_instance_types, **unknown) == "InvalidInstanceType"


def test_a_new_offering_is_an_instance_type_at_once(world: World, ec2: Any) -> None:
    ec2.describe_instance_types()
    world.native().createServiceOffering(
        name="c9.new", displaytext="new", cpunumber=2, cpuspeed=500, memory=256
    )
    image = ec2.describe_images()["Images"][0]["ImageId"]
    params = {"ImageId": image, "MinCount": 1, "MaxCount": 1, "InstanceType": "c9.new"}
    assert refused(ec2.run_instances, DryRun=True, **params) == "DryRunOperation"


def test_a_template_is_an_image(world: World, ec2: Any) -> None:
    [image] = ec2.describe_images(Owners=["self"])["Images"]
    assert (image["Name"], image["State"], image["Public"]) == ("tiny", "available", True)
    assert image["RootDeviceName"] == image["BlockDeviceMappings"][0]["DeviceName"]
    alice = world.aws("ec2", world.account("alice"))
    assert alice.describe_images(ImageIds=[image["ImageId"]])["Images"] == [image]
    assert alice.describe_images(Owners=["self"])["Images"] == []
    assert alice.describe_images(Owners=[image["OwnerId"]])["Images"] == [image]
    assert alice.describe_images(ExecutableUsers=["all"])["Images"] == [image]
    assert alice.describe_images(ExecutableUsers=["self"])["Images"] == []
    filters = [{"Name": "name", "Values": ["t*"]}, {"Name": "is-public", "Values": ["true"]}]
    assert alice.describe_images(Filters=filters)["Images"] == [image]
    alice.get_waiter("image_available").wait(ImageIds=[image["ImageId"]])
    unknown = {"ImageIds": ["ami-0123456789abcdef0"]}
    assert refused(ec2.describe_images, **unknown) == "InvalidAMIID.NotFound"
    assert refused(ec2.describe_images, ImageIds=["ami-1"]) == "InvalidAMIID.Malformed"


def test_account_attributes_say_what_the_network_is(ec2: Any) -> None:
    found = ec2.describe_account_attributes()["AccountAttributes"]
    assert {one["AttributeName"] for one in found} == {"supported-platforms", "default-vpc"}
    [one] = ec2.describe_account_attributes(AttributeNames=["default-vpc"])["AccountAttributes"]
    assert one["AttributeValues"] == [{"AttributeValue": "none"}]
    unknown = {"AttributeNames": ["mood"]}
    assert refused(ec2.describe_account_attributes, **unknown) == "InvalidParameterValue"
