"""Listings, page by page: objects, versions, uploads."""

import builtins
from collections.abc import Callable
from typing import TypeVar

from s3store import listing
from s3store.core import Core
from s3store.index import scans
from s3store.index.scans import Rows
from s3store.listing import Start
from s3store.records import (
    Bucket,
    Entry,
    Marker,
    Page,
    Upload,
    UploadPage,
    Version,
    VersionPage,
)

_T = TypeVar("_T", Version, Upload)


class Listings(Core):
    """What a bucket holds, in byte order of the keys."""

    def list(
        self,
        bucket: Bucket,
        *,
        prefix: str = "",
        delimiter: str = "",
        after: bytes | None = None,
        limit: int = 1000,
    ) -> Page:
        """One page of the objects; see :func:`listing.page`."""
        start = None if after is None else Start(after, included=False)
        with self.index.look() as connection:
            source = Rows(connection, bucket, scans.ENTRIES)
            items, last = listing.page(source, prefix.encode(), delimiter.encode(), start, limit)
        return Page(items, last.key if isinstance(last, Entry) else last)

    def list_versions(
        self,
        bucket: Bucket,
        *,
        prefix: str = "",
        delimiter: str = "",
        after: Marker | None = None,
        limit: int = 1000,
    ) -> VersionPage:
        """One page of all versions and delete markers, those of a key newest first.

        Args:
            after: behind this version of this key; behind the whole key without a version.
        """
        with self.index.look() as connection:
            start = None if after is None else scans.behind_version(connection, bucket, *after)
            source = Rows(connection, bucket, scans.VERSIONS)
            items, last = listing.page(source, prefix.encode(), delimiter.encode(), start, limit)
        more = None if last is None else _marker(last, lambda version: version.version_id)
        return VersionPage(items, more)

    def list_uploads(
        self,
        bucket: Bucket,
        *,
        prefix: str = "",
        delimiter: str = "",
        after: Marker | None = None,
        limit: int = 1000,
    ) -> UploadPage:
        """One page of the open multipart uploads, those of a key oldest first.

        Args:
            after: behind this upload of this key; behind the whole key without an upload.
        """
        with self.index.look() as connection:
            start = None if after is None else scans.behind_upload(connection, bucket, *after)
            source = Rows(connection, bucket, scans.UPLOADS)
            items, last = listing.page(source, prefix.encode(), delimiter.encode(), start, limit)
        more = None if last is None else _marker(last, lambda upload: upload.id)
        return UploadPage(items, more)

    def scan_versions(
        self, bucket: Bucket, after: Marker | None = None, limit: int = 1000
    ) -> builtins.list[Version]:
        """The first versions behind a place; the last one's key and public id are the next place.

        In byte order of the keys, those of a key newest first; delete markers are among them.
        """
        return list(self.list_versions(bucket, after=after, limit=limit).entries)

    def scan_uploads(
        self, bucket: Bucket, after: Marker | None = None, limit: int = 1000
    ) -> builtins.list[Upload]:
        """As :meth:`scan_versions`, of the open uploads."""
        return list(self.list_uploads(bucket, after=after, limit=limit).entries)


def _marker(item: _T | bytes, name: Callable[[_T], str]) -> Marker:
    """Where the next page starts, behind an item."""
    if isinstance(item, bytes):
        return item, None
    return item.key.encode(), name(item)
