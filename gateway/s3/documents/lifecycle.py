"""Lifecycle rules: when objects, old versions and abandoned uploads go.

Moving objects to another storage class is refused by name: there is one kind of storage here, and a
rule that is kept must do what it says. Protocol source: "PutBucketLifecycleConfiguration" and
"Lifecycle configuration elements" of S3.
"""

import os
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from gateway.s3.documents import Document
from gateway.s3.faults import S3Fault

Rule = Mapping[str, Any]

_MOST_RULES = 1000
_LONGEST_ID = 255  # characters
_LONGEST_PREFIX = 1024  # bytes
_MOST_DAYS = (1 << 31) - 1
_MOST_NEWER = 100
_ACTIONS = ("Expiration", "NoncurrentVersionExpiration", "AbortIncompleteMultipartUpload")
_MOVES = ("Transitions", "NoncurrentVersionTransitions")
_SIZES = ("ObjectSizeGreaterThan", "ObjectSizeLessThan")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}(T.*)?\Z")


def check(document: Document) -> Document:
    """A ``LifecycleConfiguration`` with every rule named and every date in one spelling.

    Raises:
        S3Fault: MalformedXML, InvalidArgument, InvalidRequest, NotImplemented.
    """
    if len(document["Rules"]) > _MOST_RULES:
        raise S3Fault("InvalidRequest", f"There may be {_MOST_RULES} rules at most.")
    rules = [_rule(each) for each in document["Rules"]]
    if len({rule["ID"] for rule in rules}) != len(rules):
        raise S3Fault(
            "InvalidArgument", "Rule ID must be unique. Found same ID for more than one rule"
        )
    return {"Rules": rules}


def _rule(rule: Rule) -> Rule:
    name = rule.get("ID") or os.urandom(16).hex()
    if len(name) > _LONGEST_ID:
        raise S3Fault(
            "InvalidArgument", f"ID length should not exceed allowed limit of {_LONGEST_ID}"
        )
    for move in _MOVES:
        if move in rule:
            raise S3Fault("NotImplemented", f"{move} of a lifecycle rule is not implemented.")
    if not any(action in rule for action in _ACTIONS):
        raise S3Fault("InvalidRequest", "At least one action needs to be specified in a rule")
    tagged, sized = _check_filter(rule)
    kept = {**rule, "ID": name}
    if "Expiration" in rule:
        kept["Expiration"] = _expiration(rule["Expiration"], tagged)
    if "NoncurrentVersionExpiration" in rule:
        _check_noncurrent(rule["NoncurrentVersionExpiration"])
    if "AbortIncompleteMultipartUpload" in rule:
        _check_abort(rule["AbortIncompleteMultipartUpload"], tagged, sized)
    return kept


# -- which objects ---------------------------------------------------------------------------------


def _check_filter(rule: Rule) -> tuple[bool, bool]:
    """Whether the rule goes by tags, and by sizes."""
    if ("Prefix" in rule) == ("Filter" in rule):
        raise S3Fault("MalformedXML")
    if "Prefix" in rule:
        _check_prefix(rule["Prefix"])
        return False, False
    chosen: Rule = rule["Filter"]
    if len(chosen) > 1:
        raise S3Fault("MalformedXML")
    if "And" in chosen:
        chosen = chosen["And"]
        tags = chosen.get("Tags", [])
        if len(chosen.keys() - {"Tags"}) + len(tags) < 2:
            raise S3Fault("MalformedXML")
    else:
        tags = [chosen["Tag"]] if "Tag" in chosen else []
    _check_prefix(chosen.get("Prefix", ""))
    _check_tags(tags)
    _check_sizes(chosen)
    return bool(tags), any(name in chosen for name in _SIZES)


def _check_prefix(prefix: str) -> None:
    if len(prefix.encode()) > _LONGEST_PREFIX:
        raise S3Fault("InvalidRequest", f"The maximum size of a prefix is {_LONGEST_PREFIX} bytes.")


def _check_tags(tags: list[Mapping[str, str]]) -> None:
    if len({tag["Key"] for tag in tags}) != len(tags):
        raise S3Fault("InvalidRequest", "Duplicate Tag Keys are not allowed.")
    for tag in tags:
        if not 1 <= len(tag["Key"]) <= 128:
            raise S3Fault("InvalidRequest", "A Tag's Key must be 1 to 128 characters long.")
        if len(tag["Value"]) > 256:
            raise S3Fault("InvalidRequest", "A Tag's Value must be 256 characters long at most.")


def _check_sizes(chosen: Rule) -> None:
    above, below = (chosen.get(name) for name in _SIZES)
    if (above is not None and above < 0) or (below is not None and below < 1):
        raise S3Fault("InvalidRequest", "Object sizes must be positive.")
    if above is not None and below is not None and above >= below:
        raise S3Fault(
            "InvalidRequest",
            "'ObjectSizeLessThan' has to be a value greater than 'ObjectSizeGreaterThan'",
        )


# -- when ------------------------------------------------------------------------------------------


def _expiration(expiration: Rule, tagged: bool) -> Rule:
    if len(expiration) != 1:
        raise S3Fault("MalformedXML")
    if "Days" in expiration:
        _check_days("Days", "Expiration", expiration["Days"])
    if "ExpiredObjectDeleteMarker" in expiration and tagged:
        raise S3Fault("InvalidRequest", "ExpiredObjectDeleteMarker cannot be specified with Tags.")
    return {"Date": _midnight(expiration["Date"])} if "Date" in expiration else expiration


def _midnight(text: str) -> str:
    try:
        if not _DATE.match(text):
            raise ValueError(text)
        time = datetime.fromisoformat(text)
        moment = time.astimezone(UTC) if time.tzinfo else time.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        raise S3Fault("MalformedXML") from None
    if moment.time().isoformat() != "00:00:00":
        raise S3Fault("InvalidArgument", "'Date' must be at midnight GMT")
    return moment.strftime("%Y-%m-%dT00:00:00.000Z")


def _check_noncurrent(expiration: Rule) -> None:
    if "NoncurrentDays" not in expiration:
        raise S3Fault("MalformedXML")
    _check_days("NoncurrentDays", "NoncurrentVersionExpiration", expiration["NoncurrentDays"])
    if not 1 <= expiration.get("NewerNoncurrentVersions", 1) <= _MOST_NEWER:
        raise S3Fault(
            "InvalidArgument", f"'NewerNoncurrentVersions' must be between 1 and {_MOST_NEWER}"
        )


def _check_abort(abort: Rule, tagged: bool, sized: bool) -> None:
    if "DaysAfterInitiation" not in abort:
        raise S3Fault("MalformedXML")
    action = "AbortIncompleteMultipartUpload"
    _check_days("DaysAfterInitiation", action, abort["DaysAfterInitiation"])
    for present, what in ((tagged, "Tags"), (sized, "Object Size")):
        if present:
            raise S3Fault("InvalidRequest", f"{action} cannot be specified with {what}.")


def _check_days(name: str, action: str, days: int) -> None:
    if not 1 <= days <= _MOST_DAYS:
        raise S3Fault("InvalidArgument", f"'{name}' for {action} action must be a positive integer")
