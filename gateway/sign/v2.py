"""Signature version 2 of the EC2 Query API: an HMAC over the sorted parameters.

The received parameters are decoded and then encoded again: clients differ in what they escape, but
all of them sign the one canonical form. Only one source of parameters (query or body) is ever
signed, so the caller must pass that source and use no other.
"""

import base64
import binascii
import hashlib
import hmac
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from gateway.sign.encoding import Pairs, encode
from gateway.sign.refusals import Reason, Refusal
from gateway.sign.request import Request

_DIGESTS = {"HmacSHA256": hashlib.sha256, "HmacSHA1": hashlib.sha1}
_ISO = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?(Z|[+-]\d\d:?\d\d)?\Z")


@dataclass(frozen=True)
class Claim:
    """What the parameters say about their own signature; nothing of it is verified yet.

    Exactly one of ``timestamp`` (when it was made) and ``expires`` (when it ends) is set.
    """

    access_key: str
    signature: bytes
    method: str
    timestamp: datetime | None
    expires: datetime | None


def parse(params: Pairs) -> Claim | None:
    """Read the claim of a version 2 request; None when the parameters carry none.

    Raises:
        Refusal: MALFORMED, when there is a claim that cannot be read.
    """
    given = dict(params)
    if not given.get("AWSAccessKeyId") and not given.get("Signature"):
        return None
    for name in ("AWSAccessKeyId", "Signature", "SignatureMethod", "SignatureVersion"):
        if not given.get(name):
            raise _malformed(f"A signed request must contain the parameter {name}.")
    if given["SignatureVersion"] != "2":
        raise _malformed("SignatureVersion must be 2.")
    if given["SignatureMethod"] not in _DIGESTS:
        raise _malformed("SignatureMethod must be HmacSHA256 or HmacSHA1.")
    timestamp, expires = given.get("Timestamp"), given.get("Expires")
    if bool(timestamp) == bool(expires):
        raise _malformed("A signed request must contain either Timestamp or Expires.")
    return Claim(
        given["AWSAccessKeyId"],
        _signature(given["Signature"]),
        given["SignatureMethod"],
        _time("Timestamp", timestamp) if timestamp else None,
        _time("Expires", expires) if expires else None,
    )


def verify(
    claim: Claim, request: Request, params: Pairs, secret: str, now: datetime, skew: timedelta
) -> None:
    """Check time and signature.

    Raises:
        Refusal: EXPIRED or MISMATCH.
    """
    _check_time(claim, now, skew)
    text = string_to_sign(request, params)
    expected = hmac.new(secret.encode(), text.encode(), _DIGESTS[claim.method]).digest()
    if not hmac.compare_digest(expected, claim.signature):
        raise Refusal(Reason.MISMATCH, "The signature does not match the request.")


def string_to_sign(request: Request, params: Pairs) -> str:
    """What the signature is computed over: four lines."""
    pairs = sorted(
        ((name, value) for name, value in params if name != "Signature"),
        key=lambda pair: (pair[0].encode(), pair[1].encode()),
    )
    query = "&".join(f"{encode(name)}={encode(value)}" for name, value in pairs)
    return "\n".join((request.method, (request.header("host") or "").lower(), request.path, query))


def _check_time(claim: Claim, now: datetime, skew: timedelta) -> None:
    if claim.expires is not None and now > claim.expires:
        raise Refusal(Reason.EXPIRED, "Request has expired.")
    if claim.timestamp is not None and abs(now - claim.timestamp) > skew:
        raise Refusal(
            Reason.EXPIRED,
            f"Request has expired. Timestamp is {claim.timestamp:%Y-%m-%dT%H:%M:%SZ}, "
            f"the current time is {now:%Y-%m-%dT%H:%M:%SZ}.",
        )


def _signature(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise _malformed("Signature must be base64.") from None


def _time(name: str, text: str) -> datetime:
    """ISO 8601 with or without milliseconds; without a zone it is UTC."""
    if not _ISO.match(text):
        raise _malformed(f"{name} must be a time like 2010-11-15T12:00:00Z.")
    try:
        time = datetime.fromisoformat(text)
        return time.astimezone(UTC) if time.tzinfo else time.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        raise _malformed(f"{name} is not a time that exists.") from None


def _malformed(public: str) -> Refusal:
    return Refusal(Reason.MALFORMED, public)
