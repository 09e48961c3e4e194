"""A request's body: read once, bounded by what the request says of it, checked as it is read.

Everything a request promises about its body is kept here: its length, Content-MD5, the checksum in
a header or a trailer, the SHA-256 in the signature, and the signatures of an ``aws-chunked`` body.
:meth:`Content.pieces` raises when one that concerns the framing is broken; :meth:`Content.check`
compares the digests once all was read. Only then may anything be made visible.
"""

import hmac
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from gateway.s3.faults import S3Fault
from gateway.s3.protocol import integrity
from gateway.s3.protocol.wire import PIECE, Source
from gateway.sign.chunked import Broken, Chain, Decoder
from gateway.sign.refusals import Refusal
from s3store.checksums import Digests
from s3store.store import DEFAULT_CHECKSUM

LARGEST_PUT = 5 * 1024**3  # bytes


@dataclass(frozen=True)
class Payload:
    """What the signature says about the body.

    Args:
        sha256: the hex digest it names, None when it names none.
        chunked: whether the body is ``aws-chunked``.
        trailing: whether trailers follow the chunks.
        chain: where the signatures of the chunks start from, None when they have none.
    """

    sha256: str | None = None
    chunked: bool = False
    trailing: bool = False
    chain: Chain | None = None


class Content:
    """The body as the client means it."""

    def __init__(self, wire: Source, payload: Payload, headers: Mapping[str, str]) -> None:
        """Read what the headers promise.

        Args:
            headers: by lower-case name.

        Raises:
            S3Fault: InvalidDigest, InvalidRequest, InvalidArgument.
        """
        self._wire = wire
        self._payload = payload
        self._promise = integrity.promise(headers)
        self._expected = self._promise.expected
        self.size = _size(wire, payload, headers)

    @property
    def has_integrity(self) -> bool:
        """Whether the client sent a digest of its own beside the signature."""
        promise = self._promise
        return promise.md5 is not None or promise.algorithm is not None

    @property
    def sent(self) -> str | None:
        """The algorithm of the checksum that the client sends, None when it sends none."""
        return self._promise.algorithm

    @property
    def checksum(self) -> str:
        """The algorithm of the checksum to keep: the client's choice, or the default."""
        return self._promise.algorithm or DEFAULT_CHECKSUM

    @property
    def digests(self) -> frozenset[str]:
        """What :meth:`check` wants to see."""
        wanted = {"md5", self.checksum}
        return frozenset(wanted | {"sha256"} if self._payload.sha256 else wanted)

    def pieces(self) -> Iterator[bytes]:
        """The data.

        Raises:
            S3Fault: MissingContentLength, EntityTooLarge, IncompleteBody, SignatureDoesNotMatch,
                MalformedTrailerError.
        """
        if self._wire.length is None and not self._wire.unbounded:
            raise S3Fault("MissingContentLength")
        if self.size is not None and self.size > LARGEST_PUT:
            raise _too_large(self.size)
        seen = 0
        for piece in self._decoded() if self._payload.chunked else self._plain():
            seen += len(piece)
            if seen > LARGEST_PUT:
                raise _too_large(seen)
            yield piece
        if self.size is not None and seen != self.size:
            raise S3Fault("IncompleteBody")

    def read(self, most: int, missing: bytes | None = None) -> bytes:
        """All of a small body, checked.

        Args:
            most: bytes it may have.
            missing: what a request stands for that has no body and no length.

        Raises:
            S3Fault: as :meth:`pieces` and :meth:`check`, and MaxMessageLengthExceeded.
        """
        if missing is not None and self._wire.length is None and not self._wire.unbounded:
            return missing
        taken, whole = Digests(self.digests), bytearray()
        for piece in self.pieces():
            taken.update(piece)
            whole += piece
            if len(whole) > most:
                raise S3Fault(
                    "MaxMessageLengthExceeded", extras={"MaxMessageLengthBytes": f"{most}"}
                )
        self.check(taken)
        return bytes(whole)

    def check(self, taken: Digests) -> None:
        """Compare the digests of what was read with everything that was promised.

        Raises:
            S3Fault: XAmzContentSHA256Mismatch, BadDigest.
        """
        sha256 = self._payload.sha256
        if sha256 and not hmac.compare_digest(taken["sha256"].hex(), sha256):
            raise S3Fault(
                "XAmzContentSHA256Mismatch",
                extras={
                    "ClientComputedContentSHA256": sha256,
                    "S3ComputedContentSHA256": taken["sha256"].hex(),
                },
            )
        if self._promise.md5 is not None and taken["md5"] != self._promise.md5:
            raise S3Fault("BadDigest", "The Content-MD5 you specified did not match.")
        if self._expected is not None and taken[self.checksum] != self._expected:
            name = self.checksum.upper()
            raise S3Fault("BadDigest", f"The {name} you specified did not match what we received.")

    def _plain(self) -> Iterator[bytes]:
        while piece := self._wire.read(PIECE):
            yield piece

    def _decoded(self) -> Iterator[bytes]:
        payload = self._payload
        decoder = Decoder(self._wire.read, payload.chain, payload.trailing)
        try:
            yield from decoder
        except Broken as error:
            raise S3Fault("IncompleteBody", str(error)) from None
        except Refusal as refusal:
            raise S3Fault("SignatureDoesNotMatch", refusal.public) from None
        promised = self._promise.trailer
        if set(decoder.trailers) != ({promised} if promised else set()):
            raise S3Fault("MalformedTrailerError")
        if promised:
            self._expected = integrity.digest(self.checksum, decoder.trailers[promised])


def _size(wire: Source, payload: Payload, headers: Mapping[str, str]) -> int | None:
    """How many bytes of data there must be; None when only the end of the body will tell."""
    if not payload.chunked:
        return wire.length
    declared = headers.get("x-amz-decoded-content-length", "")
    if not declared:
        raise S3Fault("MissingContentLength")
    if not declared.isascii() or not declared.isdigit() or len(declared) > 18:
        raise S3Fault("InvalidArgument", "x-amz-decoded-content-length must be a number.")
    return int(declared)


def _too_large(size: int) -> S3Fault:
    extras = {"ProposedSize": str(size), "MaxSizeAllowed": str(LARGEST_PUT)}
    return S3Fault("EntityTooLarge", extras=extras)
