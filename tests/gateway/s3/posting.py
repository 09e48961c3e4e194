"""Forms as browsers post them, made by hand."""

import base64
import hmac
import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from gateway.credentials import Caller
from tests.gateway.s3.raw import Answer, send
from tests.gateway.s3.servers import ALICE, Server

BOUNDARY = b"----WebKitFormBoundaryX"


def part(name: str, value: bytes, filename: str | None = None) -> bytes:
    """One part, with the delimiter before it."""
    more = "" if filename is None else f'; filename="{filename}"\r\nContent-Type: text/plain'
    head = f'Content-Disposition: form-data; name="{name}"{more}\r\n\r\n'
    return b"--" + BOUNDARY + b"\r\n" + head.encode() + value + b"\r\n"


def body(
    fields: Mapping[str, str], file: bytes, filename: str = "a.txt", end: bytes = b"--\r\n"
) -> bytes:
    """A whole form, its file last."""
    parts = [part(name, value.encode()) for name, value in fields.items()]
    return b"".join((*parts, part("file", file, filename), b"--" + BOUNDARY + end))


def post(
    server: Server,
    bucket: str,
    fields: Mapping[str, str],
    file: bytes = b"data",
    filename: str = "a.txt",
    **headers: str,
) -> Answer:
    """Post a form to a bucket."""
    kind = f"multipart/form-data; boundary={BOUNDARY.decode()}"
    given = {"Host": server.host, "Content-Type": kind, **headers}
    return send(server, "POST", f"/{bucket}", given, body(fields, file, filename))


def policy(*conditions: Any, lasts: timedelta = timedelta(minutes=5)) -> str:
    """A policy's text, from now on for some time."""
    end = (datetime.now(UTC) + lasts).strftime("%Y-%m-%dT%H:%M:%SZ")
    return json.dumps({"expiration": end, "conditions": list(conditions)})


def signed(text: str, who: Caller = ALICE) -> dict[str, str]:
    """The fields that prove a policy, by signature version 2."""
    sent = base64.b64encode(text.encode()).decode()
    digest = hmac.digest(who.secret.encode(), sent.encode(), "sha1")
    return {
        "AWSAccessKeyId": who.access_key,
        "policy": sent,
        "signature": base64.b64encode(digest).decode(),
    }
