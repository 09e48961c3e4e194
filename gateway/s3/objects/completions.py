"""What a client says of the object that its upload shall become, and whether it can be.

Protocol source: "CompleteMultipartUpload" of the S3 API reference, and "Checking object integrity"
of the user guide: which algorithms go with which type of checksum.
"""

import re
from collections.abc import Mapping
from typing import Any, TypedDict

from gateway.s3.faults import S3Fault
from gateway.s3.protocol import integrity
from s3store.checksums import ALGORITHMS
from s3store.records import COMPOSITE, FULL_OBJECT, Choice, Upload
from s3store.store import DEFAULT_CHECKSUM

_MEMBERS = {f"Checksum{algorithm.upper()}": algorithm for algorithm in ALGORITHMS}
_COMBINED = ("crc32", "crc32c", "crc64nvme")  # of them a whole's follows from its parts'
_COUNTED = re.compile(r"(.*)-([0-9]{1,5})\Z")


class OfWhole(TypedDict, total=False):
    """The checksum of the object to be."""

    ChecksumCRC32: str
    ChecksumCRC32C: str
    ChecksumCRC64NVME: str
    ChecksumMD5: str
    ChecksumSHA1: str
    ChecksumSHA256: str
    ChecksumSHA512: str
    ChecksumXXHASH64: str
    ChecksumXXHASH3: str
    ChecksumXXHASH128: str


def plan(algorithm: str | None, kind: str | None) -> tuple[str | None, str]:
    """Algorithm and type of checksum for a new upload; both empty where the client chose none.

    Raises:
        S3Fault: InvalidRequest.
    """
    if algorithm is None:
        if kind is not None:
            raise S3Fault(
                "InvalidRequest",
                "The x-amz-checksum-type header can only be used with the x-amz-checksum-algorithm "
                "header.",
            )
        return None, ""
    name = algorithm.lower()
    if name not in ALGORITHMS:
        raise S3Fault("InvalidRequest", f"The checksum algorithm {algorithm} is not known.")
    types = {FULL_OBJECT: name in _COMBINED, COMPOSITE: name != "crc64nvme"}
    kind = kind or (COMPOSITE if types[COMPOSITE] else FULL_OBJECT)
    if not types.get(kind):
        raise S3Fault(
            "InvalidRequest",
            f"The {kind} checksum type cannot be used with the {name} checksum algorithm.",
        )
    return name, kind


def members_of(upload: Upload) -> dict[str, str]:
    """What its creator chose of the checksum, as members of a reply."""
    if upload.checksum is None:
        return {}
    return {"ChecksumAlgorithm": upload.checksum.upper(), "ChecksumType": upload.checksum_type}


def check_part(upload: Upload, algorithm: str | None) -> None:
    """Whether a part may come with this checksum.

    Args:
        algorithm: of the checksum the client sent with the part, None when it sent none.

    Raises:
        S3Fault: InvalidRequest.
    """
    if upload.checksum and algorithm and algorithm != upload.checksum:
        raise S3Fault(
            "InvalidRequest",
            f"Checksum Type mismatch occurred, expected checksum Type: {upload.checksum}, actual "
            f"checksum Type: {algorithm}",
        )


def choices(upload: Upload, document: Mapping[str, Any]) -> list[Choice]:
    """The parts a client chose.

    Raises:
        S3Fault: MalformedXML, InvalidRequest.
    """
    parts = document.get("Parts")
    if not parts:
        raise S3Fault("MalformedXML")
    return [_choice(upload, each) for each in parts]


def whole(upload: Upload, given: OfWhole, kind: str | None, parts: int) -> bytes | None:
    """The checksum the object must have; None when the client does not say.

    Args:
        kind: what type the client says it is of.
        parts: how many parts the client chose, which a checksum of parts' checksums names.

    Raises:
        S3Fault: InvalidRequest, BadDigest.
    """
    if upload.checksum and kind and kind != upload.checksum_type:
        raise S3Fault(
            "InvalidRequest",
            f"The upload was created using the {upload.checksum_type} checksum mode. The complete "
            "request must use the same checksum mode.",
        )
    if not given:
        return None
    if len(given) > 1:
        raise S3Fault("InvalidRequest", "Expecting a single x-amz-checksum- header.")
    ((member, value),) = dict[str, Any](given).items()
    _check_algorithm(upload, _MEMBERS[member])
    counted = _COUNTED.match(value) if upload.checksum_type == COMPOSITE else None
    if counted and int(counted[2]) != parts:
        raise S3Fault("BadDigest", f"The {_MEMBERS[member]} you specified names other parts.")
    return integrity.digest(_MEMBERS[member], counted[1] if counted else value)


def _choice(upload: Upload, part: Mapping[str, Any]) -> Choice:
    if "PartNumber" not in part or "ETag" not in part:
        raise S3Fault("MalformedXML")
    number, checksum = part["PartNumber"], None
    for member in _MEMBERS.keys() & part.keys():
        _check_algorithm(upload, _MEMBERS[member])
        checksum = integrity.digest(_MEMBERS[member], part[member])
    if upload.checksum and upload.checksum_type == COMPOSITE and checksum is None:
        raise S3Fault(
            "InvalidRequest",
            f"The upload was created using a {upload.checksum} checksum. The complete request must "
            f"include the checksum for each part. It was missing for part {number} in the request.",
        )
    return Choice(number, part["ETag"].strip().strip('"'), checksum)


def _check_algorithm(upload: Upload, algorithm: str) -> None:
    expected = upload.checksum or DEFAULT_CHECKSUM
    if algorithm != expected:
        raise S3Fault(
            "InvalidRequest",
            f"The upload was created using a {expected} checksum, and this is a {algorithm} one.",
        )
