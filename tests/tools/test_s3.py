"""``pileus s3`` beside a running cloud, whose gateway goes on serving the same store."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.tools.commands import free_ports, pileus
from tools import aws
from tools.home import Config, Home
from tools.native import as_admin
from tools.s3 import size_of


@dataclass(frozen=True)
class Running:
    """A running cloud, and its administrator's S3."""

    home: Home
    config: Config
    s3: Any

    def do(self, *words: object) -> CompletedProcess[str]:
        return pileus("s3", *words, "--home", self.home.path)


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    home = Home(tmp_path_factory.mktemp("cloud") / "home")
    native, port = free_ports(2)
    done = pileus(
        *("up", "--home", home.path, "--hypervisor", "memory", "--detach"),
        *("--native-port", native, "--aws-port", port),
    )
    assert done.returncode == 0, (done.stdout, done.stderr)
    config = Config("memory", native, port)
    yield Running(home, config, aws.client("s3", home, config))
    assert pileus("down", "--home", home.path).returncode == 0


@pytest.fixture
def filled(cloud: Running) -> Running:
    """A bucket with an object large enough for a file of its own, and an open upload."""
    cloud.s3.create_bucket(Bucket="notes")
    cloud.s3.put_object(Bucket="notes", Key="large", Body=b"x" * 100_000)
    for upload in cloud.s3.list_multipart_uploads(Bucket="notes").get("Uploads", ()):
        told = {"Key": upload["Key"], "UploadId": upload["UploadId"]}
        cloud.s3.abort_multipart_upload(Bucket="notes", **told)
    cloud.s3.create_multipart_upload(Bucket="notes", Key="parts")
    return cloud


def files(cloud: Running) -> list[Path]:
    """The content files of the store."""
    return sorted(path for path in (cloud.home / "objects" / "blobs").rglob("*") if path.is_file())


def test_status_shows_what_each_account_has(filled: Running) -> None:
    done = filled.do("status")
    assert done.returncode == 0, done.stderr
    [line] = [line for line in done.stdout.splitlines() if line.startswith("admin")]
    assert line.split() == ["admin", "1", "1", "97.7", "KiB", "1", "none"]


def test_buckets_are_listed_with_owner_and_content(filled: Running) -> None:
    done = filled.do("buckets")
    [line] = [line for line in done.stdout.splitlines() if line.startswith("notes")]
    assert line.split()[:5] == ["notes", "admin", "1", "97.7", "KiB"]


def test_a_store_that_is_well_passes_the_check(filled: Running) -> None:
    done = filled.do("fsck")
    assert done.returncode == 0, done.stdout
    assert "0 left wrong, 0 repaired" in done.stdout
    assert "bucket 1 of 1: notes" in done.stderr


def test_a_lost_file_is_reported_and_not_repaired(filled: Running) -> None:
    [file] = files(filled)
    kept = file.read_bytes()
    file.unlink()
    for words in (("fsck",), ("fsck", "--repair")):
        done = filled.do(*words)
        assert done.returncode == 1
        assert "missing: notes/large" in done.stdout
    file.write_bytes(kept)
    assert filled.do("fsck").returncode == 0


def test_one_changed_byte_of_encrypted_content_is_reported(filled: Running) -> None:
    plain = files(filled)
    sealed = {"Bucket": "notes", "Key": "sealed", "ServerSideEncryption": "AES256"}
    filled.s3.put_object(**sealed, Body=b"x" * 100_000)
    [file] = set(files(filled)) - set(plain)
    assert filled.do("fsck").returncode == 0
    kept = file.read_bytes()
    file.write_bytes(kept[:50_000] + bytes([kept[50_000] ^ 1]) + kept[50_001:])
    done = filled.do("fsck")
    assert done.returncode == 1
    assert "damaged: notes/sealed" in done.stdout
    filled.s3.delete_object(Bucket="notes", Key="sealed")


