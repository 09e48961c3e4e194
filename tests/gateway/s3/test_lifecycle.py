"""Lifecycle rules carried out on a real store."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from gateway.s3.background import lifecycle
from gateway.s3.background.lifecycle import Applied
from gateway.s3.documents import lifecycle as document
from s3store.records import ENABLED, SUSPENDED, Bucket, Draft, Lock, Version
from s3store.store import Store
from tests.gateway.s3.servers import serving
from tests.s3store.audit import assert_sound

DAY = timedelta(days=1)
LATER = datetime.now(UTC) + 10 * DAY


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store(tmp_path)
    yield opened
    opened.close()
    assert_sound(tmp_path)


def with_rules(store: Store, versioning: str, *rules: dict[str, Any]) -> Bucket:
    made = store.create_bucket("b", "alice", versioning=versioning)
    kept = [{"Status": "Enabled", "Filter": {}, **rule} for rule in rules]
    return store.set_setting(made, "lifecycle", document.check({"Rules": kept}))


def put(store: Store, bucket: Bucket, key: str, **more: Any) -> Version:
    return store.put(bucket, key, [b"data"], Draft(**more))


def keys(store: Store, bucket: Bucket) -> list[str]:
    return [entry.key.decode() for entry in store.list(bucket).entries]


def versions(store: Store, bucket: Bucket) -> list[str]:
    return [version.version_id for version in store.list_versions(bucket).entries]


def test_objects_that_are_due_go_and_others_stay(store: Store) -> None:
    bucket = with_rules(
        store, "", {"Filter": {"Tag": {"Key": "a", "Value": "1"}}, "Expiration": {"Days": 3}}
    )
    for number in range(250):
        put(store, bucket, f"k{number:03}", tags={"a": str(number % 2)})
    assert lifecycle.apply(store, now=datetime.now(UTC) + 2 * DAY) == Applied()
    assert lifecycle.apply(store, now=LATER) == Applied(objects=125)
    assert keys(store, bucket) == [f"k{number:03}" for number in range(0, 250, 2)]
    assert lifecycle.apply(store, now=LATER) == Applied()


def test_with_versioning_a_marker_comes_and_goes_when_it_hides_nothing(store: Store) -> None:
    bucket = with_rules(
        store,
        ENABLED,
        {"Expiration": {"Days": 1}, "NoncurrentVersionExpiration": {"NoncurrentDays": 1}},
    )
    put(store, bucket, "k")
    put(store, bucket, "k")
    # The older one was replaced long ago, and goes with the same walk.
    assert lifecycle.apply(store, now=LATER) == Applied(objects=1, old=1)
    assert keys(store, bucket) == []
    assert len(versions(store, bucket)) == 2
    assert lifecycle.apply(store, now=LATER) == Applied(old=1)
    assert lifecycle.apply(store, now=LATER) == Applied(markers=1)
    assert versions(store, bucket) == []


def test_with_versioning_suspended_the_marker_takes_the_place(store: Store) -> None:
    bucket = with_rules(store, "", {"Expiration": {"Days": 1}})
    put(store, bucket, "k")
    bucket = store.set_versioning(store.set_versioning(bucket, ENABLED), SUSPENDED)
    assert lifecycle.apply(store, now=LATER) == Applied(objects=1)
    assert versions(store, bucket) == ["null"]
    assert keys(store, bucket) == []


def test_the_newest_old_versions_are_kept(store: Store) -> None:
    keep = {"NoncurrentDays": 1, "NewerNoncurrentVersions": 2}
    bucket = with_rules(store, ENABLED, {"NoncurrentVersionExpiration": keep})
    made = [put(store, bucket, "k").version_id for _ in range(6)]
    put(store, bucket, "l")
    assert lifecycle.apply(store, now=LATER) == Applied(old=3)
    assert versions(store, bucket)[:3] == made[:2:-1]


def test_many_versions_of_one_key_are_judged_across_pages(tmp_path: Path) -> None:
    fast = Store(tmp_path / "fast", durable=False)
    keep = {"NoncurrentDays": 1, "NewerNoncurrentVersions": 4}
    bucket = with_rules(fast, ENABLED, {"NoncurrentVersionExpiration": keep})
    made = [put(fast, bucket, "k").version_id for _ in range(1210)]
    assert lifecycle.apply(fast, now=LATER) == Applied(old=1205)
    assert versions(fast, bucket) == made[:-6:-1]
    fast.close()


def test_what_is_locked_stays(store: Store) -> None:
    bucket = with_rules(store, ENABLED, {"NoncurrentVersionExpiration": {"NoncurrentDays": 1}})
    held = put(store, bucket, "k", lock=Lock(hold=True))
    put(store, bucket, "k")
    shown = put(store, bucket, "k")
    assert lifecycle.apply(store, now=LATER) == Applied(old=1)
    assert versions(store, bucket) == [shown.version_id, held.version_id]


class Overtaken(Store):
    """A store into which somebody puts the object anew, just before it is deleted."""

    def delete_all(self, bucket: Bucket, *given: Any, **named: Any) -> Any:
        """Put, then delete."""
        self.put(bucket, "k", [b"data"])
        return super().delete_all(bucket, *given, **named)


def test_what_was_replaced_after_it_was_judged_stays(tmp_path: Path) -> None:
    """The rules meant the version they saw, not the one that has its key now."""
    overtaken = Overtaken(tmp_path / "overtaken")
    bucket = with_rules(overtaken, "", {"Expiration": {"Days": 1}})
    put(overtaken, bucket, "k")
    assert lifecycle.apply(overtaken, now=LATER) == Applied()
    assert keys(overtaken, bucket) == ["k"]
    overtaken.close()


def test_uploads_are_aborted(store: Store) -> None:
    abort = {"AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 1}}
    bucket = with_rules(store, "", {"Filter": {"Prefix": "a"}, **abort})
    for key in ("a", "ab", "b"):
        store.put_part(store.create_upload(bucket, key), 1, [b"data"])
    assert lifecycle.apply(store, now=LATER) == Applied(uploads=2)
    assert [upload.key for upload in store.list_uploads(bucket).entries] == ["b"]


def test_an_object_is_told_when_it_goes_and_then_goes(tmp_path: Path) -> None:
    rule = {"ID": "soon", "Status": "Enabled", "Filter": {"Prefix": "k"}, "Expiration": {"Days": 1}}
    with serving(tmp_path, application="tests.gateway.s3.serving:create(day=2.0)") as server:
        client = server.client()
        client.create_bucket(Bucket="bucket")
        given = {"Bucket": "bucket", "Key": "k"}
        client.put_bucket_lifecycle_configuration(
            Bucket="bucket", LifecycleConfiguration={"Rules": [rule]}
        )
        told = client.put_object(**given)["Expiration"]
        assert told.endswith('GMT", rule-id="soon"')
        assert client.copy_object(**given | {"Key": "k2"}, CopySource="bucket/k")["Expiration"]
        assert "Expiration" not in client.put_object(Bucket="bucket", Key="other")
        assert client.head_object(**given)["Expiration"] == told
        until = time.monotonic() + 60
        found = ["k", "k2", "other"]
        while found != ["other"] and time.monotonic() < until:
            time.sleep(0.2)
            listed = client.list_objects_v2(Bucket="bucket")["Contents"]
            found = [each["Key"] for each in listed]
        assert found == ["other"]
