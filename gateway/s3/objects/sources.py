"""The object that a copy or a copied part is made from."""

from collections.abc import Mapping
from contextlib import ExitStack
from datetime import UTC, datetime
from typing import Any

from gateway.s3.ask import Ask
from gateway.s3.faults import S3Fault
from gateway.s3.objects import reading
from gateway.s3.objects.conditions import Conditions, OfSource
from gateway.s3.protocol import target
from gateway.s3.protocol.content import LARGEST_PUT
from gateway.s3.sealing import seals
from gateway.s3.sealing.seals import SourceCustomer
from s3store.opened import Opened
from s3store.records import Bucket, Version
from s3store.sealing import Cipher


class Source(OfSource, SourceCustomer, total=False):
    """What a request says of where the content comes from."""

    CopySource: str
    ExpectedSourceBucketOwner: str


def open_source(ask: Ask, given: Source) -> tuple[Bucket, Opened]:
    """The source's bucket, and its content, which the caller closes.

    Raises:
        S3Fault: PreconditionFailed, InvalidRequest and everything a read may be refused with.
    """
    name, key, version_id = target.copy_source(given["CopySource"])
    reading.check_id(version_id)
    try:
        with reading.markers(version_id):
            expected = given.get("ExpectedSourceBucketOwner")
            bucket, opened = ask.source(name, key, version_id, expected)
    except S3Fault as fault:
        raise _marker(fault) from None
    with ExitStack() as closed_on_refusal:
        closed_on_refusal.enter_context(opened)
        Conditions.read(given, "CopySource").check_source(opened.version, datetime.now(UTC))
        closed_on_refusal.pop_all()
    return bucket, opened


def require_tags(ask: Ask, given: Source, bucket: Bucket, version: Version) -> None:
    """Refuse to take tags along for those who may not read them: tags may decide who gets in.

    Raises:
        S3Fault: AccessDenied.
    """
    _, key, version_id = target.copy_source(given["CopySource"])
    ask.require(bucket, "s3:GetObjectTagging", key, version_id, version)


def cipher(ask: Ask, given: Source, opened: Opened) -> Cipher | None:
    """What decrypts the source.

    Raises:
        S3Fault: as :func:`seals.of_version`.
    """
    return seals.of_version(ask, opened.version, seals.source(given))


def named(bucket: Bucket, opened: Opened) -> Mapping[str, Any]:
    """The source's version as a member of a reply."""
    if not bucket.versioning:
        return {}
    return {"CopySourceVersionId": opened.version.version_id}


def check_size(length: int) -> None:
    """Whether so many bytes may be copied at once.

    Raises:
        S3Fault: InvalidRequest.
    """
    if length > LARGEST_PUT:
        raise S3Fault(
            "InvalidRequest",
            "The specified copy source is larger than the maximum allowable size for a copy "
            f"source: {LARGEST_PUT}",
        )


def _marker(fault: S3Fault) -> S3Fault:
    if fault.code != "MethodNotAllowed":
        return fault
    return S3Fault(
        "InvalidRequest",
        "The source of a copy request may not specifically refer to a delete marker by version id.",
    )
