"""A bucket held for a change: its row is locked, its counters are kept, the quota is observed.

The quota is an account's, and decided with the commit: where one applies, the account's row is
locked too, so that two changes of different buckets cannot both take the last of it. Whoever holds
an account waits for nothing else, so no circle can form.
"""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, bindparam, exc, func, insert, select, update

from s3store import faults
from s3store.index import outbox, rows
from s3store.index.direct import Statement
from s3store.records import Quota, Usage
from s3store.tables import AccountRow, BucketRow
from s3store.witness import Change, Kind, Message, present

_HELD = Statement(
    select(*rows.BUCKET, BucketRow.sequence, BucketRow.objects, BucketRow.bytes)
    .where(BucketRow.id == bindparam("held"))
    .with_for_update()
)
_SETTLE = Statement(
    update(BucketRow)
    .where(BucketRow.id == bindparam("held"))
    .values(sequence=bindparam("sequence"), objects=bindparam("objects"), bytes=bindparam("bytes"))
)
_SUM = Statement(
    select(
        func.count(BucketRow.id).label("buckets"),
        func.coalesce(func.sum(BucketRow.objects), 0).label("objects"),
        func.coalesce(func.sum(BucketRow.bytes), 0).label("bytes"),
    ).where(BucketRow.owner == bindparam("whose"))
)
_ACCOUNT = select(AccountRow.own, AccountRow.buckets, AccountRow.objects, AccountRow.bytes).where(
    AccountRow.owner == bindparam("whose")
)
_LIMITS = Statement(_ACCOUNT)
_HOLD = Statement(_ACCOUNT.with_for_update())


class Ledger:
    """The books of a bucket whose row this transaction holds."""

    def __init__(self, connection: Connection, row: Any, default: Quota) -> None:
        """Take the bucket's row, and the quota of accounts that have none of their own."""
        self.connection = connection
        self.bucket_id: int = row.b_id
        self.owner: str = row.b_owner
        self.versioning: str = row.b_versioning
        self._row = row
        self._default = default
        self._sequence: int = row.sequence
        self._objects, self._bytes = row.objects, row.bytes
        self._more_objects = self._more_bytes = 0
        self._messages: list[Message] = []

    def turn(self) -> int:
        """The number of the next change in the bucket."""
        self._sequence += 1
        return self._sequence

    def count(self, objects: int, size: int) -> None:
        """Note that objects and bytes came, or went where negative."""
        self._more_objects += objects
        self._more_bytes += size

    def saw(
        self, kind: Kind, key: str, version_id: str, size: int, etag: str, marker: bool
    ) -> None:
        """Let whoever watches this call say what is to be told of a change of a version."""
        witness = present()
        if witness is not None:
            change = Change(kind, key, version_id, size, etag, marker, self.turn())
            self._messages += witness(rows.bucket(self._row), change)

    def settle(self) -> None:
        """Write the counters, and hold them against the quota where they grew.

        What is to be told of the changes goes into the outbox.

        Raises:
            QuotaExceeded.
        """
        values = {
            "sequence": self._sequence,
            "objects": self._objects + self._more_objects,
            "bytes": self._bytes + self._more_bytes,
        }
        _SETTLE.run(self.connection, {"held": self.bucket_id, **values})
        if self._more_objects > 0 or self._more_bytes > 0:
            self._observe(self._more_objects, self._more_bytes)
        if self._messages:
            outbox.add(self.connection, self._messages, datetime.now(UTC))

    def _observe(self, objects: int, size: int) -> None:
        """Hold the counters as they are now against the quota, for what grew of them."""
        quota = limits(self.connection, self.owner, self._default)
        if (objects <= 0 or quota.objects is None) and (size <= 0 or quota.bytes is None):
            return
        quota = hold(self.connection, self.owner, self._default)
        has = usage(self.connection, self.owner)
        if objects > 0 and quota.objects is not None and has.objects > quota.objects:
            raise faults.QuotaExceeded(f"The account may have {quota.objects} objects.")
        if size > 0 and quota.bytes is not None and has.bytes > quota.bytes:
            raise faults.QuotaExceeded(f"The account may have {quota.bytes} bytes.")


@contextmanager
def held(connection: Connection, bucket_id: int, default: Quota) -> Iterator[Ledger]:
    """Hold a bucket to the end of the transaction, and keep its books.

    Raises:
        NoSuchBucket, QuotaExceeded.
    """
    row = _HELD.one(connection, {"held": bucket_id})
    if row is None:
        raise faults.NoSuchBucket("The bucket was removed meanwhile.")
    ledger = Ledger(connection, row, default)
    yield ledger
    ledger.settle()


def expect(connection: Connection, owner: str, size: int, default: Quota) -> None:
    """Refuse early what is sure to be refused at the end.

    Args:
        size: how many bytes more it will be.

    Raises:
        QuotaExceeded.
    """
    quota = limits(connection, owner, default)
    if quota.bytes is not None and usage(connection, owner).bytes + size > quota.bytes:
        raise faults.QuotaExceeded(f"The account may have {quota.bytes} bytes.")


def usage(connection: Connection, owner: str) -> Usage:
    """What an account has."""
    has = _SUM.one(connection, {"whose": owner})
    return Usage(has.buckets, int(has.objects), int(has.bytes))


def limits(connection: Connection, owner: str, default: Quota) -> Quota:
    """What an account may have."""
    return _quota(_LIMITS.one(connection, {"whose": owner}), default)


def hold(connection: Connection, owner: str, default: Quota) -> Quota:
    """Lock an account to the end of the transaction; what it may have."""
    return _quota(_HOLD.one(connection, {"whose": owner}), default)


def _quota(row: Any, default: Quota) -> Quota:
    return default if row is None or not row.own else Quota(row.buckets, row.objects, row.bytes)


def open_account(connection: Connection, owner: str) -> None:
    """Make sure that an account has a row to hold; two processes may be at it at once."""
    if _LIMITS.one(connection, {"whose": owner}) is None:
        with suppress(exc.IntegrityError), connection.begin_nested():
            connection.execute(insert(AccountRow).values(owner=owner, own=0))


def set_quota(connection: Connection, owner: str, quota: Quota | None) -> None:
    """Give an account a quota of its own, or with None the default again."""
    open_account(connection, owner)
    quota, own = quota or Quota(), int(quota is not None)
    values = {"buckets": quota.buckets, "objects": quota.objects, "bytes": quota.bytes}
    connection.execute(
        update(AccountRow).where(AccountRow.owner == owner).values(own=own, **values)
    )
