"""Content in a pool of a Ceph cluster."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest

from s3store import faults
from s3store.engines.cluster import binding
from s3store.engines.places import Place, Pool, place_of
from s3store.engines.rados import RadosEngine
from s3store.fsck import DAMAGED, check
from s3store.index import versions
from s3store.records import Bucket
from s3store.store import Store
from s3store.sweep import Swept, sweep
from tests.ceph import POOL, Ceph
from tests.gateway.s3.servers import serving
from tests.s3store.audit import assert_sound
from tests.s3store.conftest import LEAST_PART, Contents
from tests.s3store.test_crashes import ACTS, kill_at, lines_of, put

NOW = timedelta(0)
NAME, OTHER = "a" * 32, "b" * 32
STRIPE = 1000
CONTENT = os.urandom(40 * STRIPE + 3)


@pytest.fixture
def kind() -> str:
    """All content in a Ceph cluster."""
    return "rados"


@pytest.fixture
def pool(ceph: Ceph) -> Pool:
    """A namespace for one test."""
    return Pool.of(ceph.url(uuid4().hex))


@pytest.fixture
def at(pool: Pool) -> Iterator[RadosEngine]:
    """An engine that cuts content into many stripes, and waits for no reader."""
    with closing(RadosEngine(pool, patience=NOW, stripe=STRIPE)) as made:
        yield made


@pytest.fixture
def engine(at: RadosEngine) -> RadosEngine:
    """That of the store."""
    return at


@pytest.fixture
def objects(ceph: Ceph, pool: Pool) -> Callable[[], set[str]]:
    """Names of all RADOS objects there are."""
    command = "rados", "--pool", POOL, "--namespace", pool.namespace, "ls"
    return lambda: set(ceph.run(*command).split())


def read(engine: RadosEngine, name: str, start: int = 0, length: int = 1 << 30) -> bytes:
    with closing(engine.open(name)) as reader:
        return reader.fetch(start, length)


@pytest.mark.parametrize("size", [0, 5, STRIPE, STRIPE + 1, len(CONTENT)])
def test_content_of_any_size_is_kept_and_read_in_ranges(at: RadosEngine, size: int) -> None:
    content = CONTENT[:size]
    assert at.write(NAME, (content[start : start + 300] for start in range(0, size, 300))) == size
    at.keep(NAME)
    assert at.size(NAME) == size
    assert read(at, NAME) == content
    assert read(at, NAME, 990, 2020) == content[990:3010]
    assert read(at, NAME, max(size - 2, 0), 9) == content[-2:]
    assert [name for name, _ in at.names()] == [NAME]


def test_content_stays_readable_when_stripes_change_their_size(at: RadosEngine, pool: Pool) -> None:
    at.write(NAME, [CONTENT])
    with closing(RadosEngine(pool, patience=NOW, stripe=7)) as other:
        assert read(other, NAME) == CONTENT
        other.discard(NAME)
    assert list(at.names()) == []


def test_what_is_removed_stays_readable_for_a_while(
    at: RadosEngine, pool: Pool, objects: Callable[[], set[str]]
) -> None:
    names = [f"{number:032x}" for number in range(100)]
    with closing(RadosEngine(pool, patience=timedelta(hours=1))) as patient:
        for name in names:
            at.write(name, [b"data"])
        at.write(OTHER, [CONTENT])
        with closing(patient.hold(names[0])) as reader:
            assert patient.release(names)
            patient.remove(OTHER, NAME)
            assert patient.collect() == 0
            assert reader.fetch(0, 4) == b"data"
            assert list(patient.names()) == []
            assert patient.touched(names[0]) is None
            assert at.collect() == 101
            with pytest.raises(faults.Damaged):
                reader.fetch(0, 4)
    assert objects() == set()


def test_a_growing_content_is_touched_by_what_comes_and_cannot_be_opened(at: RadosEngine) -> None:
    def body() -> Iterator[bytes]:
        yield CONTENT
        assert (at.touched(NAME) or 0) > time.time() - 60
        assert at.size(NAME) is None
        with pytest.raises(FileNotFoundError):
            at.open(NAME)
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        at.write(NAME, body())
    at.discard(NAME, OTHER)
    assert at.touched(NAME) is None


def test_an_upload_given_up_by_the_sweep_is_refused_and_its_rest_collected(
    at: RadosEngine, objects: Callable[[], set[str]]
) -> None:
    def body() -> Iterator[bytes]:
        yield CONTENT[: 3 * STRIPE]
        at.discard(NAME)
        yield CONTENT

    with pytest.raises(faults.UploadAborted):
        at.write(NAME, body())
    with pytest.raises(faults.UploadAborted):
        at.keep(NAME)
    assert list(at.names()) == []
    assert objects() > {f"{NAME}.9"}
    at.collect()
    assert objects() == set()


def test_what_others_keep_in_the_pool_is_left_alone(
    at: RadosEngine, ceph: Ceph, pool: Pool, objects: Callable[[], set[str]]
) -> None:
    for name in ("rbd_directory", "c" * 32):
        ceph.run("rados", "--pool", POOL, "--namespace", pool.namespace, "create", name)
    assert list(at.names()) == []
    assert at.size("c" * 32) is None
    at.remove("c" * 32)
    at.collect()
    assert objects() == {"rbd_directory", "c" * 32}


# -- when the cluster does not do as it should -----------------------------------------------------


def test_a_full_cluster_refuses_what_is_new_and_lets_what_is_there_go(
    at: RadosEngine, ceph: Ceph, objects: Callable[[], set[str]]
) -> None:
    at.write(OTHER, [CONTENT])
    with ExitStack() as shortage:

        def body() -> Iterator[bytes]:
            yield CONTENT
            shortage.enter_context(ceph.full())
            for _ in range(1000):  # the disk may take a moment to obey
                yield CONTENT

        with pytest.raises(faults.StoreFull):
            at.write(NAME, body())
        at.discard(NAME)
        at.remove(OTHER)
        at.collect()
        assert objects() == set()


def test_a_cluster_that_goes_in_mid_write_puts_requests_off_and_nothing_is_lost_or_left(
    store: Store, bucket: Bucket, ceph: Ceph, pool: Pool, root: Path, engine: RadosEngine
) -> None:
    with ExitStack() as outage:

        def body() -> Iterator[bytes]:
            yield CONTENT
            outage.enter_context(ceph.away())
            yield CONTENT

        kept = store.put(bucket, "k", [CONTENT]).id
        store.put(bucket, "doomed", [CONTENT])
        impatient = RadosEngine(pool, stripe=STRIPE, timeout=timedelta(seconds=2))
        with closing(Store(root, inline=-1, engine=impatient)) as hasty:
            with pytest.raises(faults.StoreBusy):
                hasty.put(bucket, "k", body())
            with pytest.raises(faults.StoreBusy):
                hasty.open(bucket, "k")
            hasty.delete(bucket, "doomed")
    assert content(store, bucket, "k") == CONTENT
    assert sweep(store, NOW) == Swept(uploads=0, files=2)
    assert list(check(store)) == []
    assert_sound(root, None, engine)
    assert [name for name, _ in engine.names()] == [kept]


@pytest.mark.parametrize("wrong", [{"conf": "/nowhere"}, {"pool": "nothing"}, {"key": "AAAA"}])
def test_a_cluster_that_cannot_be_reached_is_busy(pool: Pool, wrong: dict[str, str]) -> None:
    with (
        closing(RadosEngine(replace(pool, **wrong), timeout=timedelta(seconds=2))) as lost,
        pytest.raises(faults.StoreBusy),
    ):
        lost.write(NAME, [b"data"])


def test_a_user_needs_no_keyring_when_the_key_is_told(ceph: Ceph, pool: Pool, root: Path) -> None:
    root.mkdir()
    conf = root / "bare.conf"
    lines = ceph.conf.read_text().splitlines(keepends=True)
    conf.write_text("".join(line for line in lines if not line.startswith("keyring")))
    with closing(RadosEngine(replace(pool, conf=str(conf), key=ceph.key()))) as made:
        made.write(NAME, [b"data"])
        assert read(made, NAME) == b"data"


def test_without_the_library_the_remedy_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(sys.modules, "rados", raising=False)
    with pytest.raises(ModuleNotFoundError, match="apt-get install python3-rados"):
        binding(str(tmp_path))


# -- a store there ---------------------------------------------------------------------------------


def content(store: Store, bucket: Bucket, key: str) -> bytes:
    with store.open(bucket, key) as opened:
        return b"".join(opened.read())


def test_the_sweep_takes_away_what_a_dead_upload_left(
    store: Store, bucket: Bucket, contents: Contents, engine: RadosEngine
) -> None:
    store.put(bucket, "k", [b"kept"])
    before = datetime.now(UTC) - timedelta(days=3)
    store.index.change(lambda c: versions.announce(c, NAME, before))
    engine.write(NAME, [CONTENT])
    engine.write(OTHER, [b"rubbish"])
    assert sweep(store) == Swept(0, 0)
    assert contents() > {NAME, OTHER}
    assert sweep(store, NOW) == Swept(uploads=1, files=1)
    assert contents() == {store.head(bucket, "k").id}


def test_a_lost_stripe_is_reported(store: Store, bucket: Bucket, ceph: Ceph, pool: Pool) -> None:
    lost = store.put(bucket, "k", [CONTENT]).id
    place = "--pool", POOL, "--namespace", pool.namespace
    ceph.run("rados", *place, "rm", f"{lost}.7")
    assert [(found.kind, found.subject) for found in check(store)] == [(DAMAGED, "bucket/k (null)")]


_OTHER_PROCESS = """
import pathlib, sys
from s3store.engines.places import Pool
from s3store.engines.rados import RadosEngine
from s3store.store import Store
from s3store.sweep import sweep
store = Store(pathlib.Path(sys.argv[1]), inline=-1, engine=RadosEngine(Pool.of(sys.argv[2])))
bucket = store.bucket("bucket")
with store.open(bucket, "k") as opened:
    store.put(bucket, "copy", opened.read())
