"""Buckets, what is said about them, and what their owners have and may have."""

from collections.abc import Mapping
from typing import Any

from s3store.core import Core, now
from s3store.index import buckets, ledger
from s3store.records import Bucket, Quota, Usage


class Buckets(Core):
    """The store's buckets and accounts."""

    def create_bucket(
        self,
        name: str,
        owner: str,
        *,
        versioning: str = "",
        settings: Mapping[str, Any] | None = None,
    ) -> Bucket:
        """Make a bucket. The name is the caller's to check.

        Raises:
            BucketExists, QuotaExceeded.
        """
        return self.index.change(
            lambda c: buckets.add(c, name, owner, now(), versioning, settings, self.default_quota)
        )

    def bucket(self, name: str) -> Bucket:
        """Look a bucket up.

        Raises:
            NoSuchBucket.
        """
        return buckets.ask(self.index, name)

    def buckets(self, owner: str) -> list[Bucket]:
        """All buckets of an owner, by name."""
        with self.index.look() as connection:
            return buckets.of_owner(connection, owner)

    def every_bucket(self) -> list[Bucket]:
        """All buckets of all owners, by name."""
        with self.index.look() as connection:
            return buckets.every(connection)

    def delete_bucket(self, bucket: Bucket) -> None:
        """Remove a bucket without versions; its open multipart uploads go with it.

        Raises:
            NoSuchBucket, BucketNotEmpty.
        """
        files = self.index.change(lambda c: buckets.remove(c, bucket, self.default_quota))
        self.blobs.discard(*files)

    def set_versioning(self, bucket: Bucket, state: str) -> Bucket:
        """Enable or suspend versioning; returns the bucket as it is then.

        Raises:
            NoSuchBucket, WrongBucketState.
        """
        return self.index.change(
            lambda c: buckets.set_versioning(c, bucket, state, self.default_quota)
        )

    def set_setting(self, bucket: Bucket, name: str, document: Any) -> Bucket:
        """Set a JSON document, or with None remove it; returns the bucket as it is then.

        Raises:
            NoSuchBucket, WrongBucketState: ``lock`` needs versioning, and stays.
        """
        return self.index.change(
            lambda c: buckets.set_setting(c, bucket, name, document, self.default_quota)
        )

    def usage(self, owner: str) -> Usage:
        """What an account has."""
        with self.index.look() as connection:
            return ledger.usage(connection, owner)

    def quota(self, owner: str) -> Quota:
        """What an account may have."""
        with self.index.look() as connection:
            return ledger.limits(connection, owner, self.default_quota)

    def set_quota(self, owner: str, quota: Quota | None) -> None:
        """Give an account a quota of its own, or with None what all may have."""
        self.index.change(lambda c: ledger.set_quota(c, owner, quota))
