"""Deleting objects and versions, and changing what may be changed of them."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection

from s3store import faults, locks
from s3store.core import Core, now
from s3store.index import lookups, rows, versions
from s3store.index.ledger import Ledger
from s3store.index.versions import Gone
from s3store.reading import real
from s3store.records import ENABLED, Bucket, Condition, Deleted, Doomed, Lock, Version
from s3store.witness import Kind

_Outcome = tuple[Deleted, list[Gone]] | faults.StoreFault


class Changing(Core):
    """What happens to objects after they were written."""

    def delete(
        self,
        bucket: Bucket,
        key: str,
        version_id: str | None = None,
        *,
        condition: Condition | None = None,
        bypass: bool = False,
        owner: str = "",
    ) -> Deleted:
        """Delete an object, which with versioning adds a delete marker, or one version of it.

        Args:
            bypass: governance retention is passed over.
            owner: of the delete marker; the bucket's owner when empty.

        Raises:
            NoSuchBucket, Locked, ConditionFailed, NoSuchKey (with a condition only).
        """
        doomed = Doomed(key, version_id, condition or Condition())
        outcome = self.delete_all(bucket, [doomed], bypass=bypass, owner=owner)[0]
        if isinstance(outcome, faults.StoreFault):
            raise outcome
        return outcome

    def delete_all(
        self, bucket: Bucket, wanted: Sequence[Doomed], *, bypass: bool = False, owner: str = ""
    ) -> list[Deleted | faults.StoreFault]:
        """Delete many at once.

        Returns:
            For each what was done, or the fault for which it stays.

        Raises:
            NoSuchBucket.
        """

        def delete(connection: Connection) -> list[_Outcome]:
            with self._books(connection, bucket.id) as books:
                return [_remove(connection, books, each, owner, bypass) for each in wanted]

        outcomes: list[Deleted | faults.StoreFault] = []
        for outcome in self.index.change(delete):
            if isinstance(outcome, faults.StoreFault):
                outcomes.append(outcome)
            else:
                outcomes.append(outcome[0])
                self._clear(outcome[1])
        return outcomes

    def set_tags(
        self, bucket: Bucket, key: str, version_id: str | None, tags: Mapping[str, str]
    ) -> Version:
        """Replace the tags of a version.

        Raises:
            As :meth:`head`.
        """
        return self._alter(bucket, key, version_id, lambda *_: {"tags": dict(tags) or None})

    def set_acl(self, bucket: Bucket, key: str, version_id: str | None, acl: Any) -> Version:
        """Replace the access control list, a JSON document, of a version.

        Raises:
            As :meth:`head`.
        """
        return self._alter(bucket, key, version_id, lambda *_: {"acl": acl})

    def set_lock(
        self,
        bucket: Bucket,
        key: str,
        version_id: str | None,
        lock: Lock | Callable[[Lock], Lock],
        *,
        bypass: bool = False,
    ) -> Version:
        """Retain or hold a version, or set it free.

        Args:
            lock: the new lock, or what makes it of the present one in the same transaction, for
                those who change only half of it.

        Raises:
            As :meth:`head`; Locked: the change is not allowed; WrongBucketState.
        """

        def change(books: Ledger, version: Version) -> dict[str, Any]:
            new = lock if isinstance(lock, Lock) else lock(version.lock)
            if new != locks.FREE and books.versioning != ENABLED:
                raise faults.WrongBucketState("Object lock needs a bucket with versioning.")
            locks.check_change(version.lock, new, now(), bypass)
            return rows.lock_values(new)

        return self._alter(bucket, key, version_id, change)

    def _alter(
        self,
        bucket: Bucket,
        key: str,
        version_id: str | None,
        change: Callable[[Ledger, Version], dict[str, Any]],
    ) -> Version:
        def alter(connection: Connection) -> Version:
            with self._books(connection, bucket.id) as books:
                _, found = lookups.find(connection, bucket.id, key.encode(), version_id)
                version = real(found, key, version_id)
                versions.alter(connection, version, change(books, version))
                _, after = lookups.find(connection, bucket.id, key.encode(), version_id)
                altered = real(after, key, version_id)
                books.saw(
                    Kind.ALTERED,
                    key,
                    altered.version_id,
                    altered.size,
                    altered.etag,
                    altered.marker,
                )
                return altered

        return self.index.change(alter)


def _remove(
    connection: Connection, books: Ledger, doomed: Doomed, owner: str, bypass: bool
) -> _Outcome:
    """Remove one of many: a refusal, which has changed nothing yet, is that one's outcome."""
    try:
        return versions.remove(connection, books, doomed, owner, now(), bypass)
    except (faults.ConditionFailed, faults.NoSuchKey, faults.Locked) as fault:
        return fault
