"""Keys that are renewed while objects rest on them."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.s3.faults import S3Fault
from gateway.s3.sealing import seals
from gateway.s3.sealing.keys import Keys
from gateway.s3.sealing.rings import Ring
from gateway.s3.sealing.rotation import Rotation
from gateway.s3.sealing.seals import CUSTOMER, NAMED, SERVICE
from s3store.records import Bucket, Choice, Draft
from s3store.resealing import Resealed, reseal
from s3store.sealing import KEY, WrongKey
from s3store.store import Store

MANY = 250  # more than a batch


@pytest.fixture
def keys(tmp_path: Path) -> Keys:
    """Keys of a folder of their own."""
    return Keys(tmp_path / "keys")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """A store."""
    made = Store(tmp_path / "objects", durable=False)
    yield made
    made.close()


@pytest.fixture
def bucket(store: Store) -> Bucket:
    """A bucket of account "a"."""
    return store.create_bucket("bucket", "a")


def put(
    store: Store, bucket: Bucket, key: str, ring: Ring, mode: str = SERVICE, **more: str
) -> None:
    """Store something that is encrypted under a key."""
    facts = {"mode": mode, **more, **({} if mode == CUSTOMER else seals.under(ring))}
    seal, cipher = seals.new(bucket.id, key, facts, ring.secret)
    store.put(bucket, key, [key.encode()], Draft(seal=seal, cipher=cipher))


def begin(store: Store, bucket: Bucket, key: str, ring: Ring) -> None:
    """Begin an upload that is."""
    seal, cipher = seals.new(bucket.id, key, {"mode": SERVICE, **seals.under(ring)}, ring.secret)
    store.create_upload(bucket, key, Draft(seal=seal, cipher=cipher))


def readable(store: Store, bucket: Bucket, keys: Keys) -> bool:
    """Whether all that is there opens with these keys."""
    for version in store.list_versions(bucket, limit=1000).entries:
        assert version.seal is not None
        try:
            cipher = seals.opened(keys, bucket.id, version.key, version.seal)
        except WrongKey:
            return False
        with store.open(bucket, version.key) as opened:
            assert b"".join(opened.read(cipher=cipher)).decode() == version.key
    return True


def walk(store: Store, keys: Keys) -> Resealed:
    """One whole walk."""
    rotation = Rotation(keys)
    *_, last = reseal(store, rotation.renewed)
    assert rotation.failed == []
    return last


def only_newest(folder: Path) -> Keys:
    """The keys once the operator has taken the older secrets of the master key out."""
    file = folder / "keys" / "master"
    file.write_bytes(file.read_bytes()[-KEY:])
    return Keys(folder / "keys")


def test_what_rests_on_older_secrets_is_wrapped_under_the_newest(
    tmp_path: Path, store: Store, bucket: Bucket, keys: Keys
) -> None:
    for number in range(3):
        put(store, bucket, f"k{number}", keys.master())
    begin(store, bucket, "open", keys.master())
    keys.renew("")
    put(store, bucket, "new", keys.master())
    assert readable(store, bucket, keys)
    assert walk(store, keys) == Resealed(seen=5, changed=4)
    assert walk(store, keys) == Resealed(seen=5, changed=0)
    alone = only_newest(tmp_path)
    assert readable(store, bucket, alone)
    [upload] = store.list_uploads(bucket).entries
    assert upload.draft.seal is not None
    assert seals.opened(alone, bucket.id, "open", upload.draft.seal) is not None


def test_content_and_everything_else_of_a_version_stays(
    store: Store, bucket: Bucket, keys: Keys
) -> None:
    put(store, bucket, "k", keys.master())
    before, counted = store.head(bucket, "k"), store.usage("a")
    keys.renew("")
    walk(store, keys)
    after = store.head(bucket, "k")
    assert after.seal != before.seal
    for name in (
        "id",
        "version_id",
        "etag",
        "size",
        "stored",
        "modified",
        "checksum",
        "attributes",
    ):
        assert getattr(after, name) == getattr(before, name)
    assert store.usage("a") == counted


def test_a_walk_that_is_killed_half_way_is_finished_by_the_next(
    tmp_path: Path, store: Store, bucket: Bucket, keys: Keys
) -> None:
    for number in range(MANY):
        put(store, bucket, f"k{number:03}", keys.master())
    keys.renew("")
    script = f"""
import os, pathlib, signal
from gateway.s3.sealing.keys import Keys
from gateway.s3.sealing.rotation import Rotation
from s3store.resealing import reseal
from s3store.store import Store
root = pathlib.Path({str(tmp_path)!r})
for done in reseal(Store(root / "objects"), Rotation(Keys(root / "keys")).renewed):
    os.kill(os.getpid(), signal.SIGKILL)
