"""Writing objects: put and copy."""

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import replace
from itertools import chain
from uuid import uuid4

from sqlalchemy import Connection

from s3store.checksums import Digests
from s3store.core import Check, Core, now
from s3store.index import ledger, lookups, versions
from s3store.index.versions import Gone
from s3store.multipart import DEFAULT_CHECKSUM
from s3store.opened import Opened
from s3store.records import FULL_OBJECT, Bucket, Checksum, Condition, Draft, Version
from s3store.sealing import Cipher

_ANY = Condition()


class Writing(Core):
    """How objects come."""

    def put(
        self,
        bucket: Bucket,
        key: str,
        body: Iterable[bytes],
        draft: Draft | None = None,
        *,
        checksum: str = DEFAULT_CHECKSUM,
        digests: Collection[str] = (),
        check: Check | None = None,
        condition: Condition | None = None,
        size: int | None = None,
    ) -> Version:
        """Store an object: a new version, or where there is no versioning one in its place.

        Args:
            body: the content in pieces; what it raises ends the upload and leaves no trace.
            draft: all that is said of it.
            checksum: the algorithm whose digest is kept with the object.
            digests: further algorithms that ``check`` wants to see. MD5 is always taken.
            check: called with the digests when all of ``body`` was read.
            condition: what must hold of the current object, decided with the commit; for a content
                that is not small it is looked at before the body is read, too.
            size: in bytes, if it is known: then a quota it exceeds is found early.

        Raises:
            NoSuchBucket, ConditionFailed, NoSuchKey, QuotaExceeded, StoreFull, StoreBusy,
            UploadAborted, WrongBucketState, Locked, and whatever ``body`` and ``check`` raise.
        """
        draft, condition = draft or Draft(), condition or _ANY
        taken = Digests({"md5", checksum, *digests})
        pieces = taken.taking(body)
        small = _small(pieces, self._inline)

        def finish(name: str, stored: int, inline: bytes | None) -> Version:
            if check:
                check(taken)
            tag = uuid4().hex if draft.opaque_etag else taken["md5"].hex()
            sum_ = Checksum(checksum, taken[checksum])
            made = version_of(name, bucket.id, key, draft, tag, sum_, taken.size)
            made = replace(made, stored=stored, inline=inline is not None)
            return self._commit(made, condition, inline)

        if taken.size <= self._inline:
            kept = b"".join(sealed(small, draft.cipher))
            return finish(uuid4().hex, len(kept), kept)
        with self._arrival(self._begin(bucket, key, condition, size)) as name:
            stored = self.blobs.write(name, sealed(chain(small, pieces), draft.cipher))
            self.blobs.keep(name)
            return finish(name, stored, None)

    def copy(
        self,
        source: Opened,
        bucket: Bucket,
        key: str,
        draft: Draft | None = None,
        *,
        checksum: str | None = None,
        condition: Condition | None = None,
        source_cipher: Cipher | None = None,
    ) -> Version:
        """Store a version's content once more, under another key or with something else said of it.

        Where neither the ETag nor the checksum has to be computed anew the file only gets a second
        name, so that even a huge object is copied at once.

        Args:
            draft: with the source's attributes and tags when absent.
            checksum: algorithm of the copy's checksum; that of the source when absent.
            source_cipher: that of the source's seal, when it has one.

        Raises:
            As :meth:`put`; Damaged.
        """
        old = source.version
        draft = draft or Draft(old.attributes, tags=old.tags)
        wanted = checksum or old.checksum.algorithm
        condition = condition or _ANY
        if wanted == old.checksum.algorithm and _linkable(old, draft):
            with self._arrival(self._begin(bucket, key, condition, old.size)) as name:
                if self.blobs.link(old.id, name):
                    made = version_of(name, bucket.id, key, draft, old.etag, old.checksum, old.size)
                    return self._commit(made, condition, None)
                self._withdraw(name)
        body = source.read(cipher=source_cipher)
        return self.put(
            bucket, key, body, draft, checksum=wanted, condition=condition, size=old.size
        )

    def _begin(
        self, bucket: Bucket, key: str, condition: Condition, size: int | None
    ) -> Callable[[Connection, str], None]:
        """What must hold already when an upload is announced."""

        def begin(connection: Connection, _name: str) -> None:
            now_there, shown = lookups.find(connection, bucket.id, key.encode(), None)
            condition.check(None if shown is None or shown.marker else shown.etag)
            if size is not None:
                replaced = 0 if shown is None or now_there.versioning else shown.size
                ledger.expect(connection, now_there.owner, size - replaced, self.default_quota)

        return begin

    def _commit(self, version: Version, condition: Condition, inline: bytes | None) -> Version:
        def commit(connection: Connection) -> tuple[Version, list[Gone]]:
            with self._books(connection, version.bucket_id) as books:
                if inline is None:
                    versions.arrive(connection, version.id)
                return versions.add(connection, books, version, condition, inline)

        kept, gone = self.index.change(commit)
        self._clear(gone)
        return kept


def _small(pieces: Iterator[bytes], most: int) -> list[bytes]:
    """The first pieces: all of them when there is no more than that in bytes, else some more."""
    taken, size = [], 0
    for piece in pieces:
        taken.append(piece)
        size += len(piece)
        if size > most:
            break
    return taken


def sealed(pieces: Iterable[bytes], cipher: Cipher | None, part: int = 0) -> Iterable[bytes]:
    """What goes to the disk of a content."""
    return pieces if cipher is None else cipher.encrypt(pieces, part)


def version_of(
    name: str, bucket_id: int, key: str, draft: Draft, etag: str, checksum: Checksum, size: int
) -> Version:
    """A version as its writer drafted it; public id and missing owner come with the commit."""
    return Version(
        id=name,
        bucket_id=bucket_id,
        key=key,
        version_id="",
        size=size,
        stored=size,
        etag=etag,
        modified=now(),
        checksum=checksum,
        attributes=draft.attributes,
        owner=draft.owner,
        tags=draft.tags,
        acl=draft.acl,
        lock=draft.lock,
        seal=draft.seal,
    )


def _linkable(old: Version, draft: Draft) -> bool:
    """Whether the content's file, ETag and checksum would be the same."""
    plain = old.seal is None and draft.seal is None and draft.cipher is None
    whole = not old.parts and not old.inline and old.checksum.type == FULL_OBJECT
    return plain and whole and not draft.opaque_etag
