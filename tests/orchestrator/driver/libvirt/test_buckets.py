"""Image stores that are buckets: at our own object store, and at a stranger's (moto)."""

import secrets
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto.server import ThreadedMotoServer

from orchestrator.driver.libvirt import layout
from orchestrator.driver.libvirt.buckets import BucketStorage
from orchestrator.driver.memory.fleet import memory_fleet
from orchestrator.driver.memory.world import World as Hosts
from orchestrator.driver.ports import (
    BadImage,
    BucketPool,
    Drivers,
    Image,
    Pool,
    Refused,
    Transient,
)
from orchestrator.ids import new_id
from tests.live.drivers.lab import LOOPBACK, served
from tests.orchestrator.driver.conformance.disks import Disks, Fetching, Images
from tests.orchestrator.driver.conformance.ground import Ground
from tests.world.world import World

MIB = 1024**2
REGION = "us-east-1"
Place = tuple[str, str, str]  # endpoint, access key, secret key


@contextmanager
def _ours(folder: Path) -> Iterator[Place]:
    world = World(folder)
    world.native().updateConfiguration(name="enable.s3.api", value="true")
    yield world.aws_url, world.admin.access, world.admin.secret
    world.close()


@contextmanager
def _moto(_folder: Path) -> Iterator[Place]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}", "key", "secret"
    server.stop()


@pytest.fixture(scope="module", params=[_ours, _moto], ids=["ours", "moto"])
def place(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Place]:
    with request.param(tmp_path_factory.mktemp("endpoint")) as found:
        yield found


@pytest.fixture
def client(place: Place) -> Iterator[Any]:
    """Somebody else who may write to the bucket."""
    made = boto3.client(
        "s3",
        endpoint_url=place[0],
        region_name=REGION,
        aws_access_key_id=place[1],
        aws_secret_access_key=place[2],
    )
    yield made
    made.close()


@pytest.fixture
def store(place: Place, client: Any) -> BucketPool:
    """A store in a bucket of its own."""
    name = f"images-{secrets.token_hex(6)}"
    client.create_bucket(Bucket=name)
    return BucketPool(new_id(), name, place[0], REGION, place[1], place[2])


@pytest.fixture
def storage(tmp_path: Path) -> BucketStorage:
    return BucketStorage(tmp_path / "staging")


@pytest.fixture
def pool(tmp_path: Path, storage: BucketStorage) -> Pool:
    """Primary storage on this host."""
    pool = Pool(new_id(), str(tmp_path / "primary"))
    storage.ensure_pool(pool)
    return pool


@pytest.fixture
def site(tmp_path: Path) -> Iterator[str]:
    """A web server that has an image of 8 MiB."""
    folder = tmp_path / "site"
    folder.mkdir()
    qemu_img("create", "-f", "qcow2", str(folder / "disk.qcow2"), "8M")
    with served(folder) as url:
        yield url


def qemu_img(*argv: str) -> None:
    subprocess.run(["qemu-img", *argv], check=True, capture_output=True)


def wanted(site: str) -> Image:
    return Image(new_id(), f"{site}/disk.qcow2", "QCOW2")


class TestABucketAsStore(Disks, Images, Fetching):
    """The suite that every storage has to pass, with a bucket as its image store."""

    @pytest.fixture
    def ground(
        self, storage: BucketStorage, pool: Pool, store: BucketPool, site: str
    ) -> Iterator[Ground]:
        hosts = Hosts()
        simulated = memory_fleet(hosts).host("host")
        drivers = Drivers(simulated.hypervisor, storage, simulated.network)
        storage.ensure_pool(store)
        yield Ground(
            drivers, pool, store, wanted(site), LOOPBACK, root_size=16 * MIB, disk_size=MIB
        )
        hosts.close()


def test_an_image_is_kept_in_the_bucket_and_nowhere_else(
    storage: BucketStorage, store: BucketPool, pool: Pool, site: str, client: Any, tmp_path: Path
) -> None:
    assert storage.ensure_pool(store).used == 0
    image = wanted(site)
    facts = storage.ensure_image(store, image, LOOPBACK)
    assert facts.virtual_size == 8 * MIB
    [row] = client.list_objects_v2(Bucket=store.path)["Contents"]
    assert (row["Key"], row["Size"]) == (f"images/{image.id}.qcow2", facts.physical_size)
    assert [p for p in (tmp_path / "staging").rglob("*") if p.is_file()] == []
    assert storage.ensure_pool(store).used == facts.physical_size
    storage.ensure_backing(pool, store, image.id)
    assert layout.image_path(pool, image.id).stat().st_size == facts.physical_size
    storage.ensure_image_absent(store, image.id)
    assert "Contents" not in client.list_objects_v2(Bucket=store.path)
    assert storage.observe(store).images == frozenset()
    assert storage.observe(pool).images == {image.id}


