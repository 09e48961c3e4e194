"""Website configurations: an index page, an error page and redirections.

Protocol source: "PutBucketWebsite" and "Configuring a webpage redirect" of S3.
"""

import re
from collections.abc import Mapping
from typing import Any

from gateway.s3.documents import Document
from gateway.s3.faults import S3Fault

_MOST_RULES = 50
_LONGEST_KEY = 1024  # bytes
_HOST = re.compile(r"[A-Za-z0-9.\-_~:\[\]]{1,255}\Z")
_ERROR_CODE = re.compile(r"[45][0-9][0-9]\Z")
_REDIRECT_CODE = re.compile(r"3(0[1-9]|[1-9][0-9])\Z")
_PROTOCOLS = ("http", "https")


def check(document: Document) -> Document:
    """A ``WebsiteConfiguration`` as it is.

    Raises:
        S3Fault: MalformedXML, InvalidArgument, InvalidRequest.
    """
    everything = document.get("RedirectAllRequestsTo")
    if everything is not None:
        if len(document) > 1:
            raise S3Fault("MalformedXML")
        _check_place(everything)
        return document
    if "IndexDocument" not in document:
        raise _argument(
            "IndexDocument",
            "A value for IndexDocument Suffix must be provided if RedirectAllRequestsTo is empty",
        )
    suffix = document["IndexDocument"]["Suffix"]
    if not suffix or "/" in suffix or len(suffix.encode()) > _LONGEST_KEY:
        raise _argument("IndexDocument", "The IndexDocument Suffix is not well formed")
    key = document.get("ErrorDocument", {"Key": "error"})["Key"]
    if not key or len(key.encode()) > _LONGEST_KEY:
        raise _argument("ErrorDocument", "The ErrorDocument Key is not well formed")
    rules = document.get("RoutingRules", [])
    if len(rules) > _MOST_RULES:
        raise S3Fault(
            "InvalidRequest",
            f"{len(rules)} routing rules provided, the number of routing rules in a website "
            f"configuration is limited to {_MOST_RULES}.",
        )
    for rule in rules:
        _check_rule(rule)
    return document


def _check_rule(rule: Mapping[str, Any]) -> None:
    if rule.get("Condition") == {}:
        raise S3Fault(
            "InvalidRequest",
            "Condition cannot be empty. To redirect all requests without a condition, the "
            "condition element shouldn't be present.",
        )
    error = rule.get("Condition", {}).get("HttpErrorCodeReturnedEquals")
    if error is not None and not _ERROR_CODE.match(error):
        raise S3Fault(
            "InvalidRequest",
            f"The provided HTTP error code ({error[:16]}) is not valid. "
            "Valid codes are 4XX or 5XX.",
        )
    redirect = rule["Redirect"]
    if not redirect:
        raise S3Fault("InvalidRequest", "Redirect cannot be empty.")
    if {"ReplaceKeyWith", "ReplaceKeyPrefixWith"} <= redirect.keys():
        raise S3Fault(
            "InvalidRequest", "You can only define ReplaceKeyPrefix or ReplaceKey but not both."
        )
    code = redirect.get("HttpRedirectCode")
    if code is not None and not _REDIRECT_CODE.match(code):
        raise S3Fault(
            "InvalidRequest",
            f"The provided HTTP redirect code ({code[:16]}) is not valid. "
            "Valid codes are 3XX except 300.",
        )
    _check_place(redirect)


def _check_place(redirect: Mapping[str, str]) -> None:
    if redirect.get("Protocol", "http") not in _PROTOCOLS:
        raise S3Fault(
            "InvalidRequest",
            "Invalid protocol, protocol can be http or https. If not defined the protocol will be "
            "selected automatically.",
        )
    if "HostName" in redirect and not _HOST.match(redirect["HostName"]):
        raise _argument("HostName", "The HostName of a redirect is not well formed")


def _argument(name: str, message: str) -> S3Fault:
    return S3Fault("InvalidArgument", message, {"ArgumentName": name})
