"""The one place where the version a request is about is found, and its content opened.

Version ids are ``null`` or 32 hexadecimal digits. A delete marker is not content: met as what a key
shows it makes the key look empty, asked for by its own id it can only be deleted.
"""

import itertools
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from gateway.s3.ask import Ask
from gateway.s3.faults import S3Fault
from gateway.s3.protocol.reply import Body, Slice, Stream
from s3store import faults
from s3store.opened import Opened
from s3store.records import Bucket, Version
from s3store.sealing import Cipher

_VERSION_ID = re.compile(r"null\Z|[0-9a-f]{32}\Z")


def find(ask: Ask, bucket: str, key: str, version_id: str | None) -> tuple[Bucket, Version]:
    """The version a request names, or the one its key shows, and its bucket.

    Raises:
        S3Fault: InvalidArgument, NoSuchKey, NoSuchVersion, MethodNotAllowed.
    """
    check_id(version_id)
    with markers(version_id):
        return ask.object(bucket, key, version_id)


def open_version(ask: Ask, bucket: str, key: str, version_id: str | None) -> tuple[Bucket, Opened]:
    """Likewise with its content; the caller closes it.

    Raises:
        S3Fault: as :func:`find`.
    """
    check_id(version_id)
    with markers(version_id):
        return ask.opened(bucket, key, version_id)


def body(opened: Opened, start: int, length: int, cipher: Cipher | None) -> Body:
    """So many bytes of an opened version; whoever sends them closes it.

    What lies in one file as it is goes out as that file. Of all else the first piece is read, so
    that what is broken, or cannot be had now, is refused while there is still time to.

    Raises:
        Damaged, StoreBusy.
    """
    slices = opened.slices(start, length)
    if slices is not None and len(slices) == 1:
        one = slices[0]
        return Slice(one.file, one.start, one.length, opened.close)
    pieces = opened.read(start, length, cipher)
    pieces = itertools.chain([next(pieces, b"")], pieces)
    return Stream(pieces, length, opened.close)


def named(bucket: Bucket, version_id: str) -> dict[str, Any]:
    """A version's id as a member of a reply; where there never were versions there is none."""
    return {"VersionId": version_id} if bucket.versioning else {}


def check_id(version_id: str | None) -> None:
    """Whether a version's id can be one.

    Raises:
        S3Fault: InvalidArgument.
    """
    if version_id is not None and not _VERSION_ID.match(version_id):
        raise S3Fault(
            "InvalidArgument",
            "Invalid version id specified",
            {"ArgumentName": "versionId", "ArgumentValue": version_id},
        )


@contextmanager
def markers(version_id: str | None) -> Iterator[None]:
    """Name the refusals of whoever looks for content and meets a delete marker."""
    try:
        yield
    except faults.IsDeleteMarker as fault:
        headers = {"x-amz-delete-marker": "true", "x-amz-version-id": fault.version_id}
        if version_id is None:
            raise S3Fault("NoSuchKey", headers=headers) from None
        extras = {"Method": "GET", "ResourceType": "DeleteMarker"}
        raise S3Fault("MethodNotAllowed", None, extras, headers | {"Allow": "DELETE"}) from None
