"""Clients of a kill loop: they ask for things at random, and do not mind being cut off."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from random import Random
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

_UNFIT = (
    "IncorrectInstanceState",
    "IncorrectState",
    "InvalidInstanceID.NotFound",
    "InvalidVolume.NotFound",
    "VolumeInUse",
    "InvalidAttachment.NotFound",
    "InvalidDevice.InUse",
    "InsufficientInstanceCapacity",
    "ServiceUnavailable",
    "Unavailable",
)


class Clients:
    """Several threads that make requests until told to stop.

    ``tokens`` holds every client token a RunInstances was sent with: sent again, it must give the
    same one instance.
    """

    def __init__(self, ec2: Any, image: str, type: str, seed: int, most: int) -> None:
        self.ec2 = ec2
        self.image = image
        self.type = type
        self.seed = seed
        self.most = most
        self.tokens: list[str] = []
        self.surprises: list[str] = []
        self._stop = threading.Event()

    @contextmanager
    def at_work(self, count: int) -> Iterator[None]:
        """``count`` threads make requests while the block runs."""
        names = [f"{self.seed}-{number}" for number in range(count)]
        threads = [threading.Thread(target=self._work, args=(name,)) for name in names]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self._stop.set()
            for thread in threads:
                thread.join()

    def run(self, token: str) -> str:
        """Run one instance under a token; its id."""
        reply = self.ec2.run_instances(
            ImageId=self.image, InstanceType=self.type, MinCount=1, MaxCount=1, ClientToken=token
        )
        return str(reply["Instances"][0]["InstanceId"])

    def living(self) -> list[Any]:
        """Instances that are not terminated."""
        reservations = self.ec2.describe_instances()["Reservations"]
        found = [instance for group in reservations for instance in group["Instances"]]
        return [instance for instance in found if instance["State"]["Name"] != "terminated"]

    def _work(self, name: str) -> None:
        random = Random(name)
        number = 0
        while not self._stop.is_set():
            number += 1
            try:
                self._ask(random, f"{name}-{number}")
            except ClientError as refused:
                if refused.response["Error"]["Code"] not in _UNFIT:
                    self.surprises.append(str(refused))
            except (BotoCoreError, ResponseParserError):
                self._stop.wait(0.02)  # cut off; that is what this is about

    def _ask(self, random: Random, token: str) -> None:
        living = self.living()
        if len(living) < self.most and random.random() < 0.5:
            self.tokens.append(token)
            self.run(token)
            return
        if not living:
            return
        ident = random.choice(living)["InstanceId"]
        act = random.choice((self._power, self._power, self._end, self._volume, self._volume))
        act(random, ident)

    def _power(self, random: Random, ident: str) -> None:
        verb = random.choice(("start_instances", "stop_instances", "reboot_instances"))
        options = {"Force": True} if verb == "stop_instances" else {}
        getattr(self.ec2, verb)(InstanceIds=[ident], **options)

    def _end(self, _: Random, ident: str) -> None:
        self.ec2.terminate_instances(InstanceIds=[ident])

    def _volume(self, random: Random, ident: str) -> None:
        volumes = self.ec2.describe_volumes()["Volumes"]
        loose = [volume for volume in volumes if volume["State"] == "available"]
        used = [
            volume["VolumeId"]
            for volume in volumes
            for attachment in volume["Attachments"]
            if attachment["Device"] not in ("/dev/sda1", "/dev/vda", "/dev/xvda")
        ]
        choice = random.random()
        if len(loose) < 3 and choice < 0.4:
            zone = self.ec2.describe_availability_zones()["AvailabilityZones"][0]["ZoneName"]
            self.ec2.create_volume(AvailabilityZone=zone, Size=1)
        elif used and choice < 0.6:
            self.ec2.detach_volume(VolumeId=random.choice(used))
        elif loose and choice < 0.9:
            device = f"/dev/sd{random.choice('fghijk')}"
            volume = random.choice(loose)["VolumeId"]
            self.ec2.attach_volume(VolumeId=volume, InstanceId=ident, Device=device)
        elif loose:
            self.ec2.delete_volume(VolumeId=random.choice(loose)["VolumeId"])