def test_a_renewed_key_lets_the_former_one_be_taken_out(filled: Running) -> None:
    master = filled.home / "objects" / "keys" / "master"
    for key, mode in (("a", "AES256"), ("b", "aws:kms")):
        put = {"Bucket": "notes", "Key": key, "Body": b"secret"}
        filled.s3.put_object(**put, ServerSideEncryption=mode)
    done = filled.do("rotate-key")
    assert done.returncode == 0, done.stderr
    assert "1 of 2 encrypted objects and uploads were wrapped anew" in done.stdout
    assert "0 of 2" in filled.do("rotate-key", "--resume").stdout
    assert "1 of 2" in filled.do("rotate-key", "alias/aws/s3").stdout
    assert master.stat().st_size == 64
    master.write_bytes(master.read_bytes()[32:])
    for key in "ab":
        assert filled.s3.get_object(Bucket="notes", Key=key)["Body"].read() == b"secret"
        filled.s3.delete_object(Bucket="notes", Key=key)


def test_rubbish_is_reported_and_then_repaired(filled: Running) -> None:
    [file] = files(filled)
    rubbish = file.parents[1] / "00" / ("0" * 32)
    rubbish.parent.mkdir(exist_ok=True)
    rubbish.write_bytes(b"rubbish")
    assert filled.do("fsck").returncode == 1
    repaired = filled.do("fsck", "--repair")
    assert repaired.returncode == 0, repaired.stdout
    assert "repaired: stray file" in repaired.stdout
    assert files(filled) == [file]


def test_the_sweep_leaves_alone_what_is_in_use(filled: Running) -> None:
    done = filled.do("sweep", "--grace-hours", "0")
    assert done.returncode == 0, done.stderr
    assert filled.do("fsck").returncode == 0


def test_lifecycle_rules_are_applied_now(filled: Running) -> None:
    rule = {
        "ID": "old",
        "Status": "Enabled",
        "Filter": {"Prefix": "large"},
        "Expiration": {"Date": "2020-01-01T00:00:00Z"},
    }
    filled.s3.put_bucket_lifecycle_configuration(
        Bucket="notes", LifecycleConfiguration={"Rules": [rule]}
    )
    done = filled.do("lifecycle")
    assert done.returncode == 0, done.stderr
    assert "1 objects expired" in done.stdout
    filled.s3.delete_bucket_lifecycle(Bucket="notes")
    assert "Contents" not in filled.s3.list_objects_v2(Bucket="notes")


def test_a_quota_is_set_shown_and_taken_back(filled: Running) -> None:
    done = filled.do("quota", "admin", "--bytes", "100K", "--buckets", "5")
    assert done.returncode == 0, done.stderr
    told = [line.split() for line in done.stdout.splitlines()]
    assert told == [
        ["buckets", "1", "of", "5"],
        ["objects", "1", "of", "any", "number"],
        ["bytes", "97.7", "KiB", "of", "100.0", "KiB"],
    ]
    with pytest.raises(ClientError, match="QuotaExceeded"):
        filled.s3.put_object(Bucket="notes", Key="more", Body=b"x" * 10_000)
    assert "of 100.0 KiB" in filled.do("quota", "admin", "--buckets", "none").stdout
    assert "5 buckets" not in filled.do("status").stdout
    assert "of any number" in filled.do("quota", "admin", "--default").stdout.splitlines()[-1]
    filled.s3.put_object(Bucket="notes", Key="more", Body=b"x" * 10_000)
    filled.s3.delete_object(Bucket="notes", Key="more")


def test_an_account_may_be_named_by_its_id(filled: Running) -> None:
    [row] = as_admin(filled.home, filled.config).rows("listAccounts", name="admin")
    assert filled.do("quota", row["id"]).returncode == 0


@pytest.mark.parametrize(
    "words",
    [
        ("quota", "nobody"),
        ("quota", "admin", "--bytes", "much"),
        ("quota", "admin", "--bytes", "-1"),
        ("quota", "admin", "--default", "--objects", "1"),
        ("rotate-key", "nobody"),
        ("rotate-key", "nobody", "--resume"),
    ],
)
def test_what_makes_no_sense_is_refused(cloud: Running, words: tuple[str, ...]) -> None:
    done = cloud.do(*words)
    assert done.returncode == 2
    assert done.stderr


def test_a_home_without_a_cloud_is_refused(tmp_path: Path) -> None:
    done = pileus("s3", "status", "--home", tmp_path / "none")
    assert done.returncode == 2
    assert "There is no cloud" in done.stderr


def test_sizes_are_told_for_people() -> None:
    assert [size_of(n) for n in (0, 1023, 1024, 1536, 1 << 30, 5 << 50)] == [
        *("0 B", "1023 B", "1.0 KiB", "1.5 KiB", "1.0 GiB", "5120.0 TiB"),
    ]
