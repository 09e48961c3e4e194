"""What a client says about an object, as it is kept and as it is given back."""

import base64
from collections.abc import Mapping
from typing import Any, TypedDict

from botocore.model import StringShape

from gateway.s3.faults import S3Fault
from gateway.s3.objects import locking
from gateway.s3.protocol import model
from s3store.records import Attributes, Checksum, Version

LARGEST_METADATA = 2048  # bytes of names and values
LONGEST_REDIRECT = 2048  # bytes

_REDIRECTS = ("/", "http://", "https://")
_DEFAULT_TYPE = "binary/octet-stream"


class Described(TypedDict, total=False):
    """What may be said of an object's content and use when it is written."""

    Metadata: dict[str, str]
    StorageClass: str
    CacheControl: str
    ContentDisposition: str
    ContentEncoding: str
    ContentLanguage: str
    ContentType: str
    Expires: str
    WebsiteRedirectLocation: str


def attributes(given: Mapping[str, Any]) -> Attributes:
    """What to keep of it.

    Args:
        given: the members of :class:`Described` among others.

    Raises:
        S3Fault: MetadataTooLarge, InvalidStorageClass, InvalidRedirectLocation.
    """
    kept = {name: given[name] for name in Described.__annotations__.keys() & given.keys()}
    metadata: dict[str, str] = kept.pop("Metadata", {})
    storage_class: str = kept.pop("StorageClass", "STANDARD")
    size = sum(len(_bytes(name)) + len(_bytes(value)) for name, value in metadata.items())
    if size > LARGEST_METADATA:
        extras = {"Size": str(size), "MaxSizeAllowed": str(LARGEST_METADATA)}
        raise S3Fault("MetadataTooLarge", extras=extras)
    if storage_class not in _storage_classes():
        raise S3Fault("InvalidStorageClass", extras={"StorageClassRequested": storage_class})
    _check_redirect(kept.get("WebsiteRedirectLocation", "/"))
    if coding := _without_chunks(kept.pop("ContentEncoding", "")):
        kept["ContentEncoding"] = coding
    return Attributes(kept, metadata, storage_class)


def members_of(version: Version) -> dict[str, Any]:
    """A version's attributes as members of a reply."""
    kept = version.attributes
    members: dict[str, Any] = {
        "ContentType": _DEFAULT_TYPE,
        **kept.headers,
        "Metadata": kept.metadata,
    }
    if kept.storage_class != "STANDARD":
        members["StorageClass"] = kept.storage_class
    if version.tags:
        members["TagCount"] = len(version.tags)
    return members | locking.members_of(version.lock)


def checksum_members(version: Version) -> dict[str, str]:
    """A version's checksum as members of a reply or of a document.

    A checksum of the parts' checksums has the number of parts behind it, so that nobody takes it
    for one of the content.
    """
    members = part_checksum(version.checksum)
    if version.checksum.type == "COMPOSITE":
        members = {name: f"{value}-{version.parts}" for name, value in members.items()}
    return {**members, "ChecksumType": version.checksum.type}


def part_checksum(checksum: Checksum) -> dict[str, str]:
    """The checksum of one part of an upload, whose type goes without saying."""
    spelled = base64.b64encode(checksum.digest).decode()
    return {f"Checksum{checksum.algorithm.upper()}": spelled}


def checksum_listed(algorithm: str, kind: str) -> dict[str, Any]:
    """What a listing says of a checksum."""
    return {"ChecksumAlgorithm": [algorithm.upper()], "ChecksumType": kind}


def _check_redirect(place: str) -> None:
    if not place.startswith(_REDIRECTS) or len(_bytes(place)) > LONGEST_REDIRECT:
        raise S3Fault("InvalidRedirectLocation")


def _without_chunks(coding: str) -> str:
    """``aws-chunked`` is how the body came, not how the object is encoded."""
    parts = (part.strip() for part in coding.split(","))
    return ",".join(part for part in parts if part and part.lower() != "aws-chunked")


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def _storage_classes() -> list[str]:
    shape = model.service().shape_for("StorageClass")
    return shape.enum if isinstance(shape, StringShape) else []
