"""Retention and legal hold of versions."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from gateway.s3.ask import Ask
from gateway.s3.faults import S3Fault
from gateway.s3.objects import locking, reading
from gateway.s3.protocol.reply import Reply
from gateway.s3.registry import s3_operation
from s3store.records import Lock, Version


@s3_operation("GetObjectRetention", root="Retention")
def get_object_retention(ask: Ask, bucket: str, key: str, version_id: str | None = None) -> Reply:
    """Until when a version must stay."""
    lock = _locked(ask, bucket, key, version_id).lock
    if not lock.mode:
        raise S3Fault("NoSuchObjectLockConfiguration")
    return Reply({"Retention": {"Mode": lock.mode, "RetainUntilDate": lock.until}})


@s3_operation("PutObjectRetention")
def put_object_retention(
    ask: Ask,
    bucket: str,
    key: str,
    retention: dict[str, Any] | None = None,
    version_id: str | None = None,
    bypass_governance_retention: bool = False,
) -> Reply:
    """Say until when a version must stay; to take something back needs leave to do so."""
    version = _locked(ask, bucket, key, version_id)
    lock = locking.of_document(retention or {}, datetime.now(UTC))

    def retain(former: Lock) -> Lock:
        return replace(lock, hold=former.hold)

    if bypass_governance_retention:
        ask.require(ask.named(bucket), "s3:BypassGovernanceRetention", key)
    _change(ask, bucket, version, retain, bypass_governance_retention)
    return Reply()


@s3_operation("GetObjectLegalHold", root="LegalHold")
def get_object_legal_hold(ask: Ask, bucket: str, key: str, version_id: str | None = None) -> Reply:
    """Whether a version is on legal hold."""
    lock = _locked(ask, bucket, key, version_id).lock
    return Reply({"LegalHold": {"Status": locking.status_of(lock.hold)}})


@s3_operation("PutObjectLegalHold")
def put_object_legal_hold(
    ask: Ask,
    bucket: str,
    key: str,
    legal_hold: dict[str, Any] | None = None,
    version_id: str | None = None,
) -> Reply:
    """Put a version on legal hold, or lift it."""
    version = _locked(ask, bucket, key, version_id)
    hold = locking.hold_of(legal_hold or {})
    _change(ask, bucket, version, lambda former: replace(former, hold=hold))
    return Reply()


def _locked(ask: Ask, bucket: str, key: str, version_id: str | None) -> Version:
    """A version whose lock is the matter."""
    found, version = reading.find(ask, bucket, key, version_id)
    locking.require(found)
    return version


def _change(
    ask: Ask, bucket: str, version: Version, change: Callable[[Lock], Lock], bypass: bool = False
) -> None:
    """Change one half of a lock: what becomes of the other meanwhile is left as it is."""
    ask.store.set_lock(ask.bucket(bucket), version.key, version.version_id, change, bypass=bypass)
