"""The ``aws-chunked`` body: chunks within the body, each signed in turn, and trailers behind them.

Four forms share one grammar::

    hex-size[;chunk-signature=<64 hex>] CRLF  data CRLF  …  0[;chunk-signature=<64 hex>] CRLF
    [name:value CRLF …  [x-amz-trailer-signature:<64 hex> CRLF]]  CRLF

A chunk's signature covers the one before it, the first one the request's own, so chunks can be
neither changed, dropped, swapped nor taken from elsewhere. The empty last chunk is signed as well:
without that check a body cut short between two chunks would pass. Data is handed on before its
chunk is verified; the reader must not act on it before the decoder has come to its end.

Protocol source: "Signature calculations for the Authorization header: transferring payload in
multiple chunks", with and without trailing headers, of the S3 API.
"""

import hashlib
import hmac
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from gateway.sign import v4
from gateway.sign.refusals import Reason, Refusal

_PLAIN = re.compile(rb"([0-9a-fA-F]{1,16})\Z")
_SIGNED = re.compile(rb"([0-9a-fA-F]{1,16});chunk-signature=([0-9a-f]{64})\Z")
_READ = 256 * 1024  # bytes asked for at once
_LINE = 8192  # longest size line or trailer
_TRAILERS = 32
_SMALL = 8192  # bytes; S3 wants every chunk but the last to have as many
_MOST_SMALL = 10_000  # smaller ones of one body: they cost far more to read than to send


class Broken(Exception):
    """The body does not follow the grammar, or ends too early."""


@dataclass(frozen=True)
class Chain:
    """What the first chunk's signature continues from.

    Args:
        key: the signing key of the request.
        stamp: the request's time, as it was signed.
        scope: the credential scope, as it was signed.
        seed: the request's own signature, 64 hex digits.
    """

    key: bytes
    stamp: str
    scope: str
    seed: str

    def chunk(self, previous: str, digest: str) -> str:
        """The signature of a chunk, from the one before it and the data's SHA-256."""
        head = ("AWS4-HMAC-SHA256-PAYLOAD", self.stamp, self.scope)
        return v4.sign(self.key, "\n".join((*head, previous, v4.EMPTY_HASH, digest)))

    def trailer(self, previous: str, digest: str) -> str:
        """The signature of the trailers, from the last chunk's and the trailers' SHA-256."""
        head = ("AWS4-HMAC-SHA256-TRAILER", self.stamp, self.scope)
        return v4.sign(self.key, "\n".join((*head, previous, digest)))


class Decoder:
    """Iterate over it for the data; ``trailers`` is complete when the iteration has ended."""

    def __init__(self, read: Callable[[int], bytes], chain: Chain | None, trailing: bool) -> None:
        """Decode what ``read`` returns.

        Args:
            read: reads up to so many bytes of the encoded body; ``b""`` at its end.
            chain: where the signatures start from; None for the unsigned forms.
            trailing: whether trailers follow the last chunk.
        """
        self.trailers: dict[str, str] = {}
        self._read = read
        self._chain = chain
        self._trailing = trailing
        self._previous = chain.seed if chain else ""
        self._buffer, self._at = b"", 0

    def __iter__(self) -> Iterator[bytes]:
        """Yield the data.

        Raises:
            Broken.
            Refusal: MISMATCH.
        """
        size, small = 1, 0
        while size:
            size, signature = self._size()
            small += size < _SMALL
            if small > _MOST_SMALL:
                raise Broken("The body is in too many small chunks.")
            digest = hashlib.sha256()
            left = size
            while left:
                piece = self._some(left)
                left -= len(piece)
                if self._chain:
                    digest.update(piece)
                yield piece
            if size and self._line() != b"":
                raise Broken("A chunk is longer than its size says.")
            self._link(signature, digest.hexdigest())
        self._finish()

    def _size(self) -> tuple[int, str]:
        line = self._line()
        match = (_SIGNED if self._chain else _PLAIN).match(line or b"")
        if match is None:
            raise Broken("A chunk does not begin with its size.")
        return int(match[1], 16), match[2].decode() if self._chain else ""

    def _link(self, signature: str, digest: str) -> None:
        if self._chain is None:
            return
        if not hmac.compare_digest(self._chain.chunk(self._previous, digest), signature):
            raise Refusal(Reason.MISMATCH, "The signature of a chunk does not match its data.")
        self._previous = signature

    def _finish(self) -> None:
        """Read what follows the last chunk: empty lines, and trailers where they are announced."""
        signature = ""
        while (line := self._line()) is not None:
            name, colon, value = line.decode("latin-1").partition(":")
            name = name.strip().lower()
            if not line.strip():
                continue
            repeated = name in self.trailers or len(self.trailers) >= _TRAILERS
            if not colon or not self._trailing or repeated:
                raise Broken("What follows the last chunk is not expected.")
            if name == "x-amz-trailer-signature":
                signature = value.strip()
            else:
                self.trailers[name] = value.strip()
        if self._trailing and self._chain:
            self._seal(self._chain, signature)

    def _seal(self, chain: Chain, signature: str) -> None:
        text = "".join(f"{name}:{value}\n" for name, value in self.trailers.items())
        digest = hashlib.sha256(text.encode("latin-1")).hexdigest()
        expected = chain.trailer(self._previous, digest)
        if not hmac.compare_digest(expected.encode(), signature.encode("latin-1")):
            raise Refusal(Reason.MISMATCH, "The signature of the trailers does not match.")

    # -- reading ---------------------------------------------------------------------------------

    def _some(self, most: int) -> bytes:
        """At least one byte, at most so many."""
        if self._at == len(self._buffer) and not self._fill():
            raise Broken("The body ends within a chunk.")
        piece = self._buffer[self._at : self._at + most]
        self._at += len(piece)
        return piece

    def _line(self) -> bytes | None:
        """A line without its end; None when the body has ended."""
        while (end := self._buffer.find(b"\n", self._at)) < 0:
            if len(self._buffer) - self._at > _LINE:
                raise Broken("A line is too long.")
            if not self._fill():
                line, self._at = self._buffer[self._at :], len(self._buffer)
                return line or None
        line, self._at = self._buffer[self._at : end], end + 1
        return line.removesuffix(b"\r")

    def _fill(self) -> bool:
        """Forget what was used, once for all of it: chunks may be of a byte each."""
        more = self._read(_READ)
        self._buffer, self._at = self._buffer[self._at :] + more, 0
        return bool(more)
