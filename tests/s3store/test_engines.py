"""Content at an S3-compatible endpoint: our own server, and a stranger's (moto)."""

import os
import signal
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto.server import ThreadedMotoServer

from s3store import faults
from s3store.engines.places import Place
from s3store.engines.s3 import S3Engine
from s3store.fsck import check
from s3store.index import versions
from s3store.records import Bucket
from s3store.store import Store
from s3store.sweep import Swept, sweep
from tests.gateway.s3.servers import ALICE, serving
from tests.s3store.audit import assert_sound
from tests.s3store.conftest import LEAST_PART, Contents, engine_at
from tests.s3store.test_crashes import ACTS, kill_at, lines_of, put

MIB = 1 << 20
NOW = timedelta(0)
NAME, OTHER = "a" * 32, "b" * 32
LARGE = os.urandom(5 * MIB) + bytes(5 * MIB) + b"end"


@pytest.fixture
def kind() -> str:
    """All content at an S3 server."""
    return "s3"


@contextmanager
def _moto() -> Iterator[str]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    host, port = server.get_host_and_port()
    url = f"http://{host}:{port}"
    told: dict[str, Any] = {"endpoint_url": url, "region_name": "us-east-1"}
    told |= {"aws_access_key_id": "key", "aws_secret_access_key": "secret"}
    with closing(boto3.client("s3", **told)) as client:
        client.create_bucket(Bucket="content")
    yield f"s3+{url}/content/some/prefix"
    server.stop()


@pytest.fixture(scope="module", params=["ours", "moto"])
def shelf(request: pytest.FixtureRequest) -> Iterator[str]:
    """Of a place at an endpoint."""
    if request.param == "ours":
        yield f"{request.getfixturevalue('endpoint')}/engine"
        return
    with _moto() as found:
        yield found


@pytest.fixture
def at(shelf: str) -> Iterator[S3Engine]:
    """An engine that uploads in parts what is larger than 5 MiB; what is there goes at the end."""
    place = Place.of(shelf, ALICE.access_key, ALICE.secret)
    with closing(S3Engine(place, patience=NOW, part=5 * MIB)) as made:
        yield made
        made.discard(*(name for name, _ in made.names()))
        made.collect()


def read(engine: S3Engine, name: str, start: int = 0, length: int = 1 << 30) -> bytes:
    with closing(engine.open(name)) as reader:
        return reader.fetch(start, length)


@pytest.mark.parametrize("content", [b"", b"small", LARGE[: 5 * MIB], LARGE])
def test_content_of_any_size_is_kept_and_read_in_ranges(at: S3Engine, content: bytes) -> None:
    pieces = (content[start : start + MIB] for start in range(0, len(content), MIB))
    assert at.write(NAME, pieces) == len(content)
    at.keep(NAME)
    assert at.size(NAME) == len(content)
    assert read(at, NAME) == content
    assert read(at, NAME, 3, 10) == content[3:13]
    assert read(at, NAME, max(len(content) - 2, 0), 9) == content[-2:]
    assert [name for name, _ in at.names()] == [NAME]


def test_a_copy_made_by_the_endpoint_outlives_its_source(at: S3Engine) -> None:
    assert not at.link(NAME, OTHER)
    at.write(NAME, [b"data"])
    assert at.link(NAME, OTHER)
    at.remove(NAME)
    at.collect()
    assert at.size(NAME) is None
    assert read(at, OTHER) == b"data"


def test_what_is_removed_stays_readable_for_a_while(at: S3Engine, shelf: str) -> None:
    place = Place.of(shelf, ALICE.access_key, ALICE.secret)
    names = [f"{number:032x}" for number in range(30)]
    with closing(S3Engine(place, patience=timedelta(hours=1))) as patient:
        for name in names:
            patient.write(name, [b"data"])
        with closing(patient.open(names[0])) as reader:
            assert patient.release(names)
            assert patient.collect() == 0
            assert reader.fetch(0, 4) == b"data"
            assert list(patient.names()) == []
            assert patient.touched(names[0]) is None
            assert at.collect() == 30
            with pytest.raises(faults.Damaged):
                reader.fetch(0, 4)


def test_an_upload_that_fails_leaves_no_parts(at: S3Engine) -> None:
    def body() -> Iterator[bytes]:
        yield LARGE
        before = time.time() - 60
        assert [name for name, _ in at.names()] == [NAME]
        assert (at.touched(NAME) or 0) > before
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        at.write(NAME, body())
    assert list(at.names()) == []
    assert at.touched(NAME) is None


def test_an_upload_given_up_by_the_sweep_is_refused(at: S3Engine) -> None:
    def body() -> Iterator[bytes]:
        yield LARGE
        at.discard(NAME)
        yield LARGE

    # moto breaks down over parts of an upload that is gone
    with pytest.raises((faults.UploadAborted, faults.StoreBusy)):
        at.write(NAME, body())
    with pytest.raises(faults.UploadAborted):
        at.keep(NAME)
    assert list(at.names()) == []


