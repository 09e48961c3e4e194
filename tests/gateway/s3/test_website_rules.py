"""What a visitor of a website is answered, by the rules alone."""

from typing import Any

import pytest

from gateway.s3.faults import S3Fault
from gateway.s3.web import website
from gateway.s3.web.website import Page, Visit, serve

OBJECTS = {
    "index.html": b"home",
    "docs/index.html": b"docs",
    "a b.txt": b"text",
    "error.html": b"sorry",
}
SITE: dict[str, Any] = {"IndexDocument": {"Suffix": "index.html"}}


def visit(path: str, key: str | None = None, *, denied: bool = False) -> Visit:
    def read(name: str) -> Page:
        if name == "moved":
            return Page(200, [("x-amz-website-redirect-location", "/there")], b"")
        if name not in OBJECTS:
            raise S3Fault("AccessDenied" if denied else "NoSuchKey")
        return Page(200, [("ETag", '"e"')], OBJECTS[name])

    return Visit(
        "http://b.web:81", path, path[1:] if key is None else key, read, read, OBJECTS.__contains__
    )


def place(page: Page) -> tuple[int, str]:
    return page.status, dict(page.headers)["Location"]


@pytest.mark.parametrize(
    ("path", "body"), [("/", b"home"), ("/docs/", b"docs"), ("/index.html", b"home")]
)
def test_a_folder_shows_its_index(path: str, body: bytes) -> None:
    page = serve(SITE, visit(path))
    assert (page.status, page.body) == (200, body)


@pytest.mark.parametrize("denied", [False, True])
def test_a_folder_without_its_slash_is_sent_to_it(denied: bool) -> None:
    assert place(serve(SITE, visit("/docs", denied=denied))) == (302, "http://b.web:81/docs/")
    with pytest.raises(S3Fault):
        serve(SITE, visit("/nothing", denied=denied))


def test_an_object_may_send_visitors_elsewhere() -> None:
    assert place(serve(SITE, visit("/moved"))) == (301, "/there")


def test_everything_may_be_sent_elsewhere() -> None:
    site = {"RedirectAllRequestsTo": {"HostName": "other.example"}}
    assert place(serve(site, visit("/a%20b", "a b"))) == (301, "http://other.example/a%20b")
    site["RedirectAllRequestsTo"]["Protocol"] = "https"
    assert place(serve(site, visit("/"))) == (301, "https://other.example/")


def test_the_error_page_keeps_the_errors_status() -> None:
    site = {**SITE, "ErrorDocument": {"Key": "error.html"}}
    page = serve(site, visit("/nothing"))
    assert (page.status, page.body) == (404, b"sorry")
    assert serve(site, visit("/nothing", denied=True)).status == 403


def test_a_missing_error_page_is_told_of() -> None:
    site = {**SITE, "ErrorDocument": {"Key": "gone.html"}}
    with pytest.raises(website.Unshown) as refused:
        serve(site, visit("/<nothing>"))
    page = website.told(refused.value, {"Key": "<nothing>"}, failed=refused.value.failed)
    assert isinstance(page.body, bytes)
    assert b"Custom Error Document" in page.body
    assert b"&lt;nothing&gt;" in page.body
    assert b"<nothing>" not in page.body
    assert b"gone.html" in page.body


@pytest.mark.parametrize(
    ("condition", "redirect", "path", "expected"),
    [
        (
            {"KeyPrefixEquals": "old/"},
            {"ReplaceKeyPrefixWith": "new/"},
            "/old/a",
            (301, "http://b.web:81/new/a"),
        ),
        (
            {"KeyPrefixEquals": "old/"},
            {"ReplaceKeyWith": "a ä"},
            "/old/a",
            (301, "http://b.web:81/a%20%C3%A4"),
        ),
        (
            {"HttpErrorCodeReturnedEquals": "404"},
            {"HostName": "h", "Protocol": "https", "HttpRedirectCode": "307"},
            "/gone",
            (307, "https://h/gone"),
        ),
        (
            {"HttpErrorCodeReturnedEquals": "404", "KeyPrefixEquals": "go"},
            {"ReplaceKeyPrefixWith": "report-404/"},
            "/gone",
            (301, "http://b.web:81/report-404/ne"),
        ),
        (None, {"HostName": "h"}, "/index.html", (301, "http://h/index.html")),
    ],
)
def test_a_routing_rule_sends_visitors_elsewhere(
    condition: dict[str, str] | None,
    redirect: dict[str, str],
    path: str,
    expected: tuple[int, str],
) -> None:
    rule = {"Redirect": redirect} | ({"Condition": condition} if condition else {})
    assert place(serve({**SITE, "RoutingRules": [rule]}, visit(path))) == expected


@pytest.mark.parametrize(
    "condition",
    [
        {"KeyPrefixEquals": "other/"},
        {"HttpErrorCodeReturnedEquals": "403"},
        {"HttpErrorCodeReturnedEquals": "404", "KeyPrefixEquals": "other/"},
    ],
)
def test_a_rule_that_does_not_fit_changes_nothing(condition: dict[str, str]) -> None:
    site = {**SITE, "RoutingRules": [{"Condition": condition, "Redirect": {"HostName": "h"}}]}
    with pytest.raises(S3Fault, match="NoSuchKey"):
        serve(site, visit("/gone"))
    assert serve(site, visit("/")).body == b"home"
