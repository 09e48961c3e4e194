"""Access logs: what is asked of a bucket is delivered into another one."""

import re
import time
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from gateway.s3.access.gate import Admission, Proof
from gateway.s3.background.accesslog import AccessLog
from gateway.s3.background.trace import Trace
from gateway.s3.protocol.codec import Headers
from gateway.s3.protocol.content import Payload
from gateway.s3.protocol.target import Target
from gateway.sign.request import Request
from s3store.records import Bucket
from s3store.store import Store
from tests.gateway.s3.posting import policy, post, signed
from tests.gateway.s3.raw import send
from tests.gateway.s3.refusals import refused
from tests.gateway.s3.servers import ALICE, BOB, Server, serving

FIELD = re.compile(r'\[[^]]*\]|"[^"]*"|\S+')


def log_to(client: Any, bucket: str, prefix: str = "log/", **more: Any) -> str:
    """Have a bucket logged into a new one."""
    target = f"logs-{uuid4().hex[:12]}"
    client.create_bucket(Bucket=target)
    enabled = {"TargetBucket": target, "TargetPrefix": prefix, **more}
    client.put_bucket_logging(Bucket=bucket, BucketLoggingStatus={"LoggingEnabled": enabled})
    return target


def lines(client: Any, target: str, count: int) -> list[list[str]]:
    """So many lines, as fields, once they were delivered."""
    until = time.monotonic() + 60
    while time.monotonic() < until:
        listed = client.list_objects_v2(Bucket=target).get("Contents", [])
        bodies = [client.get_object(Bucket=target, Key=each["Key"])["Body"] for each in listed]
        found = [line for body in bodies for line in body.read().decode().splitlines()]
        if len(found) >= count:
            return [FIELD.findall(line) for line in found]
        time.sleep(0.2)
    raise TimeoutError(f"only {found} came")


def test_whoever_is_granted_a_log_can_read_it(server: Server, bucket: str) -> None:
    client, bob = server.client(), server.client(BOB)
    target = log_to(client, bucket)
    grantee = {"Type": "CanonicalUser", "ID": BOB.account_id}
    grants = [{"Grantee": grantee, "Permission": "READ"}]
    enabled = {"TargetBucket": target, "TargetPrefix": "log/", "TargetGrants": grants}
    ask = {"Bucket": bucket, "BucketLoggingStatus": {"LoggingEnabled": enabled}}
    with refused(400, "AccessControlListNotSupported"):
        client.put_bucket_logging(**ask)
    client.put_bucket_ownership_controls(
        Bucket=target, OwnershipControls={"Rules": [{"ObjectOwnership": "ObjectWriter"}]}
    )
    client.put_bucket_logging(**ask)
    client.head_bucket(Bucket=bucket)
    lines(client, target, 2)
    found = client.list_objects_v2(Bucket=target)["Contents"]
    assert bob.get_object(Bucket=target, Key=found[-1]["Key"])["Body"].read()
    everyone = {"Type": "Group", "URI": "http://acs.amazonaws.com/groups/global/AllUsers"}
    grants[0]["Grantee"] = everyone
    with refused(403, "AccessDenied"):
        client.put_bucket_logging(**ask)


def test_every_request_is_a_line(server: Server, bucket: str) -> None:
    client = server.client()
    target = log_to(client, bucket)
    client.put_object(Bucket=bucket, Key="a b/ü", Body=b"data")
    client.get_object(Bucket=bucket, Key="a b/ü", Range="bytes=1-2")
    client.head_object(Bucket=bucket, Key="a b/ü")
    with pytest.raises(client.exceptions.NoSuchKey):
        client.get_object(Bucket=bucket, Key="none")
    client.copy_object(Bucket=bucket, Key="c", CopySource=f"{bucket}/a b/ü")
    client.get_bucket_versioning(Bucket=bucket)
    url = client.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": "c"})
    path = url.removeprefix(server.url)
    assert send(server, "GET", path, {"Host": server.host}).status == 200
    head = {"Host": server.host, "User-Agent": 'a"b'}
    assert send(server, "GET", f"/{bucket}/c", head).status == 403
    proof = signed(policy({"bucket": bucket}, {"key": "p"}))
    assert post(server, bucket, proof | {"key": "p"}).status == 204
    client.delete_object(Bucket=bucket, Key="c")
    rows = lines(client, target, 11)
    found = {f"{row[6]}{row[9] if row[9] == '403' else ''}": row for row in rows}
    assert all(len(row) == 26 for row in found.values())
    put = found["REST.PUT.OBJECT"]
    assert put[:2] == [ALICE.account_id, bucket]
    assert re.fullmatch(r"\[\d\d/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d \+0000\]", put[2])
    assert put[3:5] == ["127.0.0.1", ALICE.account_id]
    assert put[7:11] == ["a%20b/%C3%BC", f'"PUT /{bucket}/a%20b/%C3%BC HTTP/1.1"', "200", "-"]
    assert (put[12], put[19], put[21], put[22]) == ("4", "SigV4", "AuthHeader", server.host)
    ranged = [row for row in rows if row[9] == "206"]
    assert [row[11:13] for row in ranged] == [["2", "4"]]
    missing = [row for row in rows if row[10] == "NoSuchKey"]
    assert [row[9] for row in missing] == ["404"]
    assert found["REST.HEAD.OBJECT"][11:13] == ["-", "4"]
    assert found["REST.COPY.OBJECT"][7] == "c"
    assert found["REST.GET.VERSIONING"][7] == "-"
    assert found["REST.POST.OBJECT"][7] == "p"
    assert found["REST.POST.OBJECT"][21] == "HtmlForm"
    nobody = found["REST.GET.OBJECT403"]
    assert (nobody[4], nobody[10], nobody[16]) == ("-", "AccessDenied", '"a%22b"')
    presigned = [row for row in rows if row[21] == "QueryString"]
    assert "Signature=REDACTED" in presigned[0][8]
    assert re.search(r"[0-9a-f]{64}", presigned[0][8]) is None


