"""The client: wrk, which costs a fraction of what any server here does, with requests made ahead.

Requests are whole byte strings, signed before the clock starts, so that all that is measured is
the server. They are valid for a quarter of an hour, as any signature in a header.
"""

import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from tests.gateway.s3.servers import ALICE

_REPLAY = Path(__file__).with_name("replay.lua")
UNSIGNED = "UNSIGNED-PAYLOAD"


class _Signer(S3SigV4Auth):
    """Botocore's signer with the payload hash we say."""

    def __init__(self, digest: str) -> None:
        super().__init__(Credentials(ALICE.access_key, ALICE.secret), "s3", "us-east-1")
        self._digest = digest

    def payload(self, request: Any) -> str:
        return self._digest


def signed(
    port: int,
    method: str,
    path: str,
    body: bytes = b"",
    digest: str = UNSIGNED,
    headers: Mapping[str, str] | None = None,
) -> bytes:
    """One whole request, signed as every SDK does."""
    host = f"127.0.0.1:{port}"
    request = AWSRequest(method, f"http://{host}{path}", headers=dict(headers or {}))
    request.context["payload_signing_enabled"] = True
    _Signer(digest).add_auth(request)
    given = {"Host": host, **dict(request.headers.items())}
    if method in ("PUT", "POST"):
        given["Content-Length"] = str(len(body))
    lines = "".join(f"{name}: {value}\r\n" for name, value in given.items())
    return f"{method} {path} HTTP/1.1\r\n{lines}\r\n".encode() + body


@dataclass(frozen=True)
class Result:
    """What one run came to; rates are per second, latencies in milliseconds."""

    requests: int
    rate: float
    bytes_rate: float
    bad: int
    median: float
    p99: float


def run(
    port: int, requests: Sequence[bytes], concurrent: int, seconds: float, once: bool = False
) -> Result:
    """Send requests over so many connections for so long, or each of them once."""
    with tempfile.NamedTemporaryFile(prefix="pileus-bench-") as file:
        for request in requests:
            file.write(b"%010d" % len(request) + request)
        file.flush()
        options = (f"-d{max(1, round(seconds))}s", "-t1", f"-c{concurrent}", "--timeout=60s")
        command = ("wrk", *options, "-s", str(_REPLAY), f"http://127.0.0.1:{port}/")
        way = "once" if once else "round"
        done = subprocess.run(
            (*command, "--", file.name, way), capture_output=True, text=True, check=True
        )
    line = next(line for line in done.stdout.splitlines() if line.startswith("RESULT "))
    count, micros, received, bad, median, p99 = map(int, line.split()[1:])
    lasted = micros / 1e6
    return Result(count, count / lasted, received / lasted, bad, median / 1000, p99 / 1000)
