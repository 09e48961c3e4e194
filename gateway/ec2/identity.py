"""Who sends an EC2 request: the signature found, the secret looked up, the claim verified.

Some old clients sign another address than they call: always the path ``/`` and the host without its
port. So a signature that fails is tried once more that way. Nothing else is relaxed: the secret and
the parameters are the same, only which name of this one endpoint was meant.
"""

import hashlib
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from gateway.credentials import Caller, CredentialSource
from gateway.ec2.faults import Ec2Fault, from_signature
from gateway.sign import v2, v4
from gateway.sign.encoding import Pairs
from gateway.sign.refusals import Reason, Refusal
from gateway.sign.request import Request

_UNKNOWN = "The cloud was not able to validate the provided access credentials."


@dataclass(frozen=True)
class Signed:
    """A request together with what its signature covers; ``params`` are those of one source."""

    request: Request
    params: Pairs
    body: bytes


def authenticate(
    signed: Signed, source: CredentialSource, now: datetime, skew: timedelta
) -> Caller:
    """The caller whose signature the request carries.

    Raises:
        Ec2Fault: there is none, or it does not hold.
        NativeFault: the secret cannot be looked up now.
    """
    claim = _claim(signed)
    _no_session_token(signed)
    try:
        return _verified(signed, claim, source.find(claim.access_key), now, skew)
    except Refusal as refusal:
        if refusal.reason is not Reason.MISMATCH:
            raise from_signature(refusal) from None
    try:  # the key may have been rotated since it was looked up
        caller = source.find(claim.access_key, fresh=True)
        return _verified(signed, claim, caller, now, skew)
    except Refusal as refusal:
        raise from_signature(refusal) from None


def _claim(signed: Signed) -> v2.Claim | v4.Claim:
    try:
        new, old = v4.parse(signed.request), v2.parse(signed.params)
    except Refusal as refusal:
        raise from_signature(refusal) from None
    if new and old:
        raise Ec2Fault("IncompleteSignature", "A request is signed in one way, not in two.")
    claim = new or old
    if claim is None:
        raise Ec2Fault(
            "MissingAuthenticationToken",
            "The request must contain a valid access key and signature.",
        )
    return claim


def _no_session_token(signed: Signed) -> None:
    """Temporary credentials are not offered; some clients send the parameter empty."""
    names = ("SecurityToken", "X-Amz-Security-Token")
    if signed.request.header(names[1]) or any(v for n, v in signed.params if n in names):
        raise Ec2Fault("AuthFailure", "Temporary credentials (session tokens) are not supported.")


def _verified(
    signed: Signed,
    claim: v2.Claim | v4.Claim,
    caller: Caller | None,
    now: datetime,
    skew: timedelta,
) -> Caller:
    if caller is None:
        raise Refusal(Reason.MISMATCH, _UNKNOWN)
    try:
        _verify(signed.request, signed, claim, caller.secret, now, skew)
    except Refusal as refusal:
        if refusal.reason is not Reason.MISMATCH:
            raise
        _verify(_short(signed.request), signed, claim, caller.secret, now, skew)
    if not caller.enabled:
        raise Ec2Fault("Blocked", "Your account is currently blocked.")
    return caller


def _verify(
    request: Request,
    signed: Signed,
    claim: v2.Claim | v4.Claim,
    secret: str,
    now: datetime,
    skew: timedelta,
) -> None:
    if isinstance(claim, v2.Claim):
        v2.verify(claim, request, signed.params, secret, now, skew)
        return
    digest = hashlib.sha256(signed.body).hexdigest()
    if request.header("x-amz-content-sha256") not in (None, digest):
        raise Refusal(Reason.MISMATCH, "x-amz-content-sha256 is not the hash of the body.")
    v4.verify(claim, request, secret, digest, now, v4.Rules(path_as_sent=False, skew=skew))


def _short(request: Request) -> Request:
    """The same request, addressed to ``/`` on the host without a port."""
    host = (request.header("host") or "").rpartition(":")
    bare = host[0] if host[1] and host[2].isdigit() else host[2]
    return replace(request, path="/", headers={**request.headers, "host": bare})
