"""Signature version 4: the ``Authorization`` header and the presigned URL.

Verification is in two halves, because the secret has to be looked up between them::

    claim = v4.parse(request)                    # None: not a version 4 request
    secret = …look up claim.access_key…
    v4.verify(claim, request, secret, payload_hash, now, v4.Rules(…))

Both raise :class:`Refusal`. Region and service are taken from the credential scope, never from
configuration: old clients cut them out of the host name, others make them up. The scope is covered
by the signature, so nothing is relaxed by believing it.

What differs between services is in :class:`Rules`. S3 signs its path as sent; every other service
signs the normalised path encoded once more. What the body's hash is, is the caller's business:
``payload_hash`` is the hex SHA-256 of the body that came, or one of S3's literal markers.
"""

import functools
import hashlib
import hmac
import posixpath
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from urllib.parse import parse_qsl, unquote_to_bytes

from gateway.sign import stamps
from gateway.sign.encoding import canonical_query, encode
from gateway.sign.refusals import Reason, Refusal
from gateway.sign.request import Request

ALGORITHM = "AWS4-HMAC-SHA256"
EMPTY_HASH = hashlib.sha256(b"").hexdigest()
LONGEST_EXPIRY = 604800  # seconds; a week

_QUERY_MEMBERS = ("Credential", "Date", "Expires", "SignedHeaders", "Signature")
_HEX64 = re.compile(r"[0-9a-f]{64}\Z")
_HEADER = re.compile(r"[!-~]+\Z")
_BLANKS = re.compile(r"[ \t]+")


@dataclass(frozen=True)
class Rules:
    """What a service decides for itself.

    Args:
        path_as_sent: True for S3, whose path is neither normalised nor encoded a second time.
        skew: how far the request's time may be from ours, either way.
    """

    path_as_sent: bool
    skew: timedelta


@dataclass(frozen=True)
class Claim:
    """What a request says about its own signature; nothing of it is verified yet.

    ``expires`` (seconds from ``time``) is set for presigned URLs only.
    """

    access_key: str
    day: str
    region: str
    service: str
    signed_headers: tuple[str, ...]
    signature: str
    time: datetime
    expires: int | None = None

    @property
    def presigned(self) -> bool:
        """Whether the claim came in the query string."""
        return self.expires is not None

    @property
    def scope(self) -> str:
        """The credential scope, as it is signed."""
        return f"{self.day}/{self.region}/{self.service}/aws4_request"

    @functools.cached_property
    def stamp(self) -> str:
        """The request's time, as it is signed."""
        return stamps.spell(self.time)


def parse(request: Request) -> Claim | None:
    """Read the claim of a version 4 request; None when it carries none.

    Raises:
        Refusal: MALFORMED, when there is a claim that cannot be read.
    """
    header = request.header("authorization") or ""
    in_header = header.split(" ", 1)[0].startswith("AWS4-")
    query = _auth_query(request.query)
    if in_header and query:
        raise _malformed("Only one authentication mechanism is allowed in a request.")
    if in_header:
        return _from_header(header, request)
    return _from_query(query) if query else None


def verify(
    claim: Claim, request: Request, secret: str, payload_hash: str, now: datetime, rules: Rules
) -> None:
    """Check times, coverage and signature.

    Raises:
        Refusal: SKEWED, EXPIRED, UNSIGNED or MISMATCH.
    """
    _check_time(claim, now, rules.skew)
    _check_coverage(claim, request)
    key = signing_key(secret, claim.day, claim.region, claim.service)
    for path in _canonical_paths(request.path, rules):
        text = string_to_sign(claim, canonical_request(claim, request, path, payload_hash))
        if hmac.compare_digest(sign(key, text), claim.signature):
            return
    raise Refusal(
        Reason.MISMATCH,
        "The request signature we calculated does not match the signature you provided. "
        "Check your secret access key and signing method.",
    )


@functools.lru_cache(maxsize=4096)
def signing_key(secret: str, day: str, region: str, service: str) -> bytes:
    """The key of one day, region and service; kept, since every request of a day shares it."""
    key = f"AWS4{secret}".encode()
    for part in (day, region, service, "aws4_request"):
        key = hmac.digest(key, part.encode(), "sha256")
    return key


def sign(key: bytes, text: str) -> str:
    """The lower-case hex signature of a string under a signing key."""
    return hmac.digest(key, text.encode(), "sha256").hex()


def string_to_sign(claim: Claim, canonical: str) -> str:
    """What the signature is computed over."""
    digest = hashlib.sha256(canonical.encode("latin-1")).hexdigest()
    return "\n".join((ALGORITHM, claim.stamp, claim.scope, digest))


def canonical_request(claim: Claim, request: Request, path: str, payload_hash: str) -> str:
    """The request in canonical form; ``path`` is already canonical.

    As everything of a WSGI request, it is bytes spelled in Latin-1.
    """
    without = frozenset(("X-Amz-Signature",)) if claim.presigned else frozenset[str]()
    lines = (f"{name}:{_squeeze(request.header(name) or '')}\n" for name in claim.signed_headers)
    return "\n".join(
        (
            request.method,
            path,
            canonical_query(request.query, without),
            "".join(lines),
            ";".join(claim.signed_headers),
            payload_hash,
        )
    )


# -- reading the claim -------------------------------------------------------------------------