def test_an_image_that_is_there_is_not_fetched_again(
    storage: BucketStorage, store: BucketPool, site: str
) -> None:
    image = wanted(site)
    facts = storage.ensure_image(store, image, LOOPBACK)
    gone = replace(image, url=f"{site}/gone.qcow2")
    assert storage.ensure_image(store, gone, LOOPBACK) == facts


def test_what_a_crash_left_over_goes_with_the_image(
    storage: BucketStorage, store: BucketPool, site: str, client: Any, tmp_path: Path
) -> None:
    image = wanted(site)
    key = f"images/{image.id}.qcow2"
    for _ in range(2):  # an upload that nobody finished, and a file that was to be uploaded
        client.create_multipart_upload(Bucket=store.path, Key=key)
        staged = Pool(store.id, str(tmp_path / "staging" / store.id))
        storage.ensure_pool(staged)
        storage.ensure_image(staged, image, LOOPBACK)
        storage.ensure_image(store, image, LOOPBACK)
        assert "Uploads" not in client.list_multipart_uploads(Bucket=store.path)
        assert storage.observe(staged).images == frozenset()
        client.create_multipart_upload(Bucket=store.path, Key=key)
        storage.ensure_image_absent(store, image.id)
        assert "Uploads" not in client.list_multipart_uploads(Bucket=store.path)


def test_an_image_that_somebody_swapped_is_not_used(
    storage: BucketStorage, store: BucketPool, pool: Pool, site: str, client: Any, tmp_path: Path
) -> None:
    image = wanted(site)
    storage.ensure_image(store, image, LOOPBACK)
    key = f"images/{image.id}.qcow2"
    metadata = client.head_object(Bucket=store.path, Key=key)["Metadata"]
    client.put_object(Bucket=store.path, Key=key, Body=b"other", Metadata=metadata)
    with pytest.raises(Transient):
        storage.ensure_backing(pool, store, image.id)
    evil = tmp_path / "evil.qcow2"
    qemu_img("create", "-u", "-f", "qcow2", "-b", "/etc/passwd", "-F", "raw", str(evil), "8M")
    digest = subprocess.run(["sha256sum", str(evil)], check=True, capture_output=True, text=True)
    forged = metadata | {"sha256": digest.stdout.split()[0]}
    client.put_object(Bucket=store.path, Key=key, Body=evil.read_bytes(), Metadata=forged)
    with pytest.raises(BadImage, match="backing file"):
        storage.ensure_backing(pool, store, image.id)
    assert storage.observe(pool).images == frozenset()
    assert storage.observe(pool).strays == frozenset()


def test_a_strangers_object_under_an_images_name_is_none(
    storage: BucketStorage, store: BucketPool, site: str, client: Any
) -> None:
    image = wanted(site)
    client.put_object(Bucket=store.path, Key=f"images/{image.id}.qcow2", Body=b"x")
    client.put_object(Bucket=store.path, Key="images/readme.txt", Body=b"x")
    client.put_object(Bucket=store.path, Key="elsewhere", Body=b"x")
    with pytest.raises(Refused):
        storage.ensure_image(store, image, LOOPBACK)
    assert storage.observe(store).strays == {"images/readme.txt"}


def test_a_bucket_that_is_not_there_is_refused(storage: BucketStorage, store: BucketPool) -> None:
    with pytest.raises(Refused, match="no-such-bucket"):
        storage.ensure_pool(replace(store, path="no-such-bucket"))


def test_an_endpoint_that_does_not_answer_is_waited_for(
    storage: BucketStorage, store: BucketPool
) -> None:
    with pytest.raises(Transient):
        storage.ensure_pool(replace(store, endpoint="http://127.0.0.1:9"))


def test_the_secret_does_not_show_itself(store: BucketPool) -> None:
    assert "secret" not in repr(replace(store, secret_key="the secret")).replace("secret_key", "")
