"""Requests signed by real clients' own code, as the other party of the verifiers."""

import base64
import hashlib
import hmac
from typing import Any
from urllib.parse import urlencode, urlsplit

from botocore.auth import SigV2Auth, SigV4Auth, SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from gateway.sign.request import Request

KEY, SECRET = "AKIDEXAMPLE0000000000", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
URL = "http://127.0.0.1:7080/awsapi"
CREDENTIALS = Credentials(KEY, SECRET)


def received(prepared: Any) -> Request:
    """What a server sees of a request that botocore has prepared."""
    parts = urlsplit(prepared.url)
    headers = {
        name.lower(): value.decode() if isinstance(value, bytes) else str(value)
        for name, value in prepared.headers.items()
    }
    headers.setdefault("host", parts.netloc)
    return Request(prepared.method, parts.path or "/", parts.query, headers)


def botocore_v4(
    url: str = URL,
    body: bytes = b"Action=DescribeRegions",
    headers: dict[str, str] | None = None,
    region: str = "cloud1",
) -> Request:
    """A POST signed in its headers."""
    request = AWSRequest("POST", url, headers or {}, body)
    SigV4Auth(CREDENTIALS, "ec2", region).add_auth(request)
    return received(request.prepare())


def botocore_presigned(url: str, expires: int = 60) -> Request:
    """A GET signed in its query."""
    request = AWSRequest("GET", url)
    SigV4QueryAuth(CREDENTIALS, "ec2", "cloud1", expires=expires).add_auth(request)
    return received(request.prepare())


def botocore_v2(params: dict[str, str], url: str = URL) -> tuple[Request, list[tuple[str, str]]]:
    """A POST with signed parameters."""
    request = AWSRequest("POST", url, data=dict(params), params={})
    SigV2Auth(CREDENTIALS).add_auth(request)
    sent = [(str(name), str(value)) for name, value in dict(request.data or {}).items()]
    return received(request.prepare()), sent


def hand_v2(
    params: list[tuple[str, str]], host: str, path: str, method: str = "GET", digest: str = "sha1"
) -> str:
    """The signature as the published rule has it, written without our code."""
    query = urlencode(sorted(params)).replace("+", "%20").replace("%7E", "~")
    text = f"{method}\n{host}\n{path}\n{query}"
    mac = hmac.new(SECRET.encode(), text.encode(), getattr(hashlib, digest))
    return base64.b64encode(mac.digest()).decode()
