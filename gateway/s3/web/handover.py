"""Leaving the sending of an object to nginx, which stands in front of us (``X-Accel-Redirect``).

nginx makes an answer of its own from the file: status, length and range are what it reads out of
the client's request, and of our headers it takes those that its configuration names
(``gateway/nginx.conf``). So an object is handed over when that comes to the very same answer, and
sent by ourselves in any other case: when it does not lie in one plain file, when the request has
conditions or a range that nginx reads differently, or when a header would be lost.
"""

import hmac
import os
import re
from dataclasses import dataclass, field
from pathlib import Path

from gateway.s3.protocol.codec import Headers
from gateway.s3.protocol.reply import Body, Slice
from gateway.sign.request import Request

PROOF = "x-pileus-accel"
"""The header in which nginx proves to be itself; without it a client would get an empty answer."""

METADATA = "mtime,md5chksum,s3cmd-attrs"
"""What rclone and s3cmd keep of every file."""

LOCATION = "@content"
RENAMED = frozenset({"cache-control", "content-disposition", "expires"})
"""Headers that nginx would keep by itself, for another answer too if it cannot read the file."""

_AMAZON = (
    *("request-id", "id-2", "version-id", "expiration", "tagging-count"),
    *("checksum-crc32", "checksum-crc32c", "checksum-crc64nvme", "checksum-sha1"),
    *("checksum-sha256", "checksum-type"),
    *("object-lock-mode", "object-lock-retain-until-date", "object-lock-legal-hold"),
)
_CROSS_ORIGIN = ("allow-origin", "allow-methods", "allow-credentials", "expose-headers", "max-age")

CARRIED = RENAMED.union(
    ("etag", "last-modified", "content-encoding", "content-language", "vary"),
    (f"access-control-{name}" for name in _CROSS_ORIGIN),
    (f"x-amz-{name}" for name in _AMAZON),
)
"""Headers, in lower case, that nginx's configuration passes on by name."""

_OWN = frozenset(("content-type", "content-length", "content-range", "accept-ranges"))
_CONDITIONS = ("if-match", "if-none-match", "if-modified-since", "if-unmodified-since", "if-range")
_RANGE = re.compile(r"bytes=(\d{1,18}-\d{0,18}|-\d{1,18})\Z", re.ASCII)
_CONTENT_RANGE = re.compile(r"bytes (\d+)-\d+/(\d+)\Z", re.ASCII)


@dataclass(frozen=True)
class Handover:
    """The agreement with one nginx.

    Args:
        root: folder that nginx reads; names of files are told relative to it.
        secret: what nginx proves itself with.
        carried: lower-case names of the headers that its configuration passes on.
    """

    root: Path
    secret: str = field(repr=False)
    carried: frozenset[str]

    @classmethod
    def of(cls, root: Path, secret: str, metadata: str = METADATA) -> "Handover":
        """Read it from the settings; names of metadata have commas between."""
        names = (name.strip().lower() for name in metadata.split(","))
        return cls(root, secret, CARRIED | {f"x-amz-meta-{name}" for name in names if name})

    def settle(
        self, request: Request, status: str, headers: Headers, body: bytes | Body
    ) -> tuple[Headers, bytes | Body]:
        """Headers and body to answer with: those of the answer, or what nginx is told instead."""
        if not isinstance(body, Slice) or not self._proven(request):
            return headers, body
        file = Path(body.file.name)
        alike = _read_alike(request, status, headers, body)
        if not alike or not file.is_relative_to(self.root) or not self._all_carried(headers):
            return headers, body
        body.close()
        told = [_told(name, value) for name, value in headers if name.lower() != "content-length"]
        instead = [
            ("Content-Length", "0"),
            ("X-Accel-Redirect", LOCATION),
            ("X-Pileus-File", str(file.relative_to(self.root))),
        ]
        return told + instead, b""

    def _proven(self, request: Request) -> bool:
        shown = request.headers.get(PROOF, "").encode("latin-1", "replace")
        return hmac.compare_digest(shown, self.secret.encode())

    def _all_carried(self, headers: Headers) -> bool:
        """Whether every header reaches the client: nginx drops empty ones and repetitions."""
        names = {name.lower() for name, _ in headers}
        filled = all(value.strip() for _, value in headers)
        return filled and len(names) == len(headers) and names <= self.carried | _OWN


def _read_alike(request: Request, status: str, headers: Headers, body: Slice) -> bool:
    """Whether nginx reads the same out of the request: all of the file, or the same range of it."""
    if request.method != "GET" or any(name in request.headers for name in _CONDITIONS):
        return False
    size = os.fstat(body.file.fileno()).st_size
    wanted = request.headers.get("range")
    if wanted is None:
        return status.startswith("200 ") and (body.start, body.length) == (0, size)
    told = _CONTENT_RANGE.match(dict(headers).get("Content-Range", ""))
    return (
        status.startswith("206 ")
        and _RANGE.match(wanted) is not None
        and told is not None
        and (int(told[1]), int(told[2])) == (body.start, size)
    )


def _told(name: str, value: str) -> tuple[str, str]:
    return (f"X-Pileus-{name}" if name.lower() in RENAMED else name, value)
