"""What an object made of parts is: which parts, which ETag, which checksum. Pure.

Protocol source: "Uploading and copying objects using multipart upload" and "Checking object
integrity" of the S3 user guide.
"""

import hashlib
from collections.abc import Mapping, Sequence
from itertools import pairwise

from s3store import checksums, faults
from s3store.records import COMPOSITE, FULL_OBJECT, Checksum, Choice, Part

LEAST_PART = 5 << 20
"""Bytes of every part but the last."""

MOST_PARTS = 10_000

DEFAULT_CHECKSUM = "crc64nvme"
"""What content is checked by whose writer chose nothing."""


def default_type(algorithm: str | None) -> str:
    """How the checksum of an upload is formed when its writer did not say."""
    return FULL_OBJECT if algorithm in (None, DEFAULT_CHECKSUM) else COMPOSITE


def chosen(
    parts: Mapping[int, Part], choices: Sequence[Choice], least: int = LEAST_PART
) -> list[Part]:
    """The parts an upload is completed with.

    Raises:
        InvalidPartOrder, InvalidPart, PartTooSmall.
    """
    numbers = [choice.number for choice in choices]
    if not numbers or any(low >= high for low, high in pairwise(numbers)):
        raise faults.InvalidPartOrder("The parts are not in ascending order.")
    found = [_part(parts, choice) for choice in choices]
    for part in found[:-1]:
        if part.size < least:
            raise faults.PartTooSmall(part.number, part.etag, part.size, least)
    return found


def _part(parts: Mapping[int, Part], choice: Choice) -> Part:
    part = parts.get(choice.number)
    if part is None or part.etag != choice.etag.strip('"'):
        raise faults.InvalidPart(choice.number, choice.etag)
    if choice.checksum not in (None, part.checksum.digest):
        raise faults.InvalidPart(choice.number, choice.etag)
    return part


def etag(parts: Sequence[Part]) -> str:
    """The MD5 of the parts' MD5s, and their number."""
    tags = b"".join(bytes.fromhex(part.etag) for part in parts)
    return f"{hashlib.md5(tags, usedforsecurity=False).hexdigest()}-{len(parts)}"


def checksum(parts: Sequence[Part], type_: str) -> Checksum:
    """The checksum of the whole."""
    algorithm = parts[0].checksum.algorithm
    if type_ == FULL_OBJECT:
        sized = ((part.checksum.digest, part.size) for part in parts)
        return Checksum(algorithm, checksums.combine(algorithm, sized), FULL_OBJECT)
    digest = checksums.ALGORITHMS[algorithm]()
    for part in parts:
        digest.update(part.checksum.digest)
    return Checksum(algorithm, digest.digest(), COMPOSITE)
