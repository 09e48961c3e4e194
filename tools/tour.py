"""The tour: one round through the cloud with plain boto3, every step seen to work or it stops.

``python -m tools.tour [--home DIR]``. What a step claims is looked up afterwards, and what concerns
a guest is looked up inside the guest, over SSH. Whatever the tour makes it removes, also when a
step fails.
"""

import secrets
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
from boto3.exceptions import Boto3Error
from botocore.exceptions import BotoCoreError, ClientError

from gateway.native import NativeFault
from tools import aws
from tools.home import DEFAULT_HOME, Config, Home
from tools.progress import Progress
from tools.template import NAME as IMAGE
from tools.tour_guest import GuestShell, Unseen, see

TYPE = "t2.nano"
GIB = 1024**3
MARK = "/var/tour-was-here"
USER_DATA = f"#!/bin/sh\necho user data ran >>{MARK}\n"
# BusyBox makes ext2, which the guest's ext4 driver mounts.
_MOUNT = "mount -t ext4 /dev/vdb /data"
_WAIT = {"Delay": 1, "MaxAttempts": 180}


class Tour:
    """The steps in order. Each leaves what the next needs in an attribute."""

    def __init__(self, home: Home, config: Config, folder: Path, progress: Progress) -> None:
        self._home, self._config = home, config
        self._ec2, self._s3 = aws.client("ec2", home, config), aws.client("s3", home, config)
        self._name = f"tour-{secrets.token_hex(3)}"
        self._folder = folder
        self._progress = progress
        self._debts: dict[str, Callable[[], object]] = {}

    def steps(self) -> dict[str, Callable[[], None]]:
        """What the tour does, by the name it is printed under."""
        return {
            "Make a key pair": self._make_key,
            "Open port 22 in a security group": self._open_port,
            "Upload a file to S3 and read it back": self._store,
            "Run an instance with user data": self._run,
            "Wait for it with botocore's waiter": self._await_running,
            "SSH into it with the key": self._log_in,
            "Inside the guest: its metadata": self._see_metadata,
            "Inside the guest: its user data": self._see_user_data,
            "Inside the guest: its disk": self._see_disk,
            "Create a volume": self._make_volume,
            "Attach it and see it in the guest": self._attach,
            "Stop the instance": self._stop,
            "Start it again, disks and all": self._start,
            "Terminate it": self._terminate,
            "Clean up": self.clean_up,
        }

    # -- before the guest ----------------------------------------------------------------------

    def _make_key(self) -> None:
        made = self._ec2.create_key_pair(KeyName=self._name)
        self._owe("key pair", lambda: self._ec2.delete_key_pair(KeyName=self._name))
        self._key = self._folder / "key.pem"
        self._key.touch(0o600)
        self._key.write_text(made["KeyMaterial"])
        known = self._ec2.describe_key_pairs(KeyNames=[self._name])["KeyPairs"]
        see(known[0]["KeyFingerprint"] == made["KeyFingerprint"], "the key pair is listed")

    def _open_port(self) -> None:
        made = self._ec2.create_security_group(GroupName=self._name, Description="Pileus tour")
        self._group = made["GroupId"]
        self._owe("group", lambda: self._ec2.delete_security_group(GroupId=self._group))
        anybody = [{"CidrIp": "0.0.0.0/0"}]
        rule = {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": anybody}
        self._ec2.authorize_security_group_ingress(GroupId=self._group, IpPermissions=[rule])
        [group] = self._ec2.describe_security_groups(GroupIds=[self._group])["SecurityGroups"]
        opened = [rule.get("FromPort") for rule in group["IpPermissions"]]
        see(opened == [22], "the rule is listed")

    def _store(self) -> None:
        self._s3.create_bucket(Bucket=self._name)
        self._owe("bucket", lambda: self._s3.delete_bucket(Bucket=self._name))
        sent = self._folder / "sent"
        sent.write_bytes(secrets.token_bytes(3 * 1024 * 1024))
        self._s3.upload_file(str(sent), self._name, "a file")
        self._owe("object", lambda: self._s3.delete_object(Bucket=self._name, Key="a file"))
        got = self._folder / "got"
        self._s3.download_file(self._name, "a file", str(got))
        see(got.read_bytes() == sent.read_bytes(), "what was read is what was sent")
        self._progress.note(f"s3://{self._name}/a file: {got.stat().st_size} bytes")

    def _run(self) -> None:
        wanted = [{"Name": "name", "Values": [IMAGE]}]
        [image] = self._ec2.describe_images(Filters=wanted)["Images"]
        reply = self._ec2.run_instances(
            ImageId=image["ImageId"],
            InstanceType=TYPE,
            MinCount=1,
            MaxCount=1,
            KeyName=self._name,
            SecurityGroupIds=[self._group],
            UserData=USER_DATA,
        )
        self._instance = reply["Instances"][0]["InstanceId"]
        self._owe("instance", self._terminate_and_wait)
        self._progress.note(f"{self._instance} from {image['ImageId']}, {TYPE}")

    def _await_running(self) -> None:
        self._wait("instance_running")
        there = self._describe()
        see(there["State"]["Name"] == "running", "the instance is described as running")
        self._progress.note(f"address {there['PrivateIpAddress']}")

    # -- inside the guest ----------------------------------------------------------------------

    def _log_in(self) -> None:
        self._shell = GuestShell(self._home, self._config, self._instance, self._key)
        self._progress.note(f"uname -nrm: {self._shell.await_login()}")

    def _see_metadata(self) -> None:
        described = self._describe()
        for path, wanted in {
            "instance-id": self._instance,
            "local-ipv4": described["PrivateIpAddress"],
            "ami-id": described["ImageId"],
            "instance-type": TYPE,
        }.items():
            seen = self._shell.metadata(f"meta-data/{path}")
            see(seen == wanted, f"{path} is {wanted} (the guest sees {seen})")
            self._progress.note(f"{path}: {seen}")
        keys = self._shell.metadata("meta-data/public-keys/0/openssh-key")
        see(keys.startswith("ssh-"), "the public key is in the metadata")

    def _see_user_data(self) -> None:
        served = self._shell.metadata("user-data")
        see(served == USER_DATA.strip(), f"user data is as sent (the guest sees {served!r})")
        self._shell.until(f"cat {MARK}", lambda text: text == "user data ran", "the script ran")
        self._progress.note(f"{MARK}: user data ran")

    def _see_disk(self) -> None:
        size, used = self._shell.disk("vda"), self._shell.root_filesystem()
        see(used > 0.8 * size, f"the root file system fills its disk ({used} of {size} bytes)")
        self._progress.note(f"/dev/vda: {size} bytes, its file system {used} bytes")

    # -- the volume ----------------------------------------------------------------------------

    def _make_volume(self) -> None:
        zone = self._describe()["Placement"]["AvailabilityZone"]
        made = self._ec2.create_volume(AvailabilityZone=zone, Size=1, VolumeType="gp2")
        self._volume = made["VolumeId"]
        self._owe("volume", self._delete_volume)
        self._ec2.get_waiter("volume_available").wait(VolumeIds=[self._volume], WaiterConfig=_WAIT)
        self._progress.note(f"{self._volume}, 1 GiB in {zone}")

    def _attach(self) -> None:
        self._ec2.attach_volume(VolumeId=self._volume, InstanceId=self._instance, Device="/dev/sdb")
        self._ec2.get_waiter("volume_in_use").wait(VolumeIds=[self._volume], WaiterConfig=_WAIT)
        self._shell.until_disk("vdb", GIB)
        self._shell.run(f"mke2fs -F /dev/vdb >/dev/null && mkdir -p /data && {_MOUNT}")
        self._shell.run("echo kept >/data/note && umount /data && sync")
        self._progress.note("/dev/vdb: 1 GiB, formatted and written to")

    # -- stop, start, terminate ----------------------------------------------------------------

    def _stop(self) -> None:
        self._ec2.stop_instances(InstanceIds=[self._instance])
        self._wait("instance_stopped")
        see(self._describe()["State"]["Name"] == "stopped", "it is described as stopped")

    def _start(self) -> None:
        self._ec2.start_instances(InstanceIds=[self._instance])
        self._wait("instance_running")
        self._log_in()
        self._shell.until_disk("vdb", GIB)
        note = self._shell.run(f"mkdir -p /data && {_MOUNT} && cat /data/note")
        see(note == "kept", "the volume kept what was written")
        ran = self._shell.run(f"cat {MARK}")
        see(ran == "user data ran", f"user data ran once only ({ran!r})")

    def _terminate(self) -> None:
        self._settle("instance")
        gone = self._describe()["State"]["Name"]
        see(gone == "terminated", f"it is described as terminated (and is {gone})")

    # -- what is left --------------------------------------------------------------------------

    def clean_up(self) -> None:
        """Remove what the tour has made and not removed yet, newest first.

        Raises:
            Unseen: some of it could not be removed; the rest is gone all the same.
        """
        left = []
        while self._debts:
            name = next(reversed(self._debts))
            try:
                self._settle(name)
            except (BotoCoreError, ClientError) as error:
                left.append(f"{name}: {error}")
        see(not left, f"everything is removed ({'; '.join(left)})")

    def _owe(self, name: str, settle: Callable[[], object]) -> None:
        self._debts[name] = settle

    def _settle(self, name: str) -> None:
        self._debts.pop(name)()

    def _terminate_and_wait(self) -> None:
        self._ec2.terminate_instances(InstanceIds=[self._instance])
        self._wait("instance_terminated")

    def _delete_volume(self) -> None:
        if "instance" in self._debts:
            self._settle("instance")
        self._ec2.get_waiter("volume_available").wait(VolumeIds=[self._volume], WaiterConfig=_WAIT)
        self._ec2.delete_volume(VolumeId=self._volume)

    def _wait(self, what: str) -> None:
        self._ec2.get_waiter(what).wait(InstanceIds=[self._instance], WaiterConfig=_WAIT)

    def _describe(self) -> dict[str, Any]:
        reply = self._ec2.describe_instances(InstanceIds=[self._instance])
        found: dict[str, Any] = reply["Reservations"][0]["Instances"][0]
        return found


def take(home: Home) -> None:
    """Take the tour through the cloud of a home.

    Raises:
        Unseen, ClientError, BotoCoreError, Boto3Error, NativeFault, Refusal: a step did not work.
    """
    config = home.expect()
    with tempfile.TemporaryDirectory() as folder:
        progress = Progress()
        tour = Tour(home, config, Path(folder), progress)
        steps = tour.steps()
        progress.expect(len(steps))
        try:
            for name, step in steps.items():
                with progress.step(name):
                    step()
        except BaseException:
            _clear_away(tour)
            raise


def _clear_away(tour: Tour) -> None:
    """Clean up after a failure; what cannot be removed is told and does not hide the failure."""
    try:
        tour.clean_up()
    except Unseen as left:
        click.echo(str(left), err=True)


@click.command()
@click.option("--home", type=click.Path(path_type=Path), default=DEFAULT_HOME, show_default=True)
def main(home: Path) -> None:
    """Take a tour through the running cloud and see every step work."""
    try:
        take(Home(home))
    except (Unseen, ClientError, BotoCoreError, Boto3Error, NativeFault) as error:
        click.echo(f"The tour stopped: {error}", err=True)
        sys.exit(1)


if __name__ == "__main__":
    main()
