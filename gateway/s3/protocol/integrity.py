"""What a request's headers promise about its content: Content-MD5 and one checksum.

The checksum stands in a header, or in a trailer that a header announces; never in both.
"""

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass

from gateway.s3.faults import S3Fault
from s3store.checksums import ALGORITHMS

PREFIX = "x-amz-checksum-"
SDK = "x-amz-sdk-checksum-algorithm"

_ABOUT = frozenset({f"{PREFIX}{word}" for word in ("algorithm", "mode", "type")})


@dataclass(frozen=True)
class Promise:
    """The digests a client says its content has.

    Args:
        md5: 16 bytes, None when there was no Content-MD5.
        algorithm: of the checksum, None when there is none.
        expected: the checksum, None when there is none or a trailer will hold it.
        trailer: name of the trailer that will hold it, lower-case.
    """

    md5: bytes | None
    algorithm: str | None
    expected: bytes | None
    trailer: str | None


def promise(headers: Mapping[str, str]) -> Promise:
    """Read a request's headers, which are by lower-case name.

    Raises:
        S3Fault: InvalidDigest, InvalidRequest.
    """
    md5 = _content_md5(headers)
    trailer = headers.get("x-amz-trailer", "").strip().lower() or None
    given = checksum_headers(headers)
    if trailer is not None:
        if not trailer.startswith(PREFIX):
            raise S3Fault("InvalidRequest", "The value in the x-amz-trailer header is not valid.")
        if given:
            raise S3Fault("InvalidRequest", "Expecting a single x-amz-checksum- header or trailer.")
        given = {trailer.removeprefix(PREFIX): ""}
    if len(given) > 1:
        raise S3Fault("InvalidRequest", "Expecting a single x-amz-checksum- header.")
    algorithm, value = next(iter(given.items()), (None, ""))
    _known(algorithm, headers.get(SDK, "").lower())
    if algorithm is None or trailer is not None:
        return Promise(md5, algorithm, None, trailer)
    return Promise(md5, algorithm, digest(algorithm, value), None)


def checksum_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """Algorithm → value of every checksum a request's headers hold."""
    return {
        name.removeprefix(PREFIX): value
        for name, value in headers.items()
        if name.startswith(PREFIX) and name not in _ABOUT
    }


def _known(algorithm: str | None, announced: str) -> None:
    """Whether the algorithm is one of ours, and the one the SDK announces."""
    if algorithm is not None and algorithm not in ALGORITHMS:
        raise S3Fault("InvalidRequest", f"The checksum algorithm {algorithm} is not known.")
    if announced and algorithm is None:
        raise S3Fault(
            "InvalidRequest",
            f"{SDK} specified, but no corresponding x-amz-checksum-* or x-amz-trailer headers "
            "were found.",
        )
    if announced and announced != algorithm:
        raise S3Fault("InvalidRequest", f"Value for {SDK} header is invalid.")


def digest(algorithm: str, value: str) -> bytes:
    """A checksum as the client spelled it: base64 of the most significant byte first.

    Raises:
        S3Fault: InvalidRequest.
    """
    length = len(ALGORITHMS[algorithm]().digest())
    decoded = _base64(value)
    if decoded is None or len(decoded) != length:
        raise S3Fault("InvalidRequest", f"Value for {PREFIX}{algorithm} header is invalid.")
    return decoded


def _content_md5(headers: Mapping[str, str]) -> bytes | None:
    if "content-md5" not in headers:
        return None
    decoded = _base64(headers["content-md5"])
    if decoded is None or len(decoded) != 16:
        raise S3Fault("InvalidDigest", extras={"Content-MD5": headers["content-md5"]})
    return decoded


def _base64(value: str) -> bytes | None:
    try:
        return base64.b64decode(value.strip(), validate=True)
    except (binascii.Error, ValueError):
        return None
