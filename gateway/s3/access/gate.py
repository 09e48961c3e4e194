"""Who is calling, proved by a signature of either version, in the headers or in the query.

The request's own time is judged before its signature, so that a client with a wrong clock is told
so. A secret is looked up once more before a signature is refused: a key rotated this moment works.
Where two spellings of a signed thing come to the same WSGI name or path, all of them are tried.
"""

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TypeVar

from gateway.credentials import NOBODY, Caller, CredentialSource
from gateway.native import NativeFault
from gateway.s3 import router
from gateway.s3.faults import S3Fault
from gateway.s3.options import Options
from gateway.s3.protocol import clock, codec
from gateway.s3.protocol.content import Payload
from gateway.s3.protocol.target import Target
from gateway.s3.web import handover
from gateway.sign import postpolicy, s3v2, v4
from gateway.sign.chunked import Chain
from gateway.sign.refusals import Reason, Refusal
from gateway.sign.request import Request

T = TypeVar("T")

_UNSIGNED = "UNSIGNED-PAYLOAD"
_STREAMING = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"
_TRAILER = "-TRAILER"
_UNSIGNED_TRAILER = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
_HASH = "x-amz-content-sha256"
_SESSION = "x-amz-security-token"
_NEWER, _OLDER = "AWS4-HMAC-SHA256", "AWS"
_HEX64 = re.compile(r"[0-9a-f]{64}\Z")
_TOKEN = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+\Z")
# A customer's key, and what nginx adds behind the client's back; underscores are dashes to WSGI.
_SECRETS = "|".join(("server-side-encryption-customer-key", handover.PROOF)).replace("-", "[-_]")
_SECRET = re.compile(rf"((?:{_SECRETS})[:=])[^\n&]*", re.I)


@dataclass(frozen=True)
class Proof:
    """How a caller proved who they are, in the words of policies; nothing of it for nobody.

    Args:
        version: ``AWS4-HMAC-SHA256`` or ``AWS``.
        type: ``REST-HEADER``, ``REST-QUERY-STRING`` or ``POST``.
        signed: when, for presigned requests that say so.
    """

    version: str = ""
    type: str = ""
    signed: datetime | None = None


@dataclass(frozen=True)
class Admission:
    """A caller who is who they say, or nobody in particular.

    Args:
        payload: what the signature says about the body.
        headers: by lower-case name; metadata names as the caller spelled them.
    """

    caller: Caller
    payload: Payload
    headers: Mapping[str, str]
    proof: Proof = Proof()


