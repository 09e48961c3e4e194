"""The body as it comes over the wire, never read beyond its end."""

import socket
from collections.abc import Mapping
from typing import Any, Protocol

from gateway.deadlines import DEADLINES
from gateway.s3.faults import S3Fault

PIECE = 256 << 10  # bytes read at once; every thread holds a few of them
_LINGER = 1.0  # seconds to wait for more of a body that nobody wants
PATIENCE = 30.0  # seconds
PORTION = 512 << 10  # bytes of a body that have to come while the patience lasts


class Source(Protocol):
    """Where a body comes from. Without a length, and not unbounded, there is none."""

    @property
    def length(self) -> int | None:
        """Its bytes, None when only its end will tell."""

    @property
    def unbounded(self) -> bool:
        """Whether it says itself where it ends."""

    def read(self, most: int) -> bytes:
        """Up to about so many bytes; ``b""`` at the end."""


class Wire:
    """The undecoded body of one request.

    A client has to be able to go on: one that neither sends nor takes anything for a while, or
    sends too slowly to ever come to an end, is given up. Where the server shows us no socket it has
    to see to that itself.
    """

    def __init__(self, environ: Mapping[str, Any], patience: float = PATIENCE) -> None:
        """Look at a request; ``patience`` is how long, in seconds, its client may stand still."""
        self._input = environ["wsgi.input"]
        self._patience = patience
        self._socket: socket.socket | None = environ.get("gunicorn.socket")
        if self._socket is not None:
            self._socket.settimeout(patience)
        self.unbounded = "chunked" in environ.get("HTTP_TRANSFER_ENCODING", "").lower()
        declared = environ.get("CONTENT_LENGTH") or ""
        self.length = int(declared) if declared.isdigit() and not self.unbounded else None
        self._left = self.length or 0

    def read(self, most: int) -> bytes:
        """Up to so many bytes; ``b""`` at the end.

        Raises:
            S3Fault: IncompleteBody, when the client goes away before it; RequestTimeout.
        """
        most = most if self.unbounded else min(most, self._left)
        if not most:
            return b""
        try:
            data = self._receive(most)
        except S3Fault:
            self._left, self.unbounded = 0, False
            raise
        if not data:
            cut, self._left, self.unbounded = not self.unbounded, 0, False
            if cut:
                raise S3Fault("IncompleteBody")
        self._left -= len(data)
        return data

    def _receive(self, most: int) -> bytes:
        """What the server gives us, as long as the client is quick enough."""
        if self._socket is None:
            return self._ask(most)
        seconds = self._patience * (1 + most / PORTION)
        with DEADLINES.limit(self._socket, seconds, socket.SHUT_RD) as limit:
            try:
                data = self._ask(most)
            except S3Fault:
                if limit.passed:
                    raise S3Fault("RequestTimeout") from None
                raise
        if limit.passed:
            raise S3Fault("RequestTimeout")
        return data

    def _ask(self, most: int) -> bytes:
        try:
            data: bytes = self._input.read(most)
        except TimeoutError as error:
            raise S3Fault("RequestTimeout") from error
        except Exception as error:  # every server has its own for a client that went away
            raise S3Fault("IncompleteBody") from error
        return data

    def drain(self, most: int) -> None:
        """Read and forget what was not read, so that a client still sending sees the answer.

        One that has stopped sending waits for it, and does not have to wait long.
        """
        if not self._left and not self.unbounded:
            return
        if self._socket is not None:
            self._socket.settimeout(min(self._patience, _LINGER))
        try:
            while most > 0 and (data := self.read(min(most, PIECE))):
                most -= len(data)
        except S3Fault:
            return  # the client has gone; there is nobody to tell
        finally:
            if self._socket is not None:
                self._socket.settimeout(self._patience)
