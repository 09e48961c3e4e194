"""Completing multipart uploads: choosing the parts, and making one object of them."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from sqlalchemy import Connection

from s3store import faults, multipart
from s3store.core import Core
from s3store.index import uploads, versions
from s3store.index.versions import Gone
from s3store.records import Choice, Condition, Part, Upload, Version
from s3store.writing import version_of

_TRIES = 16


class Completing(Core):
    """How an upload becomes an object."""

    def complete_upload(
        self,
        upload: Upload,
        choices: Sequence[Choice],
        *,
        condition: Condition | None = None,
        size: int | None = None,
        checksum: bytes | None = None,
    ) -> Version:
        """Make an object of the parts chosen; the others are removed.

        One who asks again for what was completed already gets the same answer.

        Args:
            condition: what must hold of the current object; decided with the commit.
            size: of the object in bytes, as the caller expects it.
            checksum: its digest, as the caller expects it.

        Raises:
            NoSuchUpload, NoSuchBucket, InvalidPartOrder, InvalidPart, PartTooSmall, WrongSize,
            WrongChecksum, ConditionFailed, NoSuchKey, QuotaExceeded, WrongBucketState, Locked.
        """

        for _ in range(_TRIES):
            told, there = self._told(upload)
            if told is not None:
                return told
            used = self._chosen(upload, there, choices)
            made = _completed(upload, used)
            _check(made, size, checksum)
            complete = partial(self._complete, upload, there, used, made, condition or Condition())
            outcome = self.index.change(complete)
            if outcome is not None:
                version, gone, unused = outcome
                self.blobs.discard(*unused)
                self._clear(gone)
                return version
        raise faults.StoreBusy("Parts of the upload keep changing.")

    def _told(self, upload: Upload) -> tuple[Version | None, list[Part]]:
        """What the completer of an upload was told, or its parts."""
        with self.index.look() as connection:
            told = uploads.answer(connection, upload)
            return told, [] if told else uploads.parts(connection, upload.id)

    def _chosen(
        self, upload: Upload, there: Sequence[Part], choices: Sequence[Choice]
    ) -> list[Part]:
        """As :func:`multipart.chosen`, unless the upload is just being ended by somebody else."""
        try:
            by_number = {part.number: part for part in there}
            return multipart.chosen(by_number, choices, self._least_part)
        except faults.StoreFault:
            with self.index.look() as connection:
                uploads.check_open(connection, upload)
            raise

    def _complete(
        self,
        upload: Upload,
        there: Sequence[Part],
        used: Sequence[Part],
        made: Version,
        condition: Condition,
        connection: Connection,
    ) -> tuple[Version, list[Gone], list[str]] | None:
        """Commit a completion that was worked out beforehand; None when the parts have changed.

        Thousands of parts take their time, and nobody else can write meanwhile.
        """
        with self._books(connection, upload.bucket_id) as books:
            told = uploads.answer(connection, upload)
            if told is not None:
                return told, [], []
            if uploads.part_ids(connection, upload.id) != [part.id for part in there]:
                return None
            kept, gone = versions.add(connection, books, made, condition)
            numbers = {part.number for part in used}
            unused = [part for part in there if part.number not in numbers]
            uploads.complete(connection, books, kept, unused)
            return kept, gone, [part.id for part in unused]


def _completed(upload: Upload, parts: Sequence[Part]) -> Version:
    size = sum(part.size for part in parts)
    sum_ = multipart.checksum(parts, upload.checksum_type)
    made = version_of(
        upload.id,
        upload.bucket_id,
        upload.key,
        upload.draft,
        multipart.etag(parts),
        sum_,
        size,
    )
    return replace(made, parts=len(parts), stored=sum(part.stored for part in parts))


def _check(version: Version, size: int | None, checksum: bytes | None) -> None:
    if size not in (None, version.size):
        raise faults.WrongSize(f"The object has {version.size} bytes.")
    if checksum not in (None, version.checksum.digest):
        raise faults.WrongChecksum("The object has another checksum.")
