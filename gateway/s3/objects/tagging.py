"""Tags of objects and buckets: two spellings of one small mapping, and its limits.

Protocol source: "Categorizing your storage using tags" of the S3 user guide.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import parse_qsl

from gateway.s3.faults import S3Fault

MOST, MOST_OF_BUCKET = 10, 50
LONGEST_KEY, LONGEST_VALUE = 128, 256  # characters

_TEXT = re.compile(r"[\w\s+\-=.:/@]*\Z")
_SYSTEM = "aws:"


def of_header(text: str | None) -> dict[str, str]:
    """The tags of an ``x-amz-tagging`` header, which is spelled like a query.

    Raises:
        S3Fault: InvalidArgument, InvalidTag, BadRequest.
    """
    if not text:
        return {}
    try:
        pairs = parse_qsl(text, keep_blank_values=True, errors="strict")
    except ValueError:
        raise _unreadable(text) from None
    if len(dict(pairs)) != len(pairs):
        raise _unreadable(text)
    return _checked(pairs)


def of_document(tagging: Mapping[str, Any]) -> dict[str, str]:
    """The tags of a ``Tagging`` document.

    Raises:
        S3Fault: InvalidTag, BadRequest.
    """
    return _checked(_pairs(tagging["TagSet"]))


def of_bucket(tags: Sequence[Mapping[str, str]]) -> dict[str, str]:
    """The tags of a bucket, of which there may be more.

    Raises:
        S3Fault: InvalidTag, BadRequest.
    """
    return _checked(_pairs(tags), MOST_OF_BUCKET, "Bucket")


def members_of(tags: Mapping[str, str]) -> list[dict[str, str]]:
    """Tags as a ``TagSet``."""
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def _pairs(tags: Sequence[Mapping[str, str]]) -> list[tuple[str, str]]:
    pairs = [(each["Key"], each["Value"]) for each in tags]
    if len(dict(pairs)) != len(pairs):
        raise S3Fault("InvalidTag", "Cannot provide multiple Tags with the same key")
    return pairs


def _checked(
    pairs: Sequence[tuple[str, str]], most: int = MOST, what: str = "Object"
) -> dict[str, str]:
    if len(pairs) > most:
        raise S3Fault("BadRequest", f"{what} tags cannot be greater than {most}")
    for key, value in pairs:
        if not key or len(key) > LONGEST_KEY or not _TEXT.match(key):
            raise S3Fault(
                "InvalidTag", "The TagKey you have provided is invalid", {"TagKey": key[:256]}
            )
        if key.lower().startswith(_SYSTEM):
            raise S3Fault("InvalidTag", "System tags cannot be added/updated by requester")
        if len(value) > LONGEST_VALUE or not _TEXT.match(value):
            extras = {"TagKey": key, "TagValue": value[:512]}
            raise S3Fault("InvalidTag", "The TagValue you have provided is invalid", extras)
    return dict(pairs)


def _unreadable(text: str) -> S3Fault:
    return S3Fault(
        "InvalidArgument",
        "The header 'x-amz-tagging' shall be encoded as UTF-8 then URLEncoded URL query "
        "parameters without tag name duplicates.",
        {"ArgumentName": "x-amz-tagging", "ArgumentValue": text[:1024]},
    )