store.delete(bucket, "k")
sweep(store)
store.close()
"""


def test_what_another_process_deletes_stays_readable_here(
    store: Store, bucket: Bucket, root: Path, ceph: Ceph, pool: Pool, engine: RadosEngine
) -> None:
    store.put(bucket, "k", [CONTENT])
    with store.open(bucket, "k") as opened:
        url = ceph.url(pool.namespace)
        subprocess.run([sys.executable, "-c", _OTHER_PROCESS, str(root), url], check=True)
        assert b"".join(opened.read()) == CONTENT
    assert content(store, bucket, "copy") == CONTENT
    assert_sound(root, None, engine)


def test_processes_of_a_gateway_share_a_pool(tmp_path: Path, ceph: Ceph, pool: Pool) -> None:
    application = f"tests.gateway.s3.serving:create(blobs='{ceph.url(pool.namespace)}')"
    with (
        serving(tmp_path, flags=("--workers=2",), application=application) as server,
        closing(server.client()) as client,
    ):
        client.create_bucket(Bucket="bucket")
        client.put_object(Bucket="bucket", Key="k", Body=CONTENT)
        for number in range(20):  # each may be answered by either process
            client.copy_object(Bucket="bucket", Key=f"{number}", CopySource="bucket/k")
            with client.get_object(Bucket="bucket", Key=f"{number}", Range="bytes=7-")[
                "Body"
            ] as got:
                assert got.read() == CONTENT[7:]


@pytest.mark.parametrize("act", ["copy", "delete", "large", "parts"])
def test_a_change_cut_off_at_any_step_has_happened_or_not(
    root: Path, act: str, engine: RadosEngine, store: Store, bucket: Bucket
) -> None:
    put(store, 40_000, "large")
    put(store, 50_000)
    lines, killed = lines_of(lambda: ACTS[act](store)), 0
    for step in range(1, lines, max(lines // 4, 1)):
        put(store, 50_000)
        before = store.head(bucket, "k").etag
        engine.close()  # no connection survives a fork
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
    assert killed >= 2
    assert sweep(store, NOW).uploads == 0
    assert_sound(root, None, engine)


# -- its URL ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "wrong",
    [
        "rados:client.a@p",
        "rados://pool",
        "rados://name@pool",
        "rados://client.a@",
        "rados://client.a@p/path",
        "rados://client.a@p#part",
        "rados://client.a@p?key=secret",
    ],
)
def test_a_url_that_names_no_pool_is_refused(wrong: str) -> None:
    with pytest.raises(ValueError, match="must look like rados://"):
        place_of(wrong)


def test_a_url_names_a_pool_or_a_bucket() -> None:
    assert place_of("rados://client.a@Pool") == Pool("Pool", "client.a")
    told = place_of("rados://client.a@p%2Fq?namespace=n&conf=/etc/c.conf", secret="hidden")
    assert told == Pool("p/q", "client.a", "n", "/etc/c.conf", "hidden")
    assert "hidden" not in repr(told)
    assert isinstance(place_of("s3+http://h/b"), Place)