def test_a_log_survives_its_writer(tmp_path: Path) -> None:
    with serving(tmp_path) as server:
        client = server.client()
        client.create_bucket(Bucket="bucket")
        target = log_to(client, "bucket", "")
        client.put_object(Bucket="bucket", Key="k", Body=b"")
        server.process.kill()
    with serving(tmp_path) as server:
        client = server.client()
        operations = [row[6] for row in lines(client, target, 1)]
        assert operations[-1] == "REST.PUT.OBJECT"
        (listed, *_) = client.list_objects_v2(Bucket=target)["Contents"]
        assert re.fullmatch(r"\d{4}(-\d\d){5}-[0-9A-F]{16}", listed["Key"])
        assert client.head_object(Bucket=target, Key=listed["Key"])["ContentType"] == "text/plain"


class Log:
    """An access log of one process, and what it delivered."""

    def __init__(self, store: Store, folder: Path) -> None:
        self.delivered: dict[str, str] = {}
        self.failing = False
        self.log = AccessLog(store, folder, timedelta(minutes=5), "region", self._put)

    def record(self, key: str) -> None:
        """One request for a key of the bucket."""
        trace = Trace(Request("GET", f"/source/{key}", "", {}), "id", "host")
        about = Target(f"/source/{key}", "source", key, {})
        trace.admitted("GetObject", about, Admission(ALICE, Payload(), {}, Proof()))
        headers: Headers = []
        self.log.record(trace, 200, headers)

    def _put(self, bucket: Bucket, key: str, body: bytes, grants: Sequence[Any]) -> None:
        if self.failing:
            raise OSError("the disk is full")
        self.delivered[f"{bucket.name}/{key}"] = body.decode()


def logged(store: Store, **more: Any) -> None:
    bucket = store.create_bucket("source", "owner")
    store.create_bucket("target", "owner")
    enabled = {"TargetBucket": "target", "TargetPrefix": "p/", **more}
    store.set_setting(bucket, "logging", {"LoggingEnabled": enabled})


def test_a_file_in_use_belongs_to_its_writer(tmp_path: Path) -> None:
    store = Store(tmp_path / "objects")
    logged(store)
    first, second = (Log(store, tmp_path / "spool") for _ in range(2))
    first.record("a")
    second.record("b")
    assert second.log.deliver() == 1
    (body,) = second.delivered.values()
    assert " b " in body
    assert first.log.deliver() == 1
    assert list((tmp_path / "spool").iterdir()) == []


def test_a_delivery_that_failed_is_repeated_under_the_same_key(tmp_path: Path) -> None:
    store = Store(tmp_path / "objects")
    logged(store)
    log = Log(store, tmp_path / "spool")
    log.record("a")
    log.failing = True
    with pytest.raises(OSError, match="full"):
        log.log.deliver()
    log.failing = False
    (path,) = (tmp_path / "spool").iterdir()
    content = path.read_bytes()
    log.log.deliver()
    (key,) = log.delivered
    path.write_bytes(content + b'["torn')
    assert key.startswith("target/p/")
    log.log.deliver()
    assert [body.count("\n") for body in log.delivered.values()] == [1] * len(log.delivered)


def test_keys_may_be_partitioned(tmp_path: Path) -> None:
    store = Store(tmp_path / "objects")
    parts = {"PartitionedPrefix": {"PartitionDateSource": "EventTime"}}
    logged(store, TargetObjectKeyFormat=parts)
    log = Log(store, tmp_path / "spool")
    log.record("a")
    log.log.deliver()
    (key,) = log.delivered
    stamp = r"\d{4}(-\d\d){5}-[0-9A-F]{16}"
    assert re.fullmatch(rf"target/p/owner/region/source/\d{{4}}/\d\d/\d\d/{stamp}", key)


def test_what_nobody_wants_logged_is_not(tmp_path: Path) -> None:
    store = Store(tmp_path / "objects")
    store.create_bucket("source", "owner")
    log = Log(store, tmp_path / "spool")
    log.record("a")
    assert log.log.deliver() == 0
    assert not (tmp_path / "spool").exists()