"""
    killed = subprocess.run([sys.executable, "-c", script], check=False)
    assert killed.returncode == -signal.SIGKILL
    assert readable(store, bucket, keys)
    rest = walk(store, keys)
    assert (rest.seen, 0 < rest.changed < MANY) == (MANY, True)
    assert readable(store, bucket, only_newest(tmp_path))


def test_an_upload_that_is_completed_during_a_walk_is_met_as_a_version(
    tmp_path: Path, store: Store, bucket: Bucket, keys: Keys
) -> None:
    put(store, bucket, "z", keys.master())
    facts = {"mode": SERVICE, **seals.under(keys.master())}
    seal, cipher = seals.new(bucket.id, "open", facts, keys.master().secret)
    upload = store.create_upload(bucket, "open", Draft(seal=seal))
    part = store.put_part(upload, 1, [b"open"], cipher=cipher)
    keys.renew("")
    walk = reseal(store, Rotation(keys).renewed)
    next(walk)
    store.complete_upload(upload, [Choice(1, part.etag)])
    assert list(walk)
    assert readable(store, bucket, only_newest(tmp_path))


def test_a_named_key_keeps_its_name_when_it_is_renewed(
    store: Store, bucket: Bucket, keys: Keys
) -> None:
    named = keys.find("alias/aws/s3", "a")
    put(store, bucket, "k", named.ring, NAMED, kms=named.arn("us-east-1"))
    keys.renew(named.id)
    renewed = keys.find("alias/aws/s3", "a")
    assert (renewed.id, renewed.ring.secrets[0]) == (named.id, named.ring.secret)
    assert renewed.ring.secret != named.ring.secret
    assert readable(store, bucket, keys)
    assert walk(store, keys).changed == 1
    assert readable(store, bucket, keys)


def test_seals_from_before_there_were_labels_rest_on_the_oldest_secret(
    tmp_path: Path, store: Store, bucket: Bucket, keys: Keys
) -> None:
    seal, cipher = seals.new(bucket.id, "old", {"mode": SERVICE}, keys.master().secret)
    store.put(bucket, "old", [b"old"], Draft(seal=seal, cipher=cipher))
    keys.renew("")
    assert readable(store, bucket, keys)
    assert walk(store, keys).changed == 1
    assert readable(store, bucket, only_newest(tmp_path))


def test_customers_own_keys_are_not_touched(store: Store, bucket: Bucket, keys: Keys) -> None:
    put(store, bucket, "k", Ring.of([bytes(KEY)]), CUSTOMER)
    keys.renew("")
    assert walk(store, keys) == Resealed(seen=1, changed=0)


def test_what_cannot_be_opened_is_named_and_the_rest_goes_on(
    tmp_path: Path, store: Store, bucket: Bucket, keys: Keys
) -> None:
    put(store, bucket, "lost", keys.master())
    keys.renew("")
    alone = only_newest(tmp_path)
    put(store, bucket, "sound", alone.master())
    alone.renew("")
    rotation = Rotation(alone)
    *_, last = reseal(store, rotation.renewed)
    assert (last, len(rotation.failed)) == (Resealed(2, 1), 1)
    assert rotation.failed[0].startswith("lost in bucket")


@pytest.mark.parametrize("damage", [{"key": "!"}, {"key": ""}, {"key": "AAAA"}, {"under": "x"}, {}])
def test_a_seal_that_is_none_opens_nothing(
    store: Store, bucket: Bucket, keys: Keys, damage: dict[str, str]
) -> None:
    put(store, bucket, "k", keys.master())
    seal = store.head(bucket, "k").seal
    assert seal is not None
    broken = {**seal, **damage} if damage else {}
    with pytest.raises(WrongKey):
        seals.opened(keys, bucket.id, "k", broken)
    with pytest.raises(WrongKey):
        seals.opened(keys, bucket.id, "other", seal)


def test_a_read_never_makes_the_key_it_looks_for(tmp_path: Path, keys: Keys) -> None:
    with pytest.raises(WrongKey):
        seals.opened(keys, 1, "k", {"mode": SERVICE, "key": ""})
    assert not (tmp_path / "keys").exists()


def test_another_process_sees_a_renewed_key_at_once(tmp_path: Path, keys: Keys) -> None:
    other = Keys(tmp_path / "keys")
    assert other.master() == keys.master()
    keys.renew("")
    assert other.master() == keys.master()
    assert len(other.master().secrets) == 2
    assert (tmp_path / "keys" / "master").stat().st_mode & 0o777 == 0o600


def test_a_key_that_is_not_there_or_not_one_cannot_be_renewed(tmp_path: Path, keys: Keys) -> None:
    for account in "ab":
        keys.create(account, "alias/x")
    for name, code in (("alias/x", "InvalidRequest"), ("alias/y", "KMS.NotFoundException")):
        with pytest.raises(S3Fault) as caught:
            keys.renew(name)
        assert caught.value.code == code
