"""Buckets and objects: the whole of what the store does for its callers.

How an object comes to be, and why a crash at any instant loses nothing and shows nothing half::

    row "uploading" → file incoming/<id>, digests on the way → the caller's check of them
      → fsync → rename to blobs/ → fsync of the folder → one transaction: row "complete", the
      former version's row gone → the former version's file removed

Before the last transaction the object is as it was; after it the new one is complete and durable.
Files and rows that a crash leaves over are invisible, and the sweep removes them. Deleting goes the
other way round: the row first, the file later. A reader that has a file open keeps reading it.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

from s3store import faults, listing
from s3store.blobs import Blobs
from s3store.checksums import Digests
from s3store.index import Index
from s3store.records import (
    Attributes,
    Bucket,
    Checksum,
    Condition,
    Entry,
    Opened,
    Page,
    Version,
)

Check = Callable[[Digests], None]
"""Looks at an upload's digests before anything is made visible; raises to refuse the upload."""

DEFAULT_CHECKSUM = "crc64nvme"

_PIECE = 1 << 20
_TRIES = 16


class Store:
    """One object store. Any number of threads and processes may use the same folder at once."""

    def __init__(self, root: Path, index_url: str | None = None) -> None:
        """Open a store, making it when it is absent.

        Its index is connected to on the first call, so a store may be made before a fork.

        Args:
            root: folder of the content files.
            index_url: SQLAlchemy URL of the index; an SQLite file in ``root`` when absent.
        """
        self.blobs = Blobs(root)
        self.index = Index(index_url or f"sqlite:///{root.absolute() / 'index.sqlite'}")

    def close(self) -> None:
        """Give the index's connections back."""
        self.index.close()

    # -- buckets ---------------------------------------------------------------------------------

    def create_bucket(self, name: str, owner: str) -> Bucket:
        """Make a bucket. The name is the caller's to check.

        Raises:
            BucketExists.
        """
        return self.index.add_bucket(name, owner, _now())

    def bucket(self, name: str) -> Bucket:
        """Look a bucket up.

        Raises:
            NoSuchBucket.
        """
        return self.index.bucket(name)

    def buckets(self, owner: str) -> list[Bucket]:
        """All buckets of an owner, by name."""
        return self.index.buckets(owner)

    def delete_bucket(self, bucket: Bucket) -> None:
        """Remove an empty bucket. Uploads still under way do not keep it; they will fail.

        Raises:
            NoSuchBucket, BucketNotEmpty.
        """
        self.index.remove_bucket(bucket)

    # -- objects ---------------------------------------------------------------------------------

    def put(
        self,
        bucket: Bucket,
        key: str,
        body: Iterable[bytes],
        attributes: Attributes | None = None,
        *,
        checksum: str = DEFAULT_CHECKSUM,
        digests: Collection[str] = (),
        check: Check | None = None,
        condition: Condition | None = None,
    ) -> Version:
        """Store an object, replacing the one its key shows.

        Args:
            body: the content in pieces; what it raises ends the upload and leaves no trace.
            checksum: the algorithm whose digest is kept with the object.
            digests: further algorithms that ``check`` wants to see. MD5 is always taken.
            check: called with the digests when all of ``body`` was read.
            condition: what must hold of the current object, when the upload begins and again in
                the transaction that makes it visible.

        Raises:
            NoSuchBucket, ConditionFailed, NoSuchKey, StoreFull, StoreBusy, UploadAborted, and
            whatever ``body`` and ``check`` raise.
        """
        condition = condition or Condition()
        with self._upload(bucket, key, condition) as name:
            taken = self.blobs.write(name, body, {"md5", checksum, *digests})
            if check:
                check(taken)
            self.blobs.keep(name)
            version = Version(
                id=name,
                bucket_id=bucket.id,
                key=key,
                size=taken.size,
                etag=taken["md5"].hex(),
                modified=_now(),
                checksum=Checksum(checksum, taken[checksum]),
                attributes=attributes or Attributes(),
            )
            replaced = self.index.complete(version, condition)
        self._remove(replaced)
        return version

    def copy(
        self,
        source: Opened,
        bucket: Bucket,
        key: str,
        attributes: Attributes | None = None,
        *,
        checksum: str | None = None,
        condition: Condition | None = None,
    ) -> Version:
        """Store a version's content once more, under another key or with other attributes.

        Where neither the ETag nor the checksum has to be computed anew the file only gets a second
        name, so that even a huge object is copied at once.

        Args:
            attributes: those of the source when absent.
            checksum: algorithm of the copy's checksum; that of the source when absent.

        Raises:
            As :meth:`put`.
        """
        old = source.version
        attributes = attributes or old.attributes
        wanted = checksum or old.checksum.algorithm
        condition = condition or Condition()
        if wanted == old.checksum.algorithm and "-" not in old.etag:
            with self._upload(bucket, key, condition) as name:
                if self.blobs.link(old.id, name):
                    version = replace(
                        old,
                        id=name,
                        bucket_id=bucket.id,
                        key=key,
                        modified=_now(),
                        attributes=attributes,
                    )
                    replaced = self.index.complete(version, condition)
                    self._remove(replaced)
                    return version
        body = iter(lambda: source.file.read(_PIECE), b"")
        return self.put(bucket, key, body, attributes, checksum=wanted, condition=condition)

    def head(self, bucket: Bucket, key: str) -> Version:
        """The version a key shows.

        Raises:
            NoSuchKey.
        """
        version = self.index.latest(bucket, key.encode())
        if version is None:
            raise faults.NoSuchKey(f"There is no object {key}.")
        return version

    def open(self, bucket: Bucket, key: str) -> Opened:
        """The version a key shows, with its content; the caller closes it.

        Between our look at the row and our opening of the file the object may be replaced, and its
        file removed; then there is a newer row to look at.

        Raises:
            NoSuchKey, Damaged.
        """
        seen = ""
        for _ in range(_TRIES):
            version = self.head(bucket, key)
            if version.id == seen:
                break
            seen = version.id
            with suppress(FileNotFoundError):
                return Opened(version, self.blobs.open(version.id))
        raise faults.Damaged(f"The content of {key} is missing.")

    def delete(self, bucket: Bucket, key: str, condition: Condition | None = None) -> bool:
        """Remove the object a key shows; False when there was none.

        Raises:
            NoSuchBucket, ConditionFailed, NoSuchKey (with a condition only).
        """
        outcome = self.delete_all(bucket, [(key, condition or Condition())])[0]
        if isinstance(outcome, faults.StoreFault):
            raise outcome
        return outcome

    def delete_all(
        self, bucket: Bucket, wanted: Iterable[tuple[str, Condition]]
    ) -> list[bool | faults.StoreFault]:
        """Remove many objects at once.

        Returns:
            For each key whether there was an object, or the fault for which it stays.

        Raises:
            NoSuchBucket.
        """
        pairs = [(key.encode(), condition) for key, condition in wanted]
        outcomes = self.index.remove(bucket, pairs)
        self._remove(outcome for outcome in outcomes if isinstance(outcome, str))
        return [o if isinstance(o, faults.StoreFault) else o is not None for o in outcomes]

    def list(
        self,
        bucket: Bucket,
        *,
        prefix: str = "",
        delimiter: str = "",
        after: bytes | None = None,
        limit: int = 1000,
    ) -> Page:
        """One page of the objects in byte order of their keys; see :func:`listing.page`."""

        def scan(low: bytes, included: bool, high: bytes | None, most: int) -> Sequence[Entry]:
            return self.index.scan(bucket, low, included, high, most)

        return listing.page(scan, prefix.encode(), delimiter.encode(), after, limit)

    # -- the life of an upload -------------------------------------------------------------------

    @contextmanager
    def _upload(self, bucket: Bucket, key: str, condition: Condition) -> Iterator[str]:
        """Announce an upload under a new name; whatever goes wrong inside undoes it."""
        name = uuid4().hex
        self.index.begin(name, bucket, key.encode(), condition, _now())
        try:
            yield name
        except BaseException:
            # When the index cannot be asked now, the sweep does this later.
            with suppress(faults.StoreBusy):
                if self.index.abandon(name):
                    self.blobs.remove(name)
            raise

    def _remove(self, names: Iterable[str]) -> None:
        for name in names:
            self.blobs.remove(name)


def _now() -> datetime:
    """The time as the index keeps it: to the millisecond."""
    now = datetime.now(UTC)
    return now.replace(microsecond=now.microsecond // 1000 * 1000)
