"""Seals put in place of others, without touching what they seal.

When the key that wraps data keys is renewed, whoever has it wraps them anew. This walks over all
that is sealed, in small transactions, while the store is in use. It keeps no mark of where it is:
what has the right seal is left alone, so a walk that was cut short is simply done once more.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from s3store import faults
from s3store.index import seals
from s3store.index.ledger import held
from s3store.index.seals import Sealed
from s3store.records import Bucket
from s3store.store import Store

Renew = Callable[[int, str, Mapping[str, Any]], Mapping[str, Any] | None]
"""The seal to put in place of that of a bucket's id and a key; None to leave it as it is.

Both must open the content: who reads while it is changed may have got hold of either.
"""

_Put = Callable[[Connection, Iterable[Sealed]], None]

_BATCH = 200


@dataclass(frozen=True)
class Resealed:
    """How far a walk came: how many seals it has seen, and how many it has put others for."""

    seen: int = 0
    changed: int = 0

    def __add__(self, other: "Resealed") -> "Resealed":
        return Resealed(self.seen + other.seen, self.changed + other.changed)


def reseal(store: Store, renew: Renew) -> Iterator[Resealed]:
    """Walk over everything that is sealed, and say how far it is after every batch.

    What is written while it runs may be missed, unless it comes with its final seal.

    Raises:
        StoreBusy, StoreFull.
        Exception: whatever ``renew`` raises; all batches before are done then.
    """
    done = Resealed()
    for bucket in store.every_bucket():
        try:
            for batch in _bucket(store, bucket, renew):
                done += batch
                yield done
        except faults.NoSuchBucket:
            continue  # it was removed meanwhile


def _bucket(store: Store, bucket: Bucket, renew: Renew) -> Iterator[Resealed]:
    """Uploads first: one that is completed meanwhile is then met as a version."""
    for uploads in _uploads(store, bucket):
        yield _batch(store, bucket, renew, uploads, seals.put_on_uploads)
    for versions in _versions(store, bucket):
        yield _batch(store, bucket, renew, versions, seals.put_on_versions)


def _versions(store: Store, bucket: Bucket) -> Iterator[list[Sealed]]:
    after = None
    while True:
        with store.index.look() as connection:
            batch = seals.of_versions(connection, bucket, after, _BATCH)
        if not batch:
            return
        yield batch
        after = batch[-1].key.encode(), batch[-1].position


def _uploads(store: Store, bucket: Bucket) -> Iterator[list[Sealed]]:
    after = None
    while found := store.scan_uploads(bucket, after, _BATCH):
        after = found[-1].key.encode(), found[-1].id
        yield [
            Sealed(each.id, each.key, 0, each.draft.seal)
            for each in found
            if each.draft.seal is not None
        ]


def _batch(
    store: Store, bucket: Bucket, renew: Renew, batch: Sequence[Sealed], put: _Put
) -> Resealed:
    fresh = ((each, renew(bucket.id, each.key, each.seal)) for each in batch)
    changed = [each._replace(seal=seal) for each, seal in fresh if seal is not None]

    def work(connection: Connection) -> None:
        with held(connection, bucket.id, store.default_quota):
            put(connection, changed)

    if changed:
        store.index.change(work)
    return Resealed(len(batch), len(changed))
