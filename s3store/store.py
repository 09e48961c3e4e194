"""The object store: everything its callers use, put together of its rooms.

- :class:`~s3store.buckets.Buckets`: buckets, their settings, accounts' usage and quotas
- :class:`~s3store.writing.Writing`: put and copy
- :class:`~s3store.reading.Reading`: find, head, open
- :class:`~s3store.changing.Changing`: delete, and what may be changed of a version
- :class:`~s3store.uploads.Uploads`, :class:`~s3store.completing.Completing`: multipart uploads
- :class:`~s3store.listings.Listings`: listings of objects, versions and uploads
"""

from s3store.buckets import Buckets
from s3store.changing import Changing
from s3store.completing import Completing
from s3store.core import Check
from s3store.listings import Listings
from s3store.multipart import DEFAULT_CHECKSUM
from s3store.reading import Reading
from s3store.uploads import Uploads
from s3store.writing import Writing

__all__ = ["DEFAULT_CHECKSUM", "Check", "Store"]


class Store(Buckets, Writing, Reading, Changing, Uploads, Completing, Listings):
    """One object store. Any number of threads and processes may use the same folder at once."""