@pytest.mark.parametrize("wrong", ["http://h/b", "s3+http:///b", "s3+http://h", "s3+http://u@h/b"])
def test_a_url_that_names_no_place_is_refused(wrong: str) -> None:
    with pytest.raises(ValueError, match="must look like"):
        Place.of(wrong)


def test_a_place_does_not_show_its_secret() -> None:
    assert "hidden" not in repr(Place.of("s3+https://h:1/b/p", "key", "hidden"))


# -- a store there ---------------------------------------------------------------------------------


def test_the_sweep_takes_away_what_a_dead_upload_left(
    store: Store, bucket: Bucket, contents: Contents, engine: S3Engine
) -> None:
    store.put(bucket, "k", [b"kept"])
    before = datetime.now(UTC) - timedelta(days=3)
    store.index.change(lambda c: versions.announce(c, NAME, before))
    engine.write(NAME, [b"half"])
    engine.write(OTHER, [b"rubbish"])
    assert sweep(store) == Swept(0, 0)
    assert contents() > {NAME, OTHER}
    time.sleep(1.1)  # endpoints tell times in seconds
    assert sweep(store, NOW) == Swept(uploads=1, files=1)
    assert contents() == {store.head(bucket, "k").id}


def test_an_acknowledged_object_survives_its_writer(
    store: Store, bucket: Bucket, root: Path, engine: S3Engine
) -> None:
    child = os.fork()
    if not child:
        with suppress(BaseException):
            store.put(bucket, "k", [LARGE, LARGE])
            os.kill(os.getpid(), signal.SIGKILL)
        os._exit(1)
    _, status = os.waitpid(child, 0)
    assert os.WTERMSIG(status) == signal.SIGKILL
    assert sweep(store, NOW) == Swept(0, 0)
    with store.open(bucket, "k") as opened:
        assert b"".join(opened.read()) == LARGE * 2
        assert opened.slices(0, 10) is None
    assert list(check(store)) == []
    assert_sound(root, None, engine)


@pytest.mark.parametrize("act", ["copy", "delete", "large", "parts"])
def test_a_change_cut_off_at_any_step_has_happened_or_not(
    root: Path, act: str, engine: S3Engine, endpoint: str, store: Store, bucket: Bucket
) -> None:
    put(store, 40_000, "large")
    put(store, 50_000)
    lines, killed = lines_of(lambda: ACTS[act](store)), 0
    for step in range(1, lines, max(lines // 6, 1)):
        put(store, 50_000)
        before = store.head(bucket, "k").etag
        child = os.fork()
        if not child:
            try:
                other = Store(root, inline=-1, least_part=LEAST_PART, engine=engine)
                kill_at(step)
                ACTS[act](other)
            finally:
                os._exit(0)
        killed += os.WIFSIGNALED(os.waitpid(child, 0)[1])
        sweep(store, NOW)
        assert list(check(store)) == []
        for upload in store.scan_uploads(bucket):
            store.abort_upload(upload)
        shown = {entry.key: entry.etag for entry in store.list(bucket).entries}
        assert act == "delete" or (b"k" in shown and b"large" in shown)
        if act == "delete":
            assert shown.get(b"k") in (before, None)
    assert killed >= 3
    assert sweep(store, NOW).uploads == 0
    assert_sound(root, None, engine)


def test_while_the_place_is_away_requests_are_put_off_and_nothing_is_lost(tmp_path: Path) -> None:
    back, before = tmp_path / "back", b"before" * 10_000
    with serving(back) as place:
        with closing(place.client()) as client:
            client.create_bucket(Bucket="content")
        with (
            serving(
                tmp_path / "front",
                application=f"tests.gateway.s3.serving:create(blobs='s3+{place.url}/content')",
            ) as front,
            closing(front.client()) as client,
        ):
            client.create_bucket(Bucket="bucket")
            client.put_object(Bucket="bucket", Key="k", Body=before)
            client.put_object(Bucket="bucket", Key="doomed", Body=before)
            place.process.terminate()
            place.process.wait(20)
            for call, more in (("put_object", {"Body": b"after" * 10_000}), ("get_object", {})):
                with pytest.raises(ClientError) as refused:
                    getattr(client, call)(Bucket="bucket", Key="k", **more)
                assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 503
                assert refused.value.response["Error"]["Code"] == "SlowDown"
            client.delete_object(Bucket="bucket", Key="doomed")
            with serving(back, flags=(f"--bind=127.0.0.1:{place.port}",)):
                with client.get_object(Bucket="bucket", Key="k")["Body"] as body:
                    assert body.read() == before
                url = f"s3+{place.url}/content"
                _assert_swept(tmp_path / "front" / "objects", url)


def _assert_swept(root: Path, url: str) -> None:
    """What could not be removed is removed by the sweep, and all is sound."""
    with closing(engine_at(url)) as engine:
        time.sleep(1.1)  # endpoints tell times in seconds
        with closing(Store(root, engine=engine)) as store:
            swept = sweep(store, NOW)
            assert swept.files == 1
            assert list(check(store)) == []
        assert_sound(root, None, engine)