class Gate:
    """Verifies every request of one endpoint."""

    def __init__(
        self,
        credentials: CredentialSource,
        options: Options,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._credentials = credentials
        self._options = options
        self._now = now

    def admit(self, request: Request, target: Target) -> Admission:
        """Find out who is calling; without a signature it is nobody.

        Args:
            request: with its plus signs in the query encoded, since they stand for themselves.

        Raises:
            S3Fault: AccessDenied and everything else that is wrong with a signature.
        """
        header = request.header("authorization") or ""
        newer = not {"X-Amz-Algorithm", "X-Amz-Signature"}.isdisjoint(target.query)
        older = not {"AWSAccessKeyId", "Signature"}.isdisjoint(target.query)
        if bool(header) + newer + older > 1:
            raise S3Fault("InvalidArgument", "Only one auth mechanism allowed.")
        if header.startswith("AWS4-") or newer:
            return self._newer(request, target)
        if header.startswith("AWS ") or older:
            return self._older(request, target)
        if header:
            raise S3Fault("InvalidArgument", "Unsupported Authorization Type")
        return _unsigned(request, target)

    def admit_form(self, claim: postpolicy.Claim | None) -> Caller:
        """Find out whose form was posted, from the signature of its policy.

        Args:
            claim: None for a form that names nobody, as nobody may post one too.

        Raises:
            S3Fault: AccessDenied, InvalidAccessKeyId, SignatureDoesNotMatch.
        """
        if claim is None:
            return NOBODY
        try:
            proved = self._proved(claim.access_key, lambda secret: postpolicy.verify(claim, secret))
        except Refusal as refusal:
            echo = {
                "AWSAccessKeyId": claim.access_key,
                "StringToSign": claim.policy,
                "SignatureProvided": claim.signature,
            }
            raise _refused(refusal, echo) from None
        return proved[0]

    # -- version 4 -------------------------------------------------------------------------------

    def _newer(self, request: Request, target: Target) -> Admission:
        presigned = request.header("authorization") is None
        if not presigned:
            self._check_clock(request)
        try:
            claim = v4.parse(request)
        except Refusal as refusal:
            raise _malformed(presigned, refusal.public) from None
        if claim is None or claim.service != "s3":
            raise _malformed(presigned, 'The credential scope must name the service "s3".')
        _no_token(request, target)
        digest = _payload_hash(claim, request, target)

        def verify(secret: str) -> bytes:
            self._verify(claim, request, secret, digest, mounted=not target.virtual)
            return v4.signing_key(secret, claim.day, claim.region, claim.service)

        try:
            caller, key = self._proved(claim.access_key, verify)
        except Refusal as refusal:
            raise _refused(refusal, _echo(claim, request, digest)) from None
        chain = Chain(key, claim.stamp, claim.scope, claim.signature)
        spelled = {
            name.replace("_", "-"): name for name in claim.signed_headers if s3v2.META in name
        }
        headers = {spelled.get(name, name): value for name, value in request.headers.items()}
        if presigned:
            headers = _hoisted(target) | headers
        proof = Proof(_NEWER, _kind(presigned), claim.time if presigned else None)
        return Admission(caller, _payload(digest, chain), headers, proof)

    def _verify(
        self, claim: v4.Claim, request: Request, secret: str, digest: str, *, mounted: bool
    ) -> None:
        """Against the path as it came, then with the mount put before it or cut off.

        Args:
            mounted: whether the mount may be part of the path; else the whole path is the key.
        """
        rules = v4.Rules(path_as_sent=True, skew=self._options.skew)
        try:
            v4.verify(claim, request, secret, digest, self._now(), rules)
        except Refusal as refusal:
            if refusal.reason is not Reason.MISMATCH or not mounted:
                raise
            mount = self._options.mount
            bare = request.path.removeprefix(mount)
            other = replace(request, path=mount + bare if bare == request.path else bare or "/")
            v4.verify(claim, other, secret, digest, self._now(), rules)

    # -- version 2 -------------------------------------------------------------------------------

    def _older(self, request: Request, target: Target) -> Admission:
        try:
            claim = s3v2.parse(request, target.query)
        except Refusal as refusal:
            raise S3Fault("AccessDenied", refusal.public) from None
        if claim is None:
            raise S3Fault("AccessDenied")
        if claim.expires is None:
            self._check_clock(request)
        else:
            self._check_expiry(claim.expires)
        _no_token(request, target)
        mount = self._options.mount
        if target.virtual:  # what the host says is signed as if the path said it
            request, mount = replace(request, path=f"/{target.bucket}{request.path}"), ""
        carried = {} if claim.expires is None else _hoisted(target, router.CARRIED)
        sent = {name: value for name, value in request.headers.items() if value}
        full = replace(request, headers={**request.headers, **carried, **sent})

        def verify(secret: str) -> tuple[Request, frozenset[str]]:
            """Against the headers as they came, then with those that the URL brings along.

            In the first case what else is in the query was not signed, and stands for nothing.
            """
            try:
                return request, s3v2.verify(claim, request, secret, mount)
            except Refusal:
                if not carried:
                    raise
                return full, s3v2.verify(claim, full, secret, mount)

        try:
            caller, (request, underscored) = self._proved(claim.access_key, verify)
        except Refusal as refusal:
            text, _ = next(s3v2.strings_to_sign(claim, request, mount))
            echo = {
                "AWSAccessKeyId": claim.access_key,
                "StringToSign": _shown(text.decode("utf-8", "replace")),
                "SignatureProvided": claim.signature,
            }
            raise _refused(refusal, echo) from None
        headers = {
            s3v2.spelled(name) if name in underscored else name: value
            for name, value in request.headers.items()
        }
        proof = Proof(_OLDER, _kind(claim.expires is not None))
        return Admission(caller, _payload(headers.get(_HASH, _UNSIGNED), None), headers, proof)

    def _check_expiry(self, expires: str) -> None:
        if not expires.isascii() or not expires.isdigit() or len(expires) > 12:
            raise S3Fault("AccessDenied", "Invalid date (should be seconds since epoch)")
        if int(expires) < self._now().timestamp():
            raise S3Fault("AccessDenied", "Request has expired", {"Expires": expires})

    # -- both ------------------------------------------------------------------------------------

    def _check_clock(self, request: Request) -> None:
        """Of a request signed in its headers: x-amz-date counts, if it is there."""
        sent = request.header("x-amz-date")
        time = clock.parse(sent if sent is not None else request.header("date") or "")
        if time is None:
            raise S3Fault(
                "AccessDenied", "AWS authentication requires a valid Date or x-amz-date header"
            )
        now = self._now()
        if abs(now - time) > self._options.skew:
            raise S3Fault(
                "RequestTimeTooSkewed",
                extras={
                    "RequestTime": sent or request.header("date") or "",
                    "ServerTime": now.strftime("%Y-%m-%dT%H:%M:%SZ"),
                    "MaxAllowedSkewMilliseconds": str(
                        int(self._options.skew.total_seconds()) * 1000
                    ),
                },
            )

    def _proved(self, access_key: str, verify: Callable[[str], T]) -> tuple[Caller, T]:
        caller = self._find(access_key)
        try:
            return caller, verify(caller.secret)
        except Refusal as refusal:
            if refusal.reason is not Reason.MISMATCH:
                raise
            fresh = self._find(access_key, fresh=True)
            if fresh.secret == caller.secret:
                raise
            return fresh, verify(fresh.secret)

    def _find(self, access_key: str, fresh: bool = False) -> Caller:
        try:
            caller = self._credentials.find(access_key, fresh=fresh)
        except NativeFault as fault:
            raise S3Fault("ServiceUnavailable", "Credentials cannot be looked up now.") from fault
        if caller is None or not caller.enabled:
            raise S3Fault("InvalidAccessKeyId", extras={"AWSAccessKeyId": access_key})
        return caller


def _unsigned(request: Request, target: Target) -> Admission:
    """Nobody's request."""
    _no_token(request, target)
    payload = _payload(request.header(_HASH) or _UNSIGNED, None)
    return Admission(NOBODY, payload, request.headers)


def _kind(presigned: bool) -> str:
    return "REST-QUERY-STRING" if presigned else "REST-HEADER"


def _payload_hash(claim: v4.Claim, request: Request, target: Target) -> str:
    """What stands in the canonical request for the body."""
    sent = request.header(_HASH)
    if claim.presigned:
        said = target.query.get("X-Amz-Content-Sha256") or _UNSIGNED
        return sent or said.encode().decode("latin-1")  # as all that is signed is spelled
    if sent is None:
        raise S3Fault("MissingSecurityHeader", f"Missing required header for this request: {_HASH}")
    return sent


def _payload(digest: str, chain: Chain | None) -> Payload:
    """What a payload hash says about the body.

    Raises:
        S3Fault: InvalidArgument, InvalidRequest, NotImplemented.
    """
    if digest == _UNSIGNED:
        return Payload()
    if _HEX64.match(digest):
        return Payload(sha256=digest)
    if digest == _UNSIGNED_TRAILER:
        return Payload(chunked=True, trailing=True)
    if digest in (_STREAMING, _STREAMING + _TRAILER):
        if chain is None:
            raise S3Fault("InvalidRequest", "Signed chunks need a version 4 signature.")
        return Payload(chunked=True, trailing=digest.endswith(_TRAILER), chain=chain)
    if digest.startswith("STREAMING-AWS4-ECDSA-"):
        raise S3Fault("NotImplemented", f"The payload form {digest} is not implemented.")
    raise S3Fault(
        "InvalidArgument",
        f"{_HASH} must be {_UNSIGNED}, {_STREAMING}, {_STREAMING}{_TRAILER}, {_UNSIGNED_TRAILER}, "
        "or a valid sha256 value.",
        {"ArgumentName": _HASH, "ArgumentValue": digest},
    )


def _no_token(request: Request, target: Target) -> None:
    """Keys here are permanent; none of them belongs to a session."""
    if request.header(_SESSION) or any(name.lower() == _SESSION for name in target.query):
        raise S3Fault("InvalidToken")


def _hoisted(target: Target, besides: Collection[str] = ()) -> dict[str, str]:
    """Headers that a presigned URL brings along, since whoever opens it cannot send any.

    Args:
        besides: names of headers other than Amazon's that it may bring.

    Raises:
        S3Fault: InvalidArgument, for what no header can be or hold.
    """
    found = dict[str, str]()
    for name, value in target.query.items():
        plain = name.lower()
        if name in router.APART or not (plain.startswith("x-amz-") or plain in besides):
            continue
        if not _TOKEN.match(name):
            extras = {"ArgumentName": name, "ArgumentValue": value}
            raise S3Fault("InvalidArgument", "No header can have this name.", extras)
        found[plain] = codec.header(value)
    return found


def _malformed(presigned: bool, public: str) -> S3Fault:
    code = "AuthorizationQueryParametersError" if presigned else "AuthorizationHeaderMalformed"
    return S3Fault(code, public)


def _echo(claim: v4.Claim, request: Request, digest: str) -> dict[str, str]:
    """What we computed, so that the client's author can compare."""
    canonical = v4.canonical_request(claim, request, request.path, digest)
    return {
        "AWSAccessKeyId": claim.access_key,
        "StringToSign": v4.string_to_sign(claim, canonical),
        "SignatureProvided": claim.signature,
        "CanonicalRequest": _shown(canonical),
    }


def _shown(text: str) -> str:
    """What was signed without the secrets in it: error documents end up in clients' logs."""
    return _SECRET.sub(r"\1REDACTED", text)


def _refused(refusal: Refusal, echo: Mapping[str, str]) -> S3Fault:
    if refusal.reason is Reason.MISMATCH:
        return S3Fault("SignatureDoesNotMatch", extras=echo)
    if refusal.reason is Reason.SKEWED:
        return S3Fault("RequestTimeTooSkewed")
    if refusal.reason is Reason.EXPIRED:
        return S3Fault("AccessDenied", "Request has expired")
    return S3Fault("AccessDenied", refusal.public)
