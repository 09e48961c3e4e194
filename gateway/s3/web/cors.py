"""Cross-origin requests: what a bucket's rules let a browser's page of another origin do.

Protocol source: "Using cross-origin resource sharing" of the S3 user guide; the headers are those
of the Fetch standard.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from gateway.s3.faults import S3Fault
from gateway.s3.protocol.codec import Headers, header, text

Rule = Mapping[str, Any]

METHODS = ("GET", "PUT", "POST", "DELETE", "HEAD")
_MOST_RULES = 100
_LONGEST_ID = 255  # characters
_LONGEST_AGE = (1 << 31) - 1  # seconds
_TOKEN = re.compile(r"[!#$%&'+.^_`|~0-9A-Za-z-]+\Z")
_VARY = "Origin, Access-Control-Request-Headers, Access-Control-Request-Method"
_NOT_ALLOWED = (
    "CORSResponse: This CORS request is not allowed. This is usually because the evaluation of "
    "Origin, request method / Access-Control-Request-Method or Access-Control-Request-Headers are "
    "not whitelisted by the resource's CORS spec."
)


# -- evaluation ------------------------------------------------------------------------------------


def preflight(rules: Sequence[Rule] | None, headers: Mapping[str, str]) -> Headers:
    """The answer to a browser that asks whether it may.

    Args:
        rules: the bucket's; None when it has none or there is no such bucket.
        headers: the request's, by lower-case name.

    Raises:
        S3Fault: BadRequest, AccessForbidden.
    """
    origin, method = headers.get("origin"), headers.get("access-control-request-method")
    if not origin:
        raise S3Fault("BadRequest", "Insufficient information. Origin request header needed.")
    if method not in METHODS:
        raise S3Fault("BadRequest", f"Invalid Access-Control-Request-Method: {method or 'null'}")
    if rules is None:
        raise S3Fault("AccessForbidden", "CORSResponse: CORS is not enabled for this bucket.")
    wanted = [each.strip().lower() for each in _asked(headers).split(",") if each.strip()]
    rule = _find(rules, origin, method, wanted)
    if rule is None:
        raise S3Fault("AccessForbidden", _NOT_ALLOWED)
    found = _answer(rule, origin)
    if wanted:
        found.append(("Access-Control-Allow-Headers", ", ".join(wanted)))
    return found


def plain(rules: Sequence[Rule], headers: Mapping[str, str], method: str) -> Headers:
    """What is added to the answer, good or bad, of a request that came with an origin.

    A client that names the method of a request to come is answered for that one.
    """
    origin = headers.get("origin", "")
    rule = _find(rules, origin, headers.get("access-control-request-method", method), ())
    return _answer(rule, origin) if rule else []


def _asked(headers: Mapping[str, str]) -> str:
    return headers.get("access-control-request-headers", "")


def _find(rules: Sequence[Rule], origin: str, method: str, wanted: Sequence[str]) -> Rule | None:
    """The first rule that allows all of it."""
    known = text(origin)
    for rule in rules:
        allowed = rule.get("AllowedHeaders", ())
        if (
            method in rule["AllowedMethods"]
            and any(_matches(each, known) for each in rule["AllowedOrigins"])
            and all(any(_matches(each.lower(), name) for each in allowed) for name in wanted)
        ):
            return rule
    return None


def _matches(pattern: str, value: str) -> bool:
    """A pattern holds at most one star, which stands for anything."""
    start, star, end = pattern.partition("*")
    if not star:
        return value == pattern
    long_enough = len(value) >= len(start) + len(end)
    return long_enough and value.startswith(start) and value.endswith(end)


def _answer(rule: Rule, origin: str) -> Headers:
    everyone = "*" in rule["AllowedOrigins"]
    found = [
        ("Access-Control-Allow-Origin", "*" if everyone else origin),
        ("Access-Control-Allow-Methods", ", ".join(rule["AllowedMethods"])),
        ("Vary", _VARY),
    ]
    if not everyone:
        found.append(("Access-Control-Allow-Credentials", "true"))
    if exposed := rule.get("ExposeHeaders"):
        found.append(("Access-Control-Expose-Headers", header(", ".join(exposed))))
    if (age := rule.get("MaxAgeSeconds")) is not None:
        found.append(("Access-Control-Max-Age", str(age)))
    return found


# -- the document ----------------------------------------------------------------------------------


def check(document: Mapping[str, Any]) -> None:
    """Refuse rules that S3 would refuse.

    Args:
        document: a ``CORSConfiguration``.

    Raises:
        S3Fault: InvalidRequest.
    """
    rules = document["CORSRules"]
    if len(rules) > _MOST_RULES:
        raise S3Fault(
            "InvalidRequest", f"The number of CORS rules should not exceed {_MOST_RULES}."
        )
    for rule in rules:
        _check_rule(rule)


def _check_rule(rule: Rule) -> None:
    if len(rule.get("ID", "")) > _LONGEST_ID:
        raise S3Fault("InvalidRequest", f"The ID of a CORS rule exceeds {_LONGEST_ID} characters.")
    for method in rule["AllowedMethods"]:
        if method not in METHODS:
            raise S3Fault(
                "InvalidRequest",
                "Found unsupported HTTP method in CORS config. "
                f"Unsupported method is {method[:64]}",
            )
    for name in ("AllowedOrigin", "AllowedHeader"):
        for pattern in rule.get(f"{name}s", ()):
            if pattern.count("*") > 1:
                raise S3Fault(
                    "InvalidRequest",
                    f'{name} "{pattern[:256]}" can not have more than one wildcard.',
                )
    for exposed in rule.get("ExposeHeaders", ()):
        if not _TOKEN.match(exposed):
            raise S3Fault(
                "InvalidRequest",
                f'ExposeHeader "{exposed[:256]}" is no header name, or contains wildcard.',
            )
    if not 0 <= rule.get("MaxAgeSeconds", 0) <= _LONGEST_AGE:
        raise S3Fault("InvalidRequest", "MaxAgeSeconds must be a number of seconds.")
