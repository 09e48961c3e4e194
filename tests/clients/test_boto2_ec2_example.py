"""The guide's EC2 example (section 11.7.1) in boto 2.49: only host, port and keys are ours."""

import subprocess
import sys

from tests.world.conftest import nothing_leaks, world
from tests.world.world import World

__all__ = ["nothing_leaks", "world"]

SCRIPT = """
import sys
import boto
import boto.ec2

host, port, apikey, secretkey = sys.argv[1:]
region = boto.ec2.regioninfo.RegionInfo(name="ROOT", endpoint=host)


def main():
    '''Establish connection to EC2 cloud'''
    conn = boto.connect_ec2(aws_access_key_id=apikey,
                            aws_secret_access_key=secretkey,
                            is_secure=False,
                            region=region,
                            port=int(port),
                            path="/awsapi",
                            api_version="2010-11-15")

    '''Get list of images that I own'''
    images = conn.get_all_images()
    print(images)
    myimage = images[0]
    '''Pick an instance type'''
    vm_type = 'm1.small'
    reservation = myimage.run(instance_type=vm_type, security_groups=['default'])
    print(reservation.id, reservation.instances[0].id, reservation.instances[0].state)


if __name__ == '__main__':
    main()
"""


def test_the_guides_ec2_example_runs_an_instance(world: World) -> None:
    """Image listed, instance running, in the account's default group."""
    server = world.gateway_server
    ran = subprocess.run(
        [
            sys.executable,
            "-W",
            "ignore",
            "-c",
            SCRIPT,
            "127.0.0.1",
            str(server.port),
            world.admin.access,
            world.admin.secret,
        ],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert ran.returncode == 0, ran.stderr
    listed, made = ran.stdout.strip().splitlines()
    assert listed.startswith("[Image:ami-")
    reservation, instance, state = made.split()
    assert (reservation[:2], instance[:2], state) == ("r-", "i-", "pending")
    ec2 = world.aws("ec2")
    ec2.get_waiter("instance_running").wait(InstanceIds=[instance], WaiterConfig={"Delay": 1})
    found = ec2.describe_instances(InstanceIds=[instance])["Reservations"][0]
    assert found["Instances"][0]["InstanceType"] == "m1.small"
    assert found["Instances"][0]["SecurityGroups"][0]["GroupName"] == "default"
