"""Two gateways with homes of their own that share an index, the content and the keys."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import sqlalchemy as sa

from gateway.s3.sealing.keys import Keys
from gateway.s3.sealing.rotation import Rotation
from s3store.resealing import reseal
from s3store.store import Store
from s3store.tables import LeaseRow
from tests.gateway.s3.receiver import Receiver, receiving
from tests.gateway.s3.servers import Server, serving
from tests.mariadb import MariaDb
from tests.s3store.audit import assert_sound

LEAST = 5 << 20
DAY = 2.0  # seconds


@dataclass(frozen=True)
class Machines:
    """Both of them, and what they share."""

    shared: Path
    index: str
    first: Server
    second: Server

    def store(self) -> Store:
        """Their store, opened from here too."""
        return Store(self.shared / "objects", self.index)

    def holders(self) -> dict[str, str]:
        """Who holds which job."""
        store = self.store()
        with store.index.look() as connection:
            found = connection.execute(sa.select(LeaseRow.name, LeaseRow.holder)).all()
        store.close()
        return {row.name: row.holder for row in found}


@pytest.fixture(scope="module")
def machines(tmp_path_factory: pytest.TempPathFactory, mariadb: MariaDb) -> Iterator[Machines]:
    root, index = tmp_path_factory.mktemp("machines"), mariadb.database("machines")
    shared = {
        "STORAGE_ROOT": str(root / "shared" / "objects"),
        "S3_INDEX_URL": index,
        "S3_KEYS": str(root / "shared" / "keys"),
        "S3_LIFECYCLE_DAY_SECONDS": str(DAY),
        "S3_EVENT_TARGETS": "127.0.0.0/8",
    }
    application, flags = "tests.gateway.s3.sharing:create()", ("--workers=1",)
    with pytest.MonkeyPatch.context() as patch, ExitStack() as running:
        for name, value in shared.items():
            patch.setenv(f"PILEUS_GATEWAY_{name}", value)
        first, second = (
            running.enter_context(serving(root / name, application=application, flags=flags))
            for name in ("first", "second")
        )
        yield Machines(root / "shared", index, first, second)
    assert_sound(root / "shared" / "objects", index)


@pytest.fixture
def bucket(machines: Machines) -> str:
    """A new bucket, made at the first machine."""
    name = f"bucket-{uuid4().hex[:12]}"
    machines.first.client().create_bucket(Bucket=name)
    return name


def until(holds: Callable[[], bool]) -> None:
    """Wait for something to hold."""
    end = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.1)


def test_what_one_machine_writes_the_other_reads_and_lists_at_once(
    machines: Machines, bucket: str
) -> None:
    writer, reader = machines.first.client(), machines.second.client()
    for number in range(20):
        key, body = f"k{number:02}", os.urandom(100 if number % 2 else 100_000)
        writer.put_object(Bucket=bucket, Key=key, Body=body)
        assert reader.get_object(Bucket=bucket, Key=key)["Body"].read() == body
        listed = reader.list_objects_v2(Bucket=bucket)["Contents"]
        assert [each["Key"] for each in listed] == [f"k{each:02}" for each in range(number + 1)]
        writer, reader = reader, writer
    writer.delete_object(Bucket=bucket, Key="k00")
    with pytest.raises(reader.exceptions.NoSuchKey):
        reader.get_object(Bucket=bucket, Key="k00")
    assert reader.list_objects_v2(Bucket=bucket)["KeyCount"] == 19


def test_an_upload_begun_on_one_machine_is_completed_on_the_other(
    machines: Machines, bucket: str
) -> None:
    first, second = machines.first.client(), machines.second.client()
    begun = first.create_multipart_upload(
        Bucket=bucket, Key="k", ServerSideEncryption="AES256", Metadata={"a": "b"}
    )
    which = {"Bucket": bucket, "Key": "k", "UploadId": begun["UploadId"]}
    parts = [os.urandom(LEAST), os.urandom(1000)]
    sent = [
        client.upload_part(**which, PartNumber=number, Body=part)["ETag"]
        for number, (client, part) in enumerate(zip((first, second), parts, strict=True), 1)
    ]
    chosen = {"Parts": [{"PartNumber": n, "ETag": etag} for n, etag in enumerate(sent, 1)]}
    done = second.complete_multipart_upload(**which, MultipartUpload=chosen)
    again = first.complete_multipart_upload(**which, MultipartUpload=chosen)
    assert again["ETag"] == done["ETag"]
    got = first.get_object(Bucket=bucket, Key="k")
    assert (got["Body"].read(), got["Metadata"]) == (b"".join(parts), {"a": "b"})


def test_a_key_that_is_renewed_is_used_and_known_by_both_machines(
    machines: Machines, bucket: str
) -> None:
    first, second = machines.first.client(), machines.second.client()
    keys = Keys(machines.shared / "keys")
    for key, mode in (("a", "AES256"), ("b", "aws:kms")):
        first.put_object(Bucket=bucket, Key=key, Body=b"old", ServerSideEncryption=mode)
    keys.renew("")
    second.put_object(Bucket=bucket, Key="c", Body=b"new", ServerSideEncryption="AES256")
    store = machines.store()
    *_, done = reseal(store, Rotation(keys).renewed)
    store.close()
    assert done.changed >= 1
    for client in (first, second):
        read = [client.get_object(Bucket=bucket, Key=key)["Body"].read() for key in "abc"]
        assert read == [b"old", b"old", b"new"]


def expiring(machines: Machines, receiver: Receiver, bucket: str) -> Any:
    """A client of the second machine, whose objects expire and are told of when they do."""
    client = machines.second.client()
    rule = {"ID": "r", "Status": "Enabled", "Filter": {}, "Expiration": {"Days": 1}}
    client.put_bucket_lifecycle_configuration(
        Bucket=bucket, LifecycleConfiguration={"Rules": [rule]}
    )
    topic = {"TopicArn": receiver.arn(), "Events": ["s3:LifecycleExpiration:*"]}
    client.put_bucket_notification_configuration(
        Bucket=bucket, NotificationConfiguration={"TopicConfigurations": [topic]}
    )
    return client


def expired(receiver: Receiver, count: int) -> list[str]:
    """The keys of so many objects that were told to have expired."""
    return [event["s3"]["object"]["key"] for event in receiver.events(count)]


def test_one_machine_does_each_job_and_the_other_takes_it_over(
    machines: Machines, bucket: str
) -> None:
    jobs = {"lifecycle", "notifications"}
    with receiving() as receiver:
        client = expiring(machines, receiver, bucket)
        for number in range(10):
            client.put_object(Bucket=bucket, Key=f"k{number}", Body=b"data")
        assert sorted(expired(receiver, 10)) == [f"k{number}" for number in range(10)]
        until(lambda: jobs <= machines.holders().keys())
        held = machines.holders()
        client.put_object(Bucket=bucket, Key="last", Body=b"data")
        assert expired(receiver, 11)[10:] == ["last"]  # nothing was told twice before
        assert {job: machines.holders()[job] for job in jobs} == {job: held[job] for job in jobs}
        kill(machines.first)
        let_leases_end(machines)
        client.put_object(Bucket=bucket, Key="alone", Body=b"data")
        assert expired(receiver, 12)[11:] == ["alone"]
    assert client.list_objects_v2(Bucket=bucket)["KeyCount"] == 0
    client.put_object(Bucket=bucket, Key="k", Body=b"alone")
    assert client.head_object(Bucket=bucket, Key="k")["ContentLength"] == 5


def kill(server: Server) -> None:
    """Have a machine gone, in the midst of whatever it does."""
    children = Path(f"/proc/{server.process.pid}/task/{server.process.pid}/children")
    for pid in (server.process.pid, *map(int, children.read_text().split())):
        os.kill(pid, signal.SIGKILL)


def let_leases_end(machines: Machines) -> None:
    """What time does by itself, minutes after a machine is gone."""
    store = machines.store()
    store.index.change(lambda connection: connection.execute(sa.update(LeaseRow).values(until=0)))
    store.close()
