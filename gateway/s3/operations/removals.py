"""Removing objects and versions: what the removal leaves behind is a matter of the bucket."""

from typing import Any

from gateway.s3.ask import Ask
from gateway.s3.faults import S3Fault, of_store
from gateway.s3.objects import conditions, locking, reading
from gateway.s3.protocol import target
from gateway.s3.protocol.reply import Reply
from gateway.s3.registry import s3_operation
from s3store import faults
from s3store.records import Bucket, Condition, Deleted, Doomed

_MOST = 1000
_BYPASS = "s3:BypassGovernanceRetention"


@s3_operation("DeleteObject")
def delete_object(
    ask: Ask,
    bucket: str,
    key: str,
    version_id: str | None = None,
    if_match: str | None = None,
    bypass_governance_retention: bool = False,
) -> Reply:
    """Remove an object; one that is not there is as good as removed."""
    reading.check_id(version_id)
    found = ask.bucket(bucket)
    bypass = bypass_governance_retention and locking.enabled(found)
    if bypass:
        ask.require(found, _BYPASS, key)
    gone = ask.store.delete(found, key, version_id, condition=_condition(if_match), bypass=bypass)
    members: dict[str, Any] = {"VersionId": gone.version_id or gone.marker_id}
    if gone.marker:
        members["DeleteMarker"] = True
    return Reply(members)


@s3_operation("DeleteObjects", action="s3:DeleteObject", root="DeleteResult")
def delete_objects(
    ask: Ask, bucket: str, delete: dict[str, Any], bypass_governance_retention: bool = False
) -> Reply:
    """Remove up to a thousand objects at once, and say of each how it went."""
    objects = delete["Objects"]
    if not 1 <= len(objects) <= _MOST or not all(each["Key"] for each in objects):
        raise S3Fault("MalformedXML")
    outcomes = _delete_all(ask, bucket, objects, bypass_governance_retention)
    deleted, errors = [], []
    for each, outcome in zip(objects, outcomes, strict=True):
        if isinstance(outcome, S3Fault):
            errors.append(_said(each) | {"Code": outcome.code, "Message": outcome.message})
        elif not delete.get("Quiet"):
            deleted.append(_said(each) | _marker(outcome))
    return Reply({"Deleted": deleted, "Errors": errors})


def _delete_all(
    ask: Ask, bucket: str, objects: list[dict[str, Any]], bypass: bool
) -> list[Deleted | S3Fault]:
    """What became of each; those whose removal cannot be understood never reach the store."""
    found = ask.named(bucket)
    bypass = bypass and locking.enabled(found)
    asked = [_allowed(ask, found, _doomed(each), bypass) for each in objects]
    doomed = [each for each in asked if isinstance(each, Doomed)]
    gone = iter(ask.store.delete_all(found, doomed, bypass=bypass))
    return [each if isinstance(each, S3Fault) else _named(next(gone)) for each in asked]


def _doomed(each: dict[str, Any]) -> Doomed | S3Fault:
    for name in each.keys() - {"Key", "VersionId", "ETag"}:
        raise S3Fault("NotImplemented", f"{name} of an object to delete is not implemented.")
    version_id = each.get("VersionId") or None
    try:
        reading.check_id(version_id)
        target.check_length(each["Key"])
    except S3Fault as fault:
        return fault
    return Doomed(each["Key"], version_id, _condition(each.get("ETag")))


def _allowed(ask: Ask, bucket: Bucket, each: Doomed | S3Fault, bypass: bool) -> Doomed | S3Fault:
    if isinstance(each, S3Fault):
        return each
    may = ask.may(bucket, ask.action, each.key, each.version_id)
    if may and bypass:
        may = ask.may(bucket, _BYPASS, each.key)
    return each if may else S3Fault("AccessDenied")


def _named(outcome: Deleted | faults.StoreFault) -> Deleted | S3Fault:
    return of_store(outcome) if isinstance(outcome, faults.StoreFault) else outcome


def _condition(etag: str | None) -> Condition:
    return Condition() if etag is None else Condition(etags=conditions.tags(etag))


def _said(each: dict[str, Any]) -> dict[str, str]:
    return {name: each[name] for name in ("Key", "VersionId") if each.get(name)}


def _marker(gone: Deleted) -> dict[str, Any]:
    """What a removal says of the delete marker that it made or removed."""
    if not gone.marker:
        return {}
    return {"DeleteMarker": True, "DeleteMarkerVersionId": gone.marker_id or gone.version_id}
