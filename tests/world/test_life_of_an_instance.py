"""The life of an instance through boto3, over simulated hosts."""

from typing import Any

from tests.world.world import World


def test_an_instance_runs_stops_starts_and_ends(world: World, ec2: Any) -> None:
    """The tour's story, told by botocore's own waiters."""
    image = ec2.describe_images()["Images"][0]["ImageId"]
    run = ec2.run_instances(ImageId=image, MinCount=1, MaxCount=1, InstanceType="m1.small")
    ident = run["Instances"][0]["InstanceId"]
    assert run["Instances"][0]["State"]["Name"] == "pending"
    ec2.get_waiter("instance_running").wait(InstanceIds=[ident], WaiterConfig={"Delay": 1})
    ec2.stop_instances(InstanceIds=[ident])
    ec2.get_waiter("instance_stopped").wait(InstanceIds=[ident], WaiterConfig={"Delay": 1})
    ec2.start_instances(InstanceIds=[ident])
    ec2.get_waiter("instance_running").wait(InstanceIds=[ident], WaiterConfig={"Delay": 1})
    ec2.terminate_instances(InstanceIds=[ident])
    ec2.get_waiter("instance_terminated").wait(InstanceIds=[ident], WaiterConfig={"Delay": 1})
