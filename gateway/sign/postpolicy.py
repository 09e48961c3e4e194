"""The policy of a browser's upload form: what its signer allows whoever holds the form to send.

The form carries the policy, base64 of a JSON document, and a signature over just that text, of
version 2 or 4. What is checked here is pure: the signature against a secret, the policy against the
form's fields. Every field must be named by a condition, so that nothing the signer did not think of
can be added to a form.

Protocol source: "Browser-based uploads using POST" of the S3 API reference.
"""

import base64
import binascii
import hmac
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from gateway.sign import v4
from gateway.sign.refusals import Reason, Refusal

IGNORED = "x-ignore-"
"""Fields of such names mean nothing to the server."""

_UNCOVERED = frozenset(("policy", "signature", "awsaccesskeyid", "x-amz-signature", "file"))
_OPERATORS = ("eq", "starts-with")
_RANGE = "content-length-range"
_DOLLAR = re.compile(r"(?<!\\)((?:\\\\)*)\\\$")  # policies may write \$, which JSON may not
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?Z\Z", re.ASCII)
_HEX64 = re.compile(r"[0-9a-f]{64}\Z")


class BadPolicy(ValueError):
    """The document is no policy. Its text may be shown to the caller."""


class Forbidden(Exception):
    """The policy does not allow this form. Its text may be shown to the caller."""


@dataclass(frozen=True)
class Claim:
    """What a form says about its own signature; nothing of it is verified yet.

    Args:
        policy: base64, as sent.
        scope: of version 4, date, region and service; None for version 2.
    """

    access_key: str
    policy: str
    signature: str
    scope: tuple[str, str, str] | None = None


@dataclass(frozen=True)
class Condition:
    """That a field, named in lower case, is or starts with a value."""

    operator: str
    field: str
    value: str

    def holds(self, fields: Mapping[str, str]) -> bool:
        """Whether a form keeps to it; a Content-Type may be a list, each member of which counts."""
        found = fields.get(self.field)
        if found is None:
            return False
        if self.operator == "eq":
            return found == self.value
        parts = found.split(",") if self.field == "content-type" else [found]
        return all(part.strip().startswith(self.value) for part in parts) or found == self.value

    def __str__(self) -> str:
        return json.dumps([self.operator, f"${self.field}", self.value])


@dataclass(frozen=True)
class Policy:
    """A policy as its signer wrote it.

    Args:
        smallest, largest: bytes that the file may have, both included; ``largest`` may be None.
    """

    expiration: datetime
    conditions: tuple[Condition, ...]
    smallest: int = 0
    largest: int | None = None

    def check(self, fields: Mapping[str, str], now: datetime) -> None:
        """Hold a form against it.

        Args:
            fields: by lower-case name, with ``bucket`` as the request's path names it.

        Raises:
            Forbidden.
        """
        if now >= self.expiration:
            raise Forbidden("Invalid according to Policy: Policy expired.")
        for condition in self.conditions:
            if not condition.holds(fields):
                raise Forbidden(
                    f"Invalid according to Policy: Policy Condition failed: {condition}"
                )
        known = {condition.field for condition in self.conditions} | _UNCOVERED
        extra = [name for name in fields if name not in known and not name.startswith(IGNORED)]
        if extra:
            raise Forbidden(f"Invalid according to Policy: Extra input fields: {', '.join(extra)}")


def claim(fields: Mapping[str, str]) -> Claim | None:
    """Read the claim of a form; None when it is sent by nobody in particular.

    Args:
        fields: by lower-case name.

    Raises:
        Refusal: MALFORMED, when there is a claim that cannot be read.
    """
    newer = [name for name in fields if name in _NEWER]
    older = [name for name in fields if name in ("awsaccesskeyid", "signature")]
    if newer and older:
        raise _malformed("Only one auth mechanism allowed in a form.")
    if not newer and not older and "policy" not in fields:
        return None
    for name in ("policy", *(_NEWER if newer else ("AWSAccessKeyId", "signature"))):
        if not fields.get(name.lower()):
            raise _malformed(
                f"Bucket POST must contain a field named '{name}'. If it is specified, please "
                "check the order of the fields."
            )
    if newer:
        return _newer(fields)
    return Claim(fields["awsaccesskeyid"], fields["policy"], fields["signature"])


