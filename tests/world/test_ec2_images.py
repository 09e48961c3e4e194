"""Images registered from S3 through boto3; their files are real, and so is what fetches them."""

import gzip
import json
import subprocess
import threading
from collections.abc import Callable, Iterator
from ipaddress import IPv4Network
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from orchestrator.driver.libvirt.disks import FileStorage
from orchestrator.driver.ports import Image, ImageFacts, Pool
from orchestrator.schema.templates import Template
from tests.world.world import World

BUCKET = "her-images"
# Closed while the cloud is to wait with fetching.
GATE = threading.Event()
SITES = "secstorage.allowed.internal.sites"


@pytest.fixture(scope="module", autouse=True)
def real_files(world: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pool]:
    """Image files are fetched, checked and converted as on a real host."""
    GATE.set()
    store = Pool("files", str(tmp_path_factory.mktemp("store")))
    storage, nominal = FileStorage(), world.hosts.fetch
    storage.ensure_pool(store)

    def fetch(image: Image, sites: tuple[IPv4Network, ...]) -> ImageFacts:
        assert GATE.wait(20)
        return storage.ensure_image(store, image, sites)

    world.hosts.fetch = fetch
    world.native().updateConfiguration(name=SITES, value="127.0.0.0/8")
    yield store
    world.hosts.fetch = nominal


@pytest.fixture(scope="module")
def alice(world: World) -> Any:
    """Her EC2 and S3 clients, and a bucket."""
    keys = world.account("alice")
    s3 = world.aws("s3", keys)
    s3.create_bucket(Bucket=BUCKET)
    return world.aws("ec2", keys), s3


@pytest.fixture(scope="module")
def disk(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], bytes]:
    """A disk of 8 MiB as a file in some format."""
    folder = tmp_path_factory.mktemp("disks")

    def made(form: str) -> bytes:
        path = folder / f"disk.{form}"
        qemu = ("qemu-img", "create", "-f", form, str(path), "8M")
        subprocess.run(qemu, check=True, capture_output=True)
        return path.read_bytes()

    return made


def code(caught: pytest.ExceptionInfo[ClientError]) -> str:
    return str(caught.value.response["Error"]["Code"])


def refused(call: Any, **params: Any) -> str:
    with pytest.raises(ClientError) as caught:
        call(**params)
    return code(caught)


@pytest.mark.parametrize("form", ["qcow2", "raw"])
def test_an_object_of_ones_own_becomes_an_image_that_runs(
    form: str, world: World, alice: Any, disk: Callable[[str], bytes], real_files: Pool
) -> None:
    ec2, s3 = alice
    key = f"folder/my disk +é.{form}"
    s3.put_object(Bucket=BUCKET, Key=key, Body=disk(form))
    made = ec2.register_image(
        Name=f"mine-{form}",
        Description="my own",
        ImageLocation=f"{BUCKET}/{key}",
        Architecture="x86_64",
        VirtualizationType="hvm",
        RootDeviceName="/dev/sda1",
        EnaSupport=True,
    )["ImageId"]
    world.settle()
    [image] = ec2.describe_images(ImageIds=[made])["Images"]
    assert (image["Name"], image["State"], image["Public"]) == (f"mine-{form}", "available", False)
    assert image["Description"] == "my own"
    assert "her-images/folder/my" in image["ImageLocation"]
    files = [path.name for path in (Path(real_files.path) / "images").iterdir()]
    assert len(files) >= 1
    reply = ec2.run_instances(ImageId=made, InstanceType="m1.tiny", MinCount=1, MaxCount=1)
    world.settle()
    [instance] = ec2.describe_instances()["Reservations"][-1]["Instances"]
    assert (instance["ImageId"], instance["State"]["Name"]) == (made, "running")
    ec2.terminate_instances(InstanceIds=[reply["Instances"][0]["InstanceId"]])
    world.settle()
    ec2.deregister_image(ImageId=made)
    world.settle()
    assert refused(ec2.describe_images, ImageIds=[made]) == "InvalidAMIID.NotFound"
    s3.head_object(Bucket=BUCKET, Key=key)


def test_the_bytes_that_were_registered_are_those_that_are_fetched(
    world: World, alice: Any, disk: Callable[[str], bytes]
) -> None:
    ec2, s3 = alice
    s3.put_object(Bucket=BUCKET, Key="swapped.qcow2", Body=disk("qcow2"))
    GATE.clear()
    made = ec2.register_image(Name="swapped", ImageLocation=f"{BUCKET}/swapped.qcow2")["ImageId"]
    s3.put_object(Bucket=BUCKET, Key="swapped.qcow2", Body=disk("qcow2") + b"x")
    GATE.set()
    world.settle()
    [image] = ec2.describe_images(ImageIds=[made])["Images"]
    assert image["State"] == "failed"
    assert "checksum" in image["StateReason"]["Message"]
    ec2.deregister_image(ImageId=made)
    world.settle()


def test_a_packed_image_is_unpacked(world: World, alice: Any, disk: Callable[[str], bytes]) -> None:
    ec2, s3 = alice
    s3.put_object(Bucket=BUCKET, Key="p.qcow2.gz", Body=gzip.compress(disk("qcow2")))
    made = ec2.register_image(Name="packed", ImageLocation=f"{BUCKET}/p.qcow2.gz")["ImageId"]
    world.settle()
    assert ec2.describe_images(ImageIds=[made])["Images"][0]["State"] == "available"
    filters = [{"Name": "manifest-location", "Values": [f"{BUCKET}/p.*"]}]
    assert len(ec2.describe_images(Filters=filters)["Images"]) == 1


