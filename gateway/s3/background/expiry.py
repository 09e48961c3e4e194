"""What lifecycle rules say of one object: whether they mean it, and when it goes. Pure.

A time in days ends at the first midnight, UTC, that is not before that many days after its start.
So all that is due goes in one go a day, and what is promised to a client is what happens. The
length of a day is an argument: a laboratory may live faster, and midnights then come as often.

Protocol source: "Managing the lifecycle of objects" and "Lifecycle configuration elements" of S3.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any
from urllib.parse import quote

from s3store.records import Bucket, Upload, Version

DAY = timedelta(days=1)

_START = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Rule:
    """One enabled rule.

    Args:
        above, below: bounds of the object's size, both excluded.
        days, date: when the object itself goes; at most one of them is set.
        lone_marker: whether a delete marker goes that hides nothing any more.
        noncurrent_days: after so many days an old version goes; None for never.
        keep: so many old versions stay whatever their age.
        abort_days: after so many days an upload that was not completed goes.
    """

    id: str
    prefix: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)
    above: int | None = None
    below: int | None = None
    days: int | None = None
    date: datetime | None = None
    lone_marker: bool = False
    noncurrent_days: int | None = None
    keep: int = 0
    abort_days: int | None = None

    def means(self, version: Version) -> bool:
        """Whether it is about this version, or delete marker, as far as its filter tells."""
        if not version.key.startswith(self.prefix):
            return False
        if version.marker:
            return not self.tags and self.above is None and self.below is None
        return (
            self.tags.items() <= version.tags.items()
            and (self.above is None or version.size > self.above)
            and (self.below is None or version.size < self.below)
        )

    def end(self, version: Version, day: timedelta) -> datetime | None:
        """When a version that its key shows goes; None for never."""
        if self.days is not None:
            return _end(version.modified, self.days, day)
        return self.date

    def upload_end(self, upload: Upload, day: timedelta) -> datetime | None:
        """When an upload goes that is not completed by then; None for never."""
        if self.abort_days is None or not upload.key.startswith(self.prefix):
            return None
        return _end(upload.started, self.abort_days, day)


def rules(bucket: Bucket) -> list[Rule]:
    """The enabled rules of a bucket, from its ``lifecycle`` setting."""
    document: Mapping[str, Any] = bucket.settings.get("lifecycle") or {}
    return [_rule(each) for each in document.get("Rules", ()) if each["Status"] == "Enabled"]


def promise(bucket: Bucket, version: Version, day: timedelta) -> dict[str, str]:
    """The member of a reply that tells when an object will go; none where no rule says."""
    if "lifecycle" not in bucket.settings or not version.latest or version.marker:
        return {}
    ends = [
        (end, rule.id)
        for rule in rules(bucket)
        if rule.means(version) and (end := rule.end(version, day)) is not None
    ]
    if not ends:
        return {}
    end, name = min(ends)
    date = format_datetime(end, usegmt=True)
    return {"Expiration": f'expiry-date="{date}", rule-id="{quote(name)}"'}


def abort_promise(bucket: Bucket, upload: Upload, day: timedelta) -> dict[str, Any]:
    """The members of a reply that tell when an upload will be given up; none where no rule says."""
    if "lifecycle" not in bucket.settings:
        return {}
    ends = [
        (end, rule.id)
        for rule in rules(bucket)
        if (end := rule.upload_end(upload, day)) is not None
    ]
    if not ends:
        return {}
    end, name = min(ends)
    return {"AbortDate": end, "AbortRuleId": quote(name)}


def ended(given: Iterable[Rule], version: Version, now: datetime, day: timedelta) -> bool:
    """Whether a version that its key shows is to go now."""
    ends = (rule.end(version, day) for rule in given if rule.means(version))
    return any(end is not None and end <= now for end in ends)


def lone_marker_ended(
    given: Iterable[Rule], marker: Version, now: datetime, day: timedelta
) -> bool:
    """Whether a delete marker that is all there is of its key is to go now."""
    return any(
        rule.lone_marker or ((end := rule.end(marker, day)) is not None and end <= now)
        for rule in given
        if rule.means(marker)
    )


def old_ended(
    given: Iterable[Rule],
    version: Version,
    since: datetime,
    newer: int,
    now: datetime,
    day: timedelta,
) -> bool:
    """Whether an old version is to go now.

    Args:
        since: when the next newer version came and made it old.
        newer: how many old versions of its key are newer.
    """
    return any(
        rule.noncurrent_days is not None
        and newer >= rule.keep
        and _over(since, rule.noncurrent_days, day, now)
        for rule in given
        if rule.means(version)
    )


def upload_ended(given: Iterable[Rule], upload: Upload, now: datetime, day: timedelta) -> bool:
    """Whether an upload that was not completed is to go now."""
    ends = (rule.upload_end(upload, day) for rule in given)
    return any(end is not None and end <= now for end in ends)


def _over(start: datetime, days: int, day: timedelta, now: datetime) -> bool:
    end = _end(start, days, day)
    return end is not None and end <= now


def _end(start: datetime, days: int, day: timedelta) -> datetime | None:
    """The first midnight that is not before so many days after a start; None beyond all time."""
    try:
        return _START - (_START - start - days * day) // day * day
    except OverflowError:
        return None


def _rule(document: Mapping[str, Any]) -> Rule:
    chosen = document.get("Filter") or {"Prefix": document.get("Prefix", "")}
    chosen = chosen.get("And", chosen)
    tags: Sequence[Mapping[str, str]] = chosen.get("Tags", ())
    if "Tag" in chosen:
        tags = (chosen["Tag"],)
    gone, old = document.get("Expiration", {}), document.get("NoncurrentVersionExpiration", {})
    date = gone.get("Date")
    return Rule(
        id=document.get("ID", ""),
        prefix=chosen.get("Prefix", ""),
        tags={tag["Key"]: tag["Value"] for tag in tags},
        above=chosen.get("ObjectSizeGreaterThan"),
        below=chosen.get("ObjectSizeLessThan"),
        days=gone.get("Days"),
        date=None if date is None else datetime.fromisoformat(date),
        lone_marker=gone.get("ExpiredObjectDeleteMarker", False),
        noncurrent_days=old.get("NoncurrentDays"),
        keep=old.get("NewerNoncurrentVersions", 0),
        abort_days=document.get("AbortIncompleteMultipartUpload", {}).get("DaysAfterInitiation"),
    )