def verify(claim: Claim, secret: str) -> None:
    """Check the signature over the policy's text.

    Raises:
        Refusal: MISMATCH.
    """
    if claim.scope is None:
        digest = hmac.digest(secret.encode(), claim.policy.encode(), "sha1")
        expected = base64.b64encode(digest).decode()
    else:
        expected = v4.sign(v4.signing_key(secret, *claim.scope), claim.policy)
    if not hmac.compare_digest(expected.encode(), claim.signature.encode()):
        raise Refusal(
            Reason.MISMATCH,
            "The request signature we calculated does not match the signature you provided.",
        )


def parse(text: str) -> Policy:
    """Read a policy.

    Args:
        text: base64, as sent.

    Raises:
        BadPolicy.
    """
    try:
        decoded = base64.b64decode(text, validate=True).decode()
        document = json.loads(_DOLLAR.sub(r"\1$", decoded))
    except (binascii.Error, ValueError, RecursionError):
        raise BadPolicy("Invalid Policy: Invalid JSON.") from None
    if not isinstance(document, dict):
        raise BadPolicy("Invalid Policy: Invalid JSON.")
    given = document.get("conditions")
    if not isinstance(given, list) or not given:
        raise BadPolicy("Invalid Policy: Policy missing conditions.")
    conditions, smallest, largest = [], 0, None
    for each in given:
        if isinstance(each, list) and each and str(each[0]).lower() == _RANGE:
            low, high = _range(each)
            smallest, largest = max(smallest, low), high if largest is None else min(largest, high)
        else:
            conditions += _conditions(each)
    return Policy(_expiration(document.get("expiration")), tuple(conditions), smallest, largest)


# -- the signature ---------------------------------------------------------------------------------

_NEWER = ("x-amz-algorithm", "x-amz-credential", "x-amz-date", "x-amz-signature")


def _newer(fields: Mapping[str, str]) -> Claim:
    if fields["x-amz-algorithm"] != v4.ALGORITHM:
        raise _malformed(f"x-amz-algorithm must be {v4.ALGORITHM}.")
    scope = fields["x-amz-credential"].rsplit("/", 4)
    if len(scope) != 5 or not scope[0] or scope[3:] != ["s3", "aws4_request"]:
        raise _malformed("x-amz-credential must be KEY/DATE/REGION/s3/aws4_request.")
    try:
        signed = datetime.strptime(fields["x-amz-date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    except ValueError:
        raise _malformed("x-amz-date must be in ISO 8601 basic form.") from None
    if signed.strftime("%Y%m%d") != scope[1]:
        raise _malformed("The date of x-amz-credential is not that of x-amz-date.")
    if not _HEX64.match(fields["x-amz-signature"]):
        raise _malformed("x-amz-signature must be 64 hexadecimal digits.")
    return Claim(
        scope[0], fields["policy"], fields["x-amz-signature"], (scope[1], scope[2], scope[3])
    )


def _malformed(public: str) -> Refusal:
    return Refusal(Reason.MALFORMED, public)


# -- the document ----------------------------------------------------------------------------------


def _expiration(value: Any) -> datetime:
    if value is None:
        raise BadPolicy("Invalid Policy: Policy missing expiration.")
    if isinstance(value, str) and _MOMENT.match(value):
        try:
            return datetime.fromisoformat(value)
        except ValueError:
            pass
    raise BadPolicy("Invalid Policy: Invalid 'expiration' value.")


def _conditions(given: Any) -> list[Condition]:
    """The conditions of one item: ``{"field": "value"}`` or ``["operator", "$field", "value"]``."""
    if isinstance(given, dict) and given and all(isinstance(v, str) for v in given.values()):
        return [Condition("eq", name.lower(), value) for name, value in given.items()]
    if isinstance(given, list) and len(given) == 3 and all(isinstance(v, str) for v in given):
        operator, field, value = given
        if operator.lower() in _OPERATORS and field.startswith("$") and len(field) > 1:
            return [Condition(operator.lower(), field[1:].lower(), value)]
    raise BadPolicy(f"Invalid Policy: Invalid condition: {json.dumps(given)[:200]}")


def _range(given: list[Any]) -> tuple[int, int]:
    """Bounds of the file's size, which may be written as numbers or as text."""
    bounds = [str(each) for each in given[1:] if isinstance(each, str | int)]
    if len(given) == 3 and all(re.fullmatch(r"[0-9]{1,18}", each) for each in bounds):
        return int(bounds[0]), int(bounds[1])
    raise BadPolicy(f"Invalid Policy: Invalid {_RANGE}.")
