"""How much of an object a read is about: all of it, a range of bytes, or one part of an upload.

Protocol source: "GetObject" of the S3 API reference, parameters Range and partNumber.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypedDict

from gateway.s3.faults import S3Fault
from gateway.s3.objects import ranges
from gateway.s3.objects.attributes import checksum_members, part_checksum
from s3store.records import Part, Version

LAST_PART = 10_000


class OfPortion(TypedDict, total=False):
    """How a read says how much it is about."""

    Range: str
    PartNumber: int


@dataclass(frozen=True)
class Portion:
    """So many bytes from ``start``.

    Args:
        partial: whether an answer says that it is not the whole object.
        checksum: the members that say the checksum of just these bytes, if there is one.
        parts: how many parts the object has, when one was asked for by its number.
    """

    start: int
    length: int
    partial: bool = True
    checksum: Mapping[str, str] = field(default_factory=dict)
    parts: int | None = None

    def members(self, size: int) -> dict[str, Any]:
        """What an answer says of it; ``size`` is the whole object's, in bytes."""
        members: dict[str, Any] = {"ContentLength": self.length}
        if self.partial:
            last = self.start + self.length - 1
            members["ContentRange"] = f"bytes {self.start}-{last}/{size}"
        if self.parts is not None:
            members["PartsCount"] = self.parts
        return members


def of(asked: Mapping[str, Any], version: Version, parts: Callable[[], Sequence[Part]]) -> Portion:
    """What a read is about.

    Args:
        asked: the members of :class:`OfPortion` among others.
        parts: looks the parts of the version up.

    Raises:
        S3Fault: InvalidRange, InvalidRequest, InvalidArgument, InvalidPartNumber.
    """
    number = asked.get("PartNumber")
    if number is None:
        span = ranges.part(asked.get("Range"), version.size)
        return Portion(*span) if span else _whole(version, partial=False)
    if "Range" in asked:
        raise S3Fault(
            "InvalidRequest", "Cannot specify both Range header and partNumber query parameter"
        )
    check_number(number)
    return _part(number, version, parts() if version.parts else ())


def check_number(number: int) -> None:
    """Whether a part can have this number.

    Raises:
        S3Fault: InvalidArgument.
    """
    if not 1 <= number <= LAST_PART:
        raise S3Fault(
            "InvalidArgument",
            f"Part number must be an integer between 1 and {LAST_PART}, inclusive",
            {"ArgumentName": "partNumber", "ArgumentValue": str(number)},
        )


def _whole(version: Version, partial: bool) -> Portion:
    return Portion(0, version.size, partial, checksum_members(version))


def _part(number: int, version: Version, parts: Sequence[Part]) -> Portion:
    if number == 1 and not parts:
        return _whole(version, partial=version.size > 0)
    start = 0
    for part in parts:
        if part.number == number:
            partial = part.size > 0
            return Portion(start, part.size, partial, part_checksum(part.checksum), len(parts))
        start += part.size
    extras = {"PartNumberRequested": str(number), "ActualPartCount": str(len(parts) or 1)}
    raise S3Fault("InvalidPartNumber", extras=extras)