def test_an_image_that_is_none_fails_and_says_why(world: World, alice: Any) -> None:
    ec2, s3 = alice
    s3.put_object(Bucket=BUCKET, Key="bad.qcow2.gz", Body=gzip.compress(b"no image"))
    made = ec2.register_image(Name="bad", ImageLocation=f"{BUCKET}/bad.qcow2.gz")["ImageId"]
    world.settle()
    [image] = ec2.describe_images(ImageIds=[made])["Images"]
    assert image["State"] == "failed"
    assert "no qcow2" in image["StateReason"]["Message"]


def test_what_cannot_be_an_image_is_refused_at_once_and_nothing_is_registered(alice: Any) -> None:
    ec2, s3 = alice
    s3.put_object(Bucket=BUCKET, Key="text.qcow2", Body=b"not an image at all")
    s3.put_object(Bucket=BUCKET, Key="empty.qcow2", Body=b"")
    before = len(ec2.describe_images()["Images"])
    for location, expected in (
        (f"{BUCKET}/text.qcow2", "InvalidManifest"),
        (f"{BUCKET}/empty.qcow2", "InvalidManifest"),
        (f"{BUCKET}/missing.qcow2", "InvalidManifest"),
        ("no-such-bucket-anywhere/a.qcow2", "InvalidManifest"),
        (f"{BUCKET}/image.manifest.xml", "UnsupportedOperation"),
        (f"{BUCKET}/image.vmdk", "InvalidParameterValue"),
        (f"{BUCKET}/image", "InvalidParameterValue"),
        ("image.qcow2", "InvalidParameterValue"),
        (f"/{BUCKET}/text.qcow2", "InvalidParameterValue"),
        (f"{BUCKET}/../../etc/passwd.qcow2", "InvalidManifest"),
        ("http://[/a.qcow2", "InvalidParameterValue"),
    ):
        assert refused(ec2.register_image, Name="none", ImageLocation=location) == expected, (
            location
        )
    assert len(ec2.describe_images()["Images"]) == before


def test_a_strangers_object_is_none(world: World, alice: Any, disk: Callable[[str], bytes]) -> None:
    alice[1].put_object(Bucket=BUCKET, Key="private.qcow2", Body=disk("qcow2"))
    bob = world.aws("ec2", world.account("bob"))
    wanted = {"Name": "hers", "ImageLocation": f"{BUCKET}/private.qcow2"}
    assert refused(bob.register_image, **wanted) == "InvalidManifest"
    mine = alice[0].register_image(**wanted)["ImageId"]
    world.settle()
    assert refused(bob.deregister_image, ImageId=mine) == "InvalidAMIID.NotFound"
    assert len(alice[0].describe_images(ImageIds=[mine])["Images"]) == 1


def test_an_object_that_a_policy_shares_is_an_image_for_others_too(
    world: World, alice: Any, disk: Callable[[str], bytes]
) -> None:
    s3 = alice[1]
    s3.create_bucket(Bucket="shared-images")
    s3.put_object(Bucket="shared-images", Key="shared.qcow2", Body=disk("qcow2"))
    keys = world.account("carol")
    [carol] = world.native().listAccounts(name="carol", listall=True)["account"]
    statement = {
        "Effect": "Allow",
        "Principal": {"AWS": carol["id"]},
        "Action": "s3:GetObject",
        "Resource": "arn:aws:s3:::shared-images/*",
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    s3.put_bucket_policy(Bucket="shared-images", Policy=policy)
    hers = world.aws("ec2", keys)
    made = hers.register_image(Name="shared", ImageLocation="shared-images/shared.qcow2")
    world.settle()
    [image] = hers.describe_images(ImageIds=[made["ImageId"]])["Images"]
    assert (image["State"], image["ImageLocation"]) == ("available", "shared-images/shared.qcow2")


def test_a_name_is_given_once_and_a_dry_run_makes_nothing(
    alice: Any, disk: Callable[[str], bytes], world: World
) -> None:
    ec2, s3 = alice
    s3.put_object(Bucket=BUCKET, Key="once.qcow2", Body=disk("qcow2"))
    wanted = {"Name": "once", "ImageLocation": f"{BUCKET}/once.qcow2"}
    assert refused(ec2.register_image, DryRun=True, **wanted) == "DryRunOperation"
    ec2.register_image(**wanted)
    assert refused(ec2.register_image, **wanted) == "InvalidAMIName.Duplicate"
    world.settle()


def test_the_signature_in_the_url_shows_itself_to_nobody(
    world: World, alice: Any, disk: Callable[[str], bytes]
) -> None:
    ec2, s3 = alice
    s3.put_object(Bucket=BUCKET, Key="quiet.qcow2", Body=disk("qcow2"))
    ec2.register_image(Name="quiet", ImageLocation=f"{BUCKET}/quiet.qcow2")
    world.settle()
    [row] = world.native().listTemplates(templatefilter="all", name="quiet")["template"]
    assert row["url"] == f"{world.aws_url}/{BUCKET}/quiet.qcow2"
    assert "Signature" not in str(row)
    with world.sessions.read() as db:
        [kept] = [t for t in db.query(Template) if t.name == "quiet"]
    assert "X-Amz-Signature" in kept.url
    assert len(kept.checksum) == 32


def test_an_image_may_come_from_any_url_that_the_cloud_may_ask(world: World, alice: Any) -> None:
    ec2, s3 = alice
    url = s3.generate_presigned_url(
        "get_object", Params={"Bucket": BUCKET, "Key": "once.qcow2"}, ExpiresIn=600
    )
    made = ec2.register_image(Name="by-url", ImageLocation=url)["ImageId"]
    world.settle()
    [image] = ec2.describe_images(ImageIds=[made])["Images"]
    assert (image["State"], image["ImageLocation"]) == ("available", f"{BUCKET}/once.qcow2")
