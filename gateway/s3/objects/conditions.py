"""Preconditions of HTTP as S3 reads them: pure decisions over one version of an object.

Protocol source: RFC 9110 §13, with S3's rule for pairs: a tag that was compared settles what the
date beside it would say.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Any, Self, TypedDict

from gateway.s3.faults import S3Fault
from gateway.s3.protocol import clock
from s3store.records import Condition, Version


class OfRead(TypedDict, total=False):
    """The conditions of a read."""

    IfMatch: str
    IfNoneMatch: str
    IfModifiedSince: str
    IfUnmodifiedSince: str


class OfSource(TypedDict, total=False):
    """The conditions of a copy's source."""

    CopySourceIfMatch: str
    CopySourceIfNoneMatch: str
    CopySourceIfModifiedSince: str
    CopySourceIfUnmodifiedSince: str


class OfWrite(TypedDict, total=False):
    """The conditions of a write."""

    IfMatch: str
    IfNoneMatch: str


@dataclass(frozen=True)
class Conditions:
    """The four conditions of a read or of a copy's source, as they were sent."""

    match: str | None = None
    none_match: str | None = None
    modified_since: str | None = None
    unmodified_since: str | None = None

    @classmethod
    def read(cls, given: Mapping[str, Any], prefix: str = "") -> Self:
        """From members whose names all begin with ``prefix``."""
        return cls(
            given.get(prefix + "IfMatch"),
            given.get(prefix + "IfNoneMatch"),
            given.get(prefix + "IfModifiedSince"),
            given.get(prefix + "IfUnmodifiedSince"),
        )

    def check(self, version: Version, now: datetime) -> None:
        """Whether a read may go on.

        Raises:
            S3Fault: PreconditionFailed, NotModified.
        """
        verdict = self.verdict(version, now)
        if verdict is HTTPStatus.PRECONDITION_FAILED:
            raise self._failed()
        if verdict is HTTPStatus.NOT_MODIFIED:
            headers = {
                "ETag": f'"{version.etag}"',
                "Last-Modified": version.modified.strftime("%a, %d %b %Y %H:%M:%S GMT"),
            }
            raise S3Fault("NotModified", headers=headers)

    def check_source(self, version: Version, now: datetime) -> None:
        """Whether a copy may go on: for its source, nothing is ever merely "not modified".

        Raises:
            S3Fault: PreconditionFailed.
        """
        if self.verdict(version, now) is not HTTPStatus.OK:
            raise self._failed()

    def verdict(self, version: Version, now: datetime) -> HTTPStatus:
        """OK, NOT_MODIFIED or PRECONDITION_FAILED. Dates count in whole seconds."""
        changed = version.modified.replace(microsecond=0)
        if self.match is not None:
            if not _holds(self.match, version.etag):
                return HTTPStatus.PRECONDITION_FAILED
        elif (limit := _date(self.unmodified_since)) and changed > limit:
            return HTTPStatus.PRECONDITION_FAILED
        if self.none_match is not None:
            same = _holds(self.none_match, version.etag)
            return HTTPStatus.NOT_MODIFIED if same else HTTPStatus.OK
        since = _date(self.modified_since)
        if since and since <= now and changed <= since:
            return HTTPStatus.NOT_MODIFIED
        return HTTPStatus.OK

    def _failed(self) -> S3Fault:
        name = "If-Match" if self.match is not None else "If-Unmodified-Since"
        return S3Fault("PreconditionFailed", extras={"Condition": name})


def of_write(given: OfWrite) -> Condition:
    """The condition of a write: ``If-Match`` with tags, or ``If-None-Match: *``.

    Raises:
        S3Fault: NotImplemented.
    """
    match, none_match = given.get("IfMatch"), given.get("IfNoneMatch")
    if none_match is not None and none_match.strip() != "*":
        raise S3Fault(
            "NotImplemented",
            "If-None-Match of a write can only be *.",
            {"Header": "If-None-Match"},
        )
    return Condition(none_match is not None, None if match is None else tags(match))


def tags(text: str) -> frozenset[str]:
    """The entity tags of a list, without quotes and weakness marks."""
    return frozenset(part.strip().removeprefix("W/").strip('"') for part in text.split(","))


def _holds(text: str, etag: str) -> bool:
    given = tags(text)
    return etag in given or "*" in given


def _date(text: str | None) -> datetime | None:
    """A date nobody can read is as good as none."""
    return None if text is None else clock.parse(text)
