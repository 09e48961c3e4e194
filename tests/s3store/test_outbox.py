"""Messages are kept exactly when their change is; leases have one holder."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from s3store import faults
from s3store.outbox import Lease, Outbox
from s3store.records import ENABLED, Bucket, Condition
from s3store.store import Store
from s3store.witness import Change, Message, witnessed

pytestmark = pytest.mark.parametrize("kind", ["files", "mariadb"])


def tell(bucket: Bucket, change: Change) -> Iterator[Message]:
    """Tell everything."""
    marker = "marker " if change.marker else ""
    yield Message(bucket.name, f"{change.sequence} {marker}{change.kind.value} {change.key}")


def told(store: Store) -> list[str]:
    """What waits, without the numbers, which grow."""
    waiting = Outbox(store).due((), 100)
    numbers = [int(message.body.partition(" ")[0]) for message in waiting]
    assert numbers == sorted(set(numbers))
    return [message.body.partition(" ")[2] for message in waiting]


def test_every_change_is_told(store: Store) -> None:
    bucket = store.create_bucket("b", "alice", versioning=ENABLED)
    store.put(bucket, "silent", [b""])
    with witnessed(tell):
        version = store.put(bucket, "k", [b"data"]).version_id
        store.set_tags(bucket, "k", None, {"a": "1"})
        store.delete(bucket, "k")
        store.delete(bucket, "k", version)
        store.delete(bucket, "k", version)
    store.delete(bucket, "silent")
    assert told(store) == ["added k", "altered k", "marker added k", "removed k"]


def test_what_fails_is_not_told(store: Store) -> None:
    bucket = store.create_bucket("b", "alice")
    with witnessed(tell):
        store.put(bucket, "k", [b"data"])
        with pytest.raises(faults.ConditionFailed):
            store.put(bucket, "k", [b"data"], condition=Condition(absent=True))
        with pytest.raises(faults.NoSuchKey):
            store.set_tags(bucket, "none", None, {})
    assert told(store) == ["added k"]


def test_messages_wait_until_they_are_forgotten(store: Store) -> None:
    bucket, outbox = store.create_bucket("b", "alice"), Outbox(store)
    with witnessed(tell):
        for key in "xyz":
            store.put(bucket, key, [b""])
    first, second, _ = outbox.due((), 100)
    outbox.forget([first])
    outbox.postpone(second, timedelta(hours=1))
    assert told(store) == ["added z"]
    outbox.postpone(second, timedelta(0))
    assert [message.tries for message in outbox.due((), 100)] == [1, 0]
    assert outbox.due(("b",), 100) == []


def test_a_lease_has_one_holder_and_ends(store: Store) -> None:
    first, second = (Lease(store, "job", timedelta(minutes=1)) for _ in range(2))
    assert [first.take(), second.take(), first.take()] == [True, False, True]
    first.give_back()
    assert second.take()
    assert not first.take()
    assert Lease(store, "other", timedelta(seconds=-1)).take()
    assert Lease(store, "other", timedelta(minutes=1)).take()
