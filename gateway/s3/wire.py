"""The body as it comes over the wire, never read beyond its end."""

from collections.abc import Mapping
from typing import Any

from gateway.s3.faults import S3Fault

PIECE = 1 << 20  # bytes read at once


class Wire:
    """The undecoded body of one request."""

    def __init__(self, environ: Mapping[str, Any]) -> None:
        self._input = environ["wsgi.input"]
        self.unbounded = "chunked" in environ.get("HTTP_TRANSFER_ENCODING", "").lower()
        declared = environ.get("CONTENT_LENGTH") or ""
        self.length = int(declared) if declared.isdigit() and not self.unbounded else None
        self._left = self.length or 0

    def read(self, most: int) -> bytes:
        """Up to so many bytes; ``b""`` at the end.

        Raises:
            S3Fault: IncompleteBody, when the client goes away before it.
        """
        most = most if self.unbounded else min(most, self._left)
        if not most:
            return b""
        try:
            data: bytes = self._input.read(most)
        except Exception as error:  # every server has its own for a client that went away
            self._left, self.unbounded = 0, False
            raise S3Fault("IncompleteBody") from error
        if not data:
            cut, self._left, self.unbounded = not self.unbounded, 0, False
            if cut:
                raise S3Fault("IncompleteBody")
        self._left -= len(data)
        return data

    def drain(self, most: int) -> None:
        """Read and forget what was not read, so that a client still sending sees the answer."""
        try:
            while most > 0 and (data := self.read(min(most, PIECE))):
                most -= len(data)
        except S3Fault:
            return  # the client has gone; there is nobody to tell
