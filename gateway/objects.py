"""What the EC2 face may know of an object in S3: what anybody else could find out.

EC2 asks S3 as a client of the caller would, by a presigned URL, only that the request goes to the
application in this process instead of a network. So the switch, the signature and every policy
decide as they always do, and EC2 has no way around them.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from io import BytesIO
from typing import Any

from gateway.credentials import Caller
from gateway.sign.encoding import encode
from gateway.sign.presign import presigned

Wsgi = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]

_LIFETIME = 24 * 3600  # seconds; a download may have to wait for its turn, and to be tried again
_CODE = re.compile(rb"<Code>(\w+)</Code>")
_MD5 = re.compile(r'"([0-9a-f]{32})"\Z')


class Unreadable(Exception):
    """The caller cannot read the object; ``status`` and ``code`` are S3's own words for it."""

    def __init__(self, status: int, code: str) -> None:
        super().__init__(f"HTTP {status} ({code})")
        self.status = status
        self.code = code


@dataclass(frozen=True)
class Found:
    """An object that the caller may read.

    Args:
        url: whoever has it may read the object for a day.
        head: the first bytes.
        md5: hexadecimal, where the ETag is one, else "".
    """

    url: str
    head: bytes
    md5: str


class Objects:
    """The S3 face of this gateway, asked for one object at a time."""

    def __init__(self, s3: Wsgi, url: str, region: str) -> None:
        """Ask this application; ``url`` is where others reach it."""
        self._s3 = s3
        self._url = url.rstrip("/")
        self._region = region

    def find(self, caller: Caller, bucket: str, key: str) -> Found:
        """Look an object up as the caller.

        Raises:
            Unreadable: it is not there, or not for this caller.
        """
        place = f"{self._url}/{encode(bucket)}/{encode(key, '/')}"
        now = datetime.now(UTC)
        url = presigned(place, caller.access_key, caller.secret, self._region, now, _LIFETIME)
        status, headers, body = self._get(url)
        if status not in (200, 206):
            code = _CODE.search(body)
            raise Unreadable(status, code.group(1).decode() if code else "-")
        sealed = headers.get("x-amz-server-side-encryption", "").startswith("aws:kms")
        md5 = None if sealed else _MD5.match(headers.get("etag", ""))
        return Found(url, body, md5.group(1) if md5 else "")

    def location(self, url: str) -> str:
        """``bucket/key`` of a URL of ours, without its query; any other URL as it is."""
        return url.removeprefix(f"{self._url}/")

    def _get(self, url: str) -> tuple[int, dict[str, str], bytes]:
        """The answer to a GET of the first bytes."""
        scheme, _, rest = url.partition("://")
        host, _, target = rest.partition("/")
        path, _, query = target.partition("?")
        told: list[Any] = []

        def start(status: str, headers: list[tuple[str, str]]) -> None:
            told[:] = int(status[:3]), {name.lower(): value for name, value in headers}

        answer = self._s3(
            {
                "REQUEST_METHOD": "GET",
                "RAW_URI": f"/{path}?{query}",
                "PATH_INFO": f"/{path}",
                "QUERY_STRING": query,
                "SERVER_PROTOCOL": "HTTP/1.1",
                "REMOTE_ADDR": "127.0.0.1",
                "HTTP_HOST": host,
                "HTTP_RANGE": "bytes=0-3",
                "wsgi.url_scheme": scheme,
                "wsgi.input": BytesIO(),
            },
            start,
        )
        try:
            body = b"".join(answer)
        finally:
            getattr(answer, "close", lambda: None)()
        return told[0], told[1], body
