"""Object lock: what a writer or a bucket says of how long a version must stay, and how it is said.

Protocol source: "Object Lock" of the S3 user guide. Whether a locked version may be removed or its
lock changed is decided where that happens: in the store.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, TypedDict

from gateway.s3.faults import S3Fault
from gateway.s3.protocol import clock
from s3store.records import Bucket, Lock

MODES = ("GOVERNANCE", "COMPLIANCE")

_HOLDS = {"ON": True, "OFF": False}
_DAY = timedelta(days=1)


class Locking(TypedDict, total=False):
    """What may be said of a lock when a version is written."""

    ObjectLockMode: str
    ObjectLockRetainUntilDate: str
    ObjectLockLegalHoldStatus: str


def enabled(bucket: Bucket) -> bool:
    """Whether versions in this bucket can be locked."""
    return (bucket.settings.get("lock") or {}).get("ObjectLockEnabled") == "Enabled"


def require(bucket: Bucket) -> None:
    """Refuse to speak of locks where there are none.

    Raises:
        S3Fault: InvalidRequest.
    """
    if not enabled(bucket):
        raise S3Fault("InvalidRequest", "Bucket is missing Object Lock Configuration")


def of_write(bucket: Bucket, given: Mapping[str, Any], now: datetime) -> Lock:
    """The lock of a version to come: the writer's word, then the bucket's default.

    Args:
        given: the members of :class:`Locking` among others.

    Raises:
        S3Fault: InvalidRequest, InvalidArgument.
    """
    mode, until = given.get("ObjectLockMode"), given.get("ObjectLockRetainUntilDate")
    hold = given.get("ObjectLockLegalHoldStatus")
    if (mode, until, hold) != (None, None, None):
        require(bucket)
    if hold is not None and hold not in _HOLDS:
        raise S3Fault("InvalidArgument", "Legal Hold must be either of 'ON' or 'OFF'")
    held = _HOLDS.get(hold or "OFF", False)
    if mode is None and until is None:
        return _default(bucket, held, now)
    if mode is None or until is None:
        raise S3Fault(
            "InvalidArgument",
            "x-amz-object-lock-retain-until-date and x-amz-object-lock-mode must both be supplied",
        )
    if mode not in MODES:
        raise S3Fault("InvalidArgument", "Unknown wormMode directive.")
    return Lock(mode, _future(clock.iso(until), now), held)


def of_document(retention: Mapping[str, Any], now: datetime) -> Lock:
    """The lock, but for a hold, that a ``Retention`` document asks for; an empty one asks for none.

    Raises:
        S3Fault: MalformedXML, InvalidArgument, NotImplemented.
    """
    for name in retention.keys() - {"Mode", "RetainUntilDate"}:
        raise S3Fault("NotImplemented", f"{name} of a retention is not implemented.")
    if not retention:
        return Lock()
    until = clock.iso(retention.get("RetainUntilDate", ""))
    if retention.get("Mode") not in MODES or until is None:
        raise S3Fault("MalformedXML")
    return Lock(retention["Mode"], _future(until, now))


def hold_of(document: Mapping[str, Any]) -> bool:
    """What a ``LegalHold`` document asks for.

    Raises:
        S3Fault: MalformedXML.
    """
    if document.get("Status") not in _HOLDS:
        raise S3Fault("MalformedXML")
    return _HOLDS[document["Status"]]


def status_of(hold: bool) -> str:
    """A legal hold as S3 names it."""
    return "ON" if hold else "OFF"


def members_of(lock: Lock) -> dict[str, Any]:
    """A version's lock as members of a reply."""
    members: dict[str, Any] = {}
    if lock.mode:
        members |= {"ObjectLockMode": lock.mode, "ObjectLockRetainUntilDate": lock.until}
    if lock.hold:
        members["ObjectLockLegalHoldStatus"] = status_of(lock.hold)
    return members


def _default(bucket: Bucket, hold: bool, now: datetime) -> Lock:
    """What the bucket's own rule says of a version whose writer said nothing."""
    rule = (bucket.settings.get("lock") or {}).get("Rule") or {}
    retention = rule.get("DefaultRetention") or {}
    if not retention.get("Mode"):
        return Lock(hold=hold)
    days = retention.get("Days") or 365 * retention.get("Years", 0)
    return Lock(retention["Mode"], now + days * _DAY, hold)


def _future(until: datetime | None, now: datetime) -> datetime:
    if until is None:
        raise S3Fault(
            "InvalidArgument", "The retain until date must be provided in ISO 8601 format"
        )
    if until <= now.astimezone(UTC):
        raise S3Fault("InvalidArgument", "The retain until date must be in the future!")
    return until
