"""A bucket as a website: index pages, an error page, redirections; everything as HTML.

Pure but for what it is given to read objects with. Everybody is nobody here: who may read what is
decided as for any anonymous caller. Protocol source: "Hosting a static website" and "Website
endpoints" of the S3 user guide.
"""

import html
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from gateway.s3.faults import S3Fault
from gateway.s3.protocol.codec import Headers
from gateway.s3.protocol.reply import Body, Slice, Stream

REDIRECT = "x-amz-website-redirect-location"
_TYPE = "text/html; charset=utf-8"
_HIDDEN = (403, 404)  # how a missing object shows, with and without leave to list


@dataclass(frozen=True)
class Page:
    """An answer: HTTP status, headers and content."""

    status: int
    headers: Headers
    body: bytes | Body = b""


Read = Callable[[str], Page]
"""Gives the object of a key; raises S3Fault."""


@dataclass(frozen=True)
class Visit:
    """One request to a website.

    Args:
        base: scheme and host that the visitor used, such as ``http://photos.web.example``.
        path: still encoded.
        key: decoded; "" for the root.
        read: an object as the visitor wants it, with their ranges and conditions.
        fetch: an object whole, whatever they want.
        exists: whether they could read an object.
    """

    base: str
    path: str
    key: str
    read: Read
    fetch: Read
    exists: Callable[[str], bool]


def serve(site: Mapping[str, Any], visit: Visit) -> Page:
    """Answer a visitor.

    Args:
        site: the bucket's ``WebsiteConfiguration``.

    Raises:
        S3Fault: what there is to tell the visitor, see :func:`told`.
    """
    if everything := site.get("RedirectAllRequestsTo"):
        protocol = everything.get("Protocol") or visit.base.partition("://")[0]
        return _moved(301, f"{protocol}://{everything['HostName']}{visit.path}")
    rules = site.get("RoutingRules", ())
    for rule in rules:
        if "HttpErrorCodeReturnedEquals" not in rule.get("Condition", {}) and _meant(rule, visit):
            return _routed(rule, visit)
    try:
        return _object(site["IndexDocument"]["Suffix"], visit)
    except S3Fault as fault:
        for rule in rules:
            wanted = rule.get("Condition", {}).get("HttpErrorCodeReturnedEquals")
            if wanted == str(fault.status) and _meant(rule, visit):
                return _routed(rule, visit)
        if fault.status < 400 or "ErrorDocument" not in site:
            raise
        return _error_page(site["ErrorDocument"]["Key"], fault, visit)


def told(fault: S3Fault, facts: Mapping[str, str], *, failed: S3Fault | None = None) -> Page:
    """A refusal as a page.

    Args:
        facts: what there is to say beyond code and message.
        failed: why the site's own error page could not be shown.
    """
    title = html.escape(fault.status_line)
    lines = _items({"Code": fault.code, "Message": fault.message, **fault.extras, **facts})
    if failed is not None:
        lines += (
            "</ul><h3>An Error Occurred While Attempting to Retrieve a Custom Error Document</h3>"
            f"<ul>{_items({'Code': failed.code, 'Message': failed.message, **failed.extras})}"
        )
    body = (
        f"<html><head><title>{title}</title></head><body><h1>{title}</h1>"
        f"<ul>{lines}</ul><hr/></body></html>"
    ).encode("utf-8", "replace")
    headers = [*fault.headers.items(), ("Content-Type", _TYPE), ("Content-Length", str(len(body)))]
    return Page(fault.status, headers, body)


class Unshown(S3Fault):
    """A refusal whose own page could not be shown either."""

    def __init__(self, fault: S3Fault, failed: S3Fault) -> None:
        super().__init__(fault.code, fault.message, fault.extras, fault.headers)
        self.failed = failed


def _items(facts: Mapping[str, str]) -> str:
    return "".join(f"<li>{name}: {html.escape(text)}</li>" for name, text in facts.items())


def _object(suffix: str, visit: Visit) -> Page:
    """The object asked for, or the index of the folder; a folder is told by its slash."""
    folder = not visit.key or visit.key.endswith("/")
    try:
        page = visit.read(visit.key + suffix if folder else visit.key)
    except S3Fault as fault:
        if not folder and fault.status in _HIDDEN and visit.exists(f"{visit.key}/{suffix}"):
            return _moved(302, f"{visit.base}{visit.path}/")
        raise
    elsewhere = next((value for name, value in page.headers if name.lower() == REDIRECT), None)
    if elsewhere is None:
        return page
    _close(page)
    return _moved(301, elsewhere)


def _error_page(key: str, fault: S3Fault, visit: Visit) -> Page:
    try:
        page = visit.fetch(key)
    except S3Fault as failed:
        failed.extras.setdefault("Key", key)
        raise Unshown(fault, failed) from None
    return Page(fault.status, page.headers, page.body)


def _meant(rule: Mapping[str, Any], visit: Visit) -> bool:
    return visit.key.startswith(rule.get("Condition", {}).get("KeyPrefixEquals", ""))


def _routed(rule: Mapping[str, Any], visit: Visit) -> Page:
    redirect = rule["Redirect"]
    key = visit.key
    if "ReplaceKeyWith" in redirect:
        key = redirect["ReplaceKeyWith"]
    elif "ReplaceKeyPrefixWith" in redirect:
        prefix = rule.get("Condition", {}).get("KeyPrefixEquals", "")
        key = redirect["ReplaceKeyPrefixWith"] + key[len(prefix) :]
    scheme, _, host = visit.base.partition("://")
    scheme, host = redirect.get("Protocol", scheme), redirect.get("HostName", host)
    place = f"{scheme}://{host}/{quote(key, safe='/~')}"
    return _moved(int(redirect.get("HttpRedirectCode", "301")), place)


def _moved(status: int, place: str) -> Page:
    return Page(status, [("Location", place), ("Content-Length", "0")])


def _close(page: Page) -> None:
    """Give back the file of an object that is not sent after all."""
    if isinstance(page.body, Slice):
        page.body.file.close()
    elif isinstance(page.body, Stream):
        page.body.close()
