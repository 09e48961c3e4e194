"""Multipart uploads: begun, filled part by part in any order, completed or aborted."""

from collections.abc import Callable, Collection, Iterable
from uuid import uuid4

from sqlalchemy import Connection

from s3store import faults, locks, multipart
from s3store.checksums import Digests
from s3store.core import Check, Core, now
from s3store.index import ledger, lookups, uploads, versions
from s3store.opened import Opened
from s3store.records import (
    ENABLED,
    Bucket,
    Checksum,
    Draft,
    Part,
    Upload,
)
from s3store.sealing import Cipher
from s3store.writing import sealed


class Uploads(Core):
    """The store's multipart uploads."""

    def create_upload(
        self,
        bucket: Bucket,
        key: str,
        draft: Draft | None = None,
        *,
        checksum: str | None = None,
        checksum_type: str = "",
        initiator: str = "",
    ) -> Upload:
        """Begin an upload.

        Args:
            draft: all that is said of the version to come.
            checksum: the algorithm whose digests are kept; the store's own choice when absent.
            checksum_type: ``FULL_OBJECT`` or ``COMPOSITE``; that usual with the algorithm if empty.

        Raises:
            NoSuchBucket, WrongBucketState: a lock needs versioning.
        """
        upload = Upload(
            id=uuid4().hex,
            bucket_id=bucket.id,
            key=key,
            draft=draft or Draft(),
            checksum=checksum,
            checksum_type=checksum_type or multipart.default_type(checksum),
            initiator=initiator,
            started=now(),
        )

        def begin(connection: Connection) -> None:
            with self._books(connection, bucket.id) as books:
                if upload.draft.lock != locks.FREE and books.versioning != ENABLED:
                    raise faults.WrongBucketState("Object lock needs a bucket with versioning.")
                uploads.begin(connection, books, upload)

        self.index.change(begin)
        return self.upload(bucket, key, upload.id)

    def upload(self, bucket: Bucket, key: str, id: str) -> Upload:
        """An upload by its id: an open one, or one completed not long ago.

        Raises:
            NoSuchUpload.
        """
        with self.index.look() as connection:
            return uploads.find(connection, bucket.id, key, id)

    def put_part(
        self,
        upload: Upload,
        number: int,
        body: Iterable[bytes],
        *,
        digests: Collection[str] = (),
        check: Check | None = None,
        cipher: Cipher | None = None,
        size: int | None = None,
    ) -> Part:
        """Store a part, in place of an earlier one of that number.

        Args:
            body, digests, check, size: as for :meth:`Writing.put`.
            cipher: that of the seal in the upload's draft, when it has one.

        Raises:
            InvalidPartNumber, NoSuchUpload, NoSuchBucket, QuotaExceeded, StoreFull, StoreBusy,
            UploadAborted, and whatever ``body`` and ``check`` raise.
        """
        if not 1 <= number <= multipart.MOST_PARTS:
            raise faults.InvalidPartNumber("A part's number must be 1 to 10000.")
        if (cipher is None) != (upload.draft.seal is None):
            raise ValueError("the parts of a sealed upload, and no others, come with its cipher")
        algorithm = upload.checksum or multipart.DEFAULT_CHECKSUM
        taken = Digests({"md5", algorithm, *digests})
        with self._arrival(self._begin_part(upload, size)) as name:
            stored = self.blobs.write(name, sealed(taken.taking(body), cipher, number))
            if check:
                check(taken)
            self.blobs.keep(name)
            etag = uuid4().hex if upload.draft.opaque_etag else taken["md5"].hex()
            kept = Checksum(algorithm, taken[algorithm])
            part = Part(name, number, taken.size, etag, kept, now(), stored)
            replaced = self.index.change(lambda c: self._keep_part(c, upload, part))
        self.blobs.discard(*replaced)
        return part

    def copy_part(
        self,
        upload: Upload,
        number: int,
        source: Opened,
        start: int,
        length: int,
        *,
        source_cipher: Cipher | None = None,
        cipher: Cipher | None = None,
    ) -> Part:
        """Store a range of another object's content, which lies within it, as a part.

        Raises:
            As :meth:`put_part`; Damaged.
        """
        body = source.read(start, length, source_cipher)
        return self.put_part(upload, number, body, cipher=cipher, size=length)

    def parts(
        self, upload: Upload, *, after: int = 0, limit: int = 1000
    ) -> tuple[list[Part], int | None]:
        """Some parts of an open upload by number, and the last one's number if more follow.

        Raises:
            NoSuchUpload.
        """
        with self.index.look() as connection:
            uploads.check_open(connection, upload)
            found = uploads.parts(connection, upload.id, after, limit + 1)
        page = found[:limit]
        return page, page[-1].number if page and len(found) > limit else None

    def abort_upload(self, upload: Upload) -> None:
        """Give an upload up; parts on their way to it will be refused.

        Raises:
            NoSuchUpload, NoSuchBucket.
        """

        def abort(connection: Connection) -> list[str]:
            with self._books(connection, upload.bucket_id) as books:
                return uploads.abort(connection, books, upload)

        self.blobs.discard(*self.index.change(abort))

    def _begin_part(self, upload: Upload, size: int | None) -> Callable[[Connection, str], None]:
        def begin(connection: Connection, _name: str) -> None:
            uploads.check_open(connection, upload)
            if size is not None:
                there, _ = lookups.find(connection, upload.bucket_id, b"", None)
                ledger.expect(connection, there.owner, size, self.default_quota)

        return begin

    def _keep_part(self, connection: Connection, upload: Upload, part: Part) -> list[str]:
        with self._books(connection, upload.bucket_id) as books:
            versions.arrive(connection, part.id)
            return uploads.put_part(connection, books, upload, part)
