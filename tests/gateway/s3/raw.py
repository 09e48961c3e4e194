"""Requests down to the byte: signed by botocore or by hand, sent through a plain socket."""

import base64
import hashlib
import hmac
import re
import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any
from urllib.parse import urlsplit

from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from gateway.credentials import Caller
from tests.gateway.s3.servers import ALICE, Server

EMPTY = hashlib.sha256(b"").hexdigest()
REGION = "us-east-1"


@dataclass(frozen=True)
class Answer:
    """What came back. Header names are lower-case."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    closed: bool = field(default=False, compare=False)

    @property
    def code(self) -> str:
        """The error's code, or ""."""
        found = re.search(rb"<Code>(.*?)</Code>", self.body)
        return found[1].decode() if found else ""


class _Signer(S3SigV4Auth):
    """Botocore's signer with the payload hash we say."""

    def __init__(self, who: Caller, digest: str) -> None:
        super().__init__(Credentials(who.access_key, who.secret), "s3", REGION)
        self._digest = digest

    def payload(self, request: Any) -> str:
        return self._digest


def signed(
    server: Server,
    method: str,
    path: str,
    headers: Mapping[str, str] | None = None,
    digest: str = EMPTY,
    who: Caller = ALICE,
) -> dict[str, str]:
    """All headers of a version 4 request."""
    request = AWSRequest(method, server.url + path, headers=dict(headers or {}))
    request.context["payload_signing_enabled"] = True
    _Signer(who, digest).add_auth(request)
    return {"Host": server.host, **dict(request.headers.items())}


def signed_v2(
    server: Server,
    method: str,
    path: str,
    headers: Mapping[str, str] | None = None,
    who: Caller = ALICE,
    resource: str | None = None,
    now: datetime | None = None,
) -> dict[str, str]:
    """All headers of a version 2 request, signed by hand."""
    given = {"Date": format_datetime(now or datetime.now(UTC), usegmt=True), **(headers or {})}
    lower = {name.lower(): value for name, value in given.items()}
    date = "" if "x-amz-date" in lower else lower["date"]
    lines = [method, lower.get("content-md5", ""), lower.get("content-type", ""), date]
    lines += [f"{n}:{v}" for n, v in sorted(lower.items()) if n.startswith("x-amz-")]
    text = "\n".join([*lines, resource or urlsplit(path).path])
    signature = base64.b64encode(hmac.digest(who.secret.encode(), text.encode("latin-1"), "sha1"))
    return {
        "Host": server.host,
        **given,
        "Authorization": f"AWS {who.access_key}:{signature.decode()}",
    }


def send(
    server: Server,
    method: str,
    path: str,
    headers: Mapping[str, str],
    body: bytes | Sequence[bytes] = b"",
    *,
    hang_up: bool = False,
) -> Answer:
    """Send exactly this and read the answer.

    Args:
        body: in one piece or in several sends.
        hang_up: stop sending after it, as a client that dies.
    """
    given = dict(headers)
    pieces = [body] if isinstance(body, bytes) else list(body)
    if (
        "Transfer-Encoding" not in given
        and "Content-Length" not in given
        and method in ("PUT", "POST")
    ):
        given["Content-Length"] = str(sum(map(len, pieces)))
    head = f"{method} {path} HTTP/1.1\r\n" + "".join(f"{n}: {v}\r\n" for n, v in given.items())
    with socket.create_connection(("127.0.0.1", server.port), timeout=60) as connection:
        connection.sendall(head.encode("latin-1") + b"\r\n")
        for piece in pieces:
            connection.sendall(piece)
        if hang_up:
            connection.shutdown(socket.SHUT_WR)
        return receive(connection, method)


def call(
    server: Server,
    method: str,
    path: str,
    body: bytes = b"",
    digest: str = "UNSIGNED-PAYLOAD",
    **more: str,
) -> Answer:
    """A request signed by Alice; underscores in the names of headers stand for hyphens."""
    given = {name.replace("_", "-"): value for name, value in more.items()}
    return send(server, method, path, signed(server, method, path, given, digest), body)


def receive(connection: socket.socket, method: str) -> Answer:
    """Read one answer."""
    data = b""
    while b"\r\n\r\n" not in data:
        more = connection.recv(65536)
        if not more:
            raise ConnectionError(f"the server hung up after {data!r}")
        data += more
    head, _, rest = data.partition(b"\r\n\r\n")
    status, *lines = head.decode("latin-1").split("\r\n")
    headers = {n.lower(): v.strip() for n, _, v in (line.partition(":") for line in lines)}
    number = int(status.split()[1])
    if number == 100:
        connection.settimeout(60)
        return receive(_Ahead(connection, rest), method)  # type: ignore[arg-type]
    length = 0 if method == "HEAD" or number in (204, 304) else int(headers["content-length"])
    while len(rest) < length:
        more = connection.recv(65536)
        if not more:
            raise ConnectionError("the server hung up within the answer")
        rest += more
    return Answer(number, headers, rest)


class _Ahead:
    """A connection of which some bytes were read already."""

    def __init__(self, connection: socket.socket, data: bytes) -> None:
        self._connection, self._data = connection, data

    def recv(self, most: int) -> bytes:
        data, self._data = self._data, b""
        return data or self._connection.recv(most)


# -- aws-chunked -----------------------------------------------------------------------------------


@dataclass
class Chunks:
    """Encodes a body in the ``aws-chunked`` way and signs it on from a request's signature."""

    headers: Mapping[str, str]
    who: Caller = ALICE
    previous: str = ""

    def __post_init__(self) -> None:
        self.previous = self.headers["Authorization"].rpartition("Signature=")[2]
        stamp = self.headers["X-Amz-Date"]
        scope = f"{stamp[:8]}/{REGION}/s3/aws4_request"
        self._head = f"{stamp}\n{scope}"
        key = f"AWS4{self.who.secret}".encode()
        for part in (stamp[:8], REGION, "s3", "aws4_request"):
            key = hmac.digest(key, part.encode(), "sha256")
        self._key = key

    def chunk(self, data: bytes) -> bytes:
        """One signed chunk."""
        digest = hashlib.sha256(data).hexdigest()
        self._sign(f"AWS4-HMAC-SHA256-PAYLOAD\n{self._head}\n{self.previous}\n{EMPTY}\n{digest}")
        end = b"\r\n" if data else b""
        return b"%x;chunk-signature=%s\r\n%s%s" % (len(data), self.previous.encode(), data, end)

    def trailer(self, line: str) -> bytes:
        """A signed trailer."""
        digest = hashlib.sha256(f"{line}\n".encode()).hexdigest()
        self._sign(f"AWS4-HMAC-SHA256-TRAILER\n{self._head}\n{self.previous}\n{digest}")
        return f"{line}\r\nx-amz-trailer-signature:{self.previous}\r\n\r\n".encode()

    def _sign(self, text: str) -> None:
        self.previous = hmac.digest(self._key, text.encode(), "sha256").hex()