def _from_header(header: str, request: Request) -> Claim:
    algorithm, _, rest = header.partition(" ")
    if algorithm != ALGORITHM:
        raise _malformed(f"The signing algorithm {algorithm!r} is not supported.")
    parts = dict[str, str]()
    for part in rest.split(","):
        name, _, value = part.strip().partition("=")
        parts[name] = value
    stamp = request.header("x-amz-date") or request.header("date") or ""
    try:
        return _claim(parts, stamp, None)
    except KeyError as absent:
        raise _malformed(f"The Authorization header has no {absent.args[0]}.") from None


def _auth_query(query: str) -> dict[str, str]:
    """The X-Amz-* parameters of a presigned URL; empty when it is none."""
    if "X-Amz-" not in query:
        return {}
    found = {n: v for n, v in parse_qsl(query, keep_blank_values=True) if n.startswith("X-Amz-")}
    return found if "X-Amz-Signature" in found or "X-Amz-Algorithm" in found else {}


def _from_query(query: dict[str, str]) -> Claim:
    if query.get("X-Amz-Algorithm") != ALGORITHM:
        raise _malformed(f"X-Amz-Algorithm must be {ALGORITHM}.")
    for name in _QUERY_MEMBERS:
        if not query.get(f"X-Amz-{name}"):
            raise _malformed(f"The query string has no X-Amz-{name}.")
    expires = query["X-Amz-Expires"]
    if not expires.isascii() or not expires.isdigit() or len(expires) > 9:
        raise _malformed("X-Amz-Expires must be a number of seconds.")
    if not 1 <= int(expires) <= LONGEST_EXPIRY:
        raise _malformed(f"X-Amz-Expires must be between 1 and {LONGEST_EXPIRY} seconds.")
    parts = {name: query[f"X-Amz-{name}"] for name in _QUERY_MEMBERS}
    return _claim(parts, query["X-Amz-Date"], int(expires))


def _claim(parts: dict[str, str], stamp: str, expires: int | None) -> Claim:
    scope = parts["Credential"].rsplit("/", 4)
    if len(scope) != 5 or not scope[0] or scope[4] != "aws4_request":
        raise _malformed("The credential must be KEY/DATE/REGION/SERVICE/aws4_request.")
    names = tuple(parts["SignedHeaders"].split(";"))
    plain = all(map(_HEADER.match, names))
    if not plain or list(names) != sorted({name.lower() for name in names}):
        raise _malformed("SignedHeaders must be lower-case names in order, separated by ';'.")
    signature = parts["Signature"]
    if not _HEX64.match(signature):
        raise _malformed("The signature must be 64 hexadecimal digits.")
    time = _time(stamp)
    claim = Claim(scope[0], scope[1], scope[2], scope[3], names, signature, time, expires)
    if not claim.stamp.startswith(f"{claim.day}T"):
        raise _malformed("The date of the credential scope is not the date of the request.")
    return claim


def _time(stamp: str) -> datetime:
    """X-Amz-Date or Date, in ISO basic or RFC 1123 form."""
    if (usual := stamps.parse(stamp)) is not None:
        return usual
    try:
        time = parsedate_to_datetime(stamp)
        return time.astimezone(UTC) if time.tzinfo else time.replace(tzinfo=UTC)
    except (ValueError, IndexError, OverflowError):
        raise _malformed("The request needs a valid X-Amz-Date or Date header.") from None


# -- checks --------------------------------------------------------------------------------------


def _check_time(claim: Claim, now: datetime, skew: timedelta) -> None:
    if claim.expires is None:
        if abs(now - claim.time) > skew:
            raise Refusal(
                Reason.SKEWED,
                f"The request's time ({claim.stamp}) is too far from the current time "
                f"({stamps.spell(now)}).",
            )
        return
    if claim.time - now > skew:
        raise Refusal(Reason.SKEWED, "The URL is not valid yet: its X-Amz-Date is in the future.")
    if now > claim.time + timedelta(seconds=claim.expires):
        raise Refusal(Reason.EXPIRED, "Request has expired.")


def _check_coverage(claim: Claim, request: Request) -> None:
    """``host`` and every ``x-amz-`` header decide something, so the signature must cover them."""
    signed = {name.replace("_", "-") for name in claim.signed_headers}
    if "host" not in signed:
        raise Refusal(Reason.UNSIGNED, "The host header must be signed.")
    for name in request.headers:
        if name.startswith("x-amz-") and name not in signed:
            raise Refusal(Reason.UNSIGNED, f"The header {name} is present but not signed.")


def _canonical_paths(path: str, rules: Rules) -> tuple[str, ...]:
    """The forms of the path a signer may have used, the usual one first."""
    if not rules.path_as_sent:
        return (encode(_normal(path).encode("latin-1"), "/"),)
    again = encode(unquote_to_bytes(path.encode("latin-1")), "/")
    return (path,) if again == path else (path, again)


def _normal(path: str) -> str:
    """Without dot segments and double slashes; a trailing slash stays."""
    flat = posixpath.normpath("/" + path.lstrip("/"))
    return flat + "/" if path.endswith("/") and flat != "/" else flat


def _squeeze(value: str) -> str:
    return _BLANKS.sub(" ", value).strip(" ")


def _malformed(public: str) -> Refusal:
    return Refusal(Reason.MALFORMED, public)
