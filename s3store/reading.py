"""Finding versions and opening their content."""

import threading
from collections.abc import Sequence
from contextlib import suppress
from functools import cached_property

from s3store import faults
from s3store.core import Core
from s3store.index import lookups, uploads
from s3store.opened import Opened, Span
from s3store.records import Bucket, Part, Version

_TRIES = 16
_PARTS_KEPT = 20_000


class Reading(Core):
    """What is read of objects."""

    @cached_property
    def _layouts(self) -> "_Layouts":
        return _Layouts(_PARTS_KEPT)

    def find(self, bucket: str, key: str, version_id: str | None = None) -> tuple[Bucket, Version]:
        """A bucket by its name and a version in it, in one question to the index.

        Raises:
            NoSuchBucket, and as :meth:`head`.
        """
        there, version, _ = self._find(bucket, key, version_id)
        return there, version

    def head(self, bucket: Bucket, key: str, version_id: str | None = None) -> Version:
        """The version a key shows, or the one asked for by its public id.

        Raises:
            NoSuchKey, NoSuchVersion, IsDeleteMarker, NoSuchBucket.
        """
        return self._find(bucket.id, key, version_id)[1]

    def open(self, bucket: Bucket, key: str, version_id: str | None = None) -> Opened:
        """As :meth:`head`, with the content; the caller closes it.

        Raises:
            As :meth:`head`; Damaged.
        """
        return self._open(bucket.id, key, version_id)[1]

    def find_open(
        self, bucket: str, key: str, version_id: str | None = None
    ) -> tuple[Bucket, Opened]:
        """As :meth:`find`, with the content; the caller closes it.

        Raises:
            As :meth:`find`; Damaged.
        """
        return self._open(bucket, key, version_id)

    def parts_of(self, version: Version) -> list[Part]:
        """The parts a version was uploaded in, by number; none when it came in one."""
        if not version.parts:
            return []
        with self.index.look() as connection:
            return uploads.parts(connection, version.id)

    def _find(
        self, bucket: str | int, key: str, version_id: str | None
    ) -> tuple[Bucket, Version, bytes | None]:
        there, version, body = lookups.ask(self.index, bucket, key.encode(), version_id)
        return there, real(version, key, version_id), body

    def _open(self, bucket: str | int, key: str, version_id: str | None) -> tuple[Bucket, Opened]:
        """Find a version and open its file.

        Between our look at the row and our opening of the file the object may be replaced, and its
        file removed; then there is a newer row to look at.
        """
        seen = ""
        for _ in range(_TRIES):
            there, version, body = self._find(bucket, key, version_id)
            if version.id == seen:
                break
            seen = version.id
            with suppress(FileNotFoundError):
                return there, self._opened(version, body)
        raise faults.Damaged(f"The content of {key} is missing.")

    def _opened(self, version: Version, body: bytes | None) -> Opened:
        if body is not None:
            return Opened(version, body, (), None, self.blobs.open)
        if not version.parts:
            span = Span(version.id, 0, version.size, 0)
            return Opened(version, None, [span], self.blobs.open(version.id), self.blobs.open)
        spans = self._layouts.get(version.id)
        if spans is None:
            spans = self._layouts.put(version.id, _spans(self.parts_of(version)))
        if not spans:
            raise FileNotFoundError
        return Opened(version, None, spans, self.blobs.hold(spans[0].name), self.blobs.open)


def real(version: Version | None, key: str, version_id: str | None) -> Version:
    """A version that was looked for, if it is there and no delete marker.

    Raises:
        NoSuchKey, NoSuchVersion, IsDeleteMarker.
    """
    if version is None and version_id is None:
        raise faults.NoSuchKey(f"There is no object {key}.")
    if version is None:
        raise faults.NoSuchVersion(f"There is no such version of {key}.")
    if version.marker:
        raise faults.IsDeleteMarker(version.version_id, version.latest, version.modified)
    return version


class _Layouts:
    """Where the parts of objects lie, of those read last; that never changes.

    Ranges of a large object are asked for one after the other, and each time its parts, up to ten
    thousand, would be looked up.
    """

    def __init__(self, most: int) -> None:
        """Take how many parts of all objects together are kept."""
        self._most, self._kept = most, 0
        self._spans: dict[str, list[Span]] = {}
        self._mutex = threading.Lock()

    def get(self, name: str) -> list[Span] | None:
        """Those of a version, if they are kept."""
        return self._spans.get(name)

    def put(self, name: str, spans: list[Span]) -> list[Span]:
        """Keep those of a version, and forget as many of the ones kept longest as needed."""
        with self._mutex:
            if spans and name not in self._spans:
                self._spans[name] = spans
                self._kept += len(spans)
            while self._kept > self._most:
                oldest = next(iter(self._spans))
                self._kept -= len(self._spans.pop(oldest))
        return spans


def _spans(parts: Sequence[Part]) -> list[Span]:
    spans, start = [], 0
    for part in parts:
        spans.append(Span(part.id, start, part.size, part.number))
        start += part.size
    return spans
