"""Which pages of other origins may do what: the rules themselves."""

from typing import Any

import pytest

from gateway.s3.faults import S3Fault
from gateway.s3.web import cors


def rule(*origins: str, methods: tuple[str, ...] = ("GET",), **more: Any) -> dict[str, Any]:
    return {"AllowedOrigins": list(origins), "AllowedMethods": list(methods), **more}


def allowed(rules: list[dict[str, Any]], origin: str, method: str = "GET") -> str | None:
    return dict(cors.plain(rules, {"origin": origin}, method)).get("Access-Control-Allow-Origin")


def asked(origin: str, method: str, headers: str = "") -> dict[str, str]:
    named = {"origin": origin, "access-control-request-method": method}
    return {**named, "access-control-request-headers": headers} if headers else named


@pytest.mark.parametrize(
    ("pattern", "origin", "matches"),
    [
        ("http://a.example", "http://a.example", True),
        ("http://a.example", "http://a.example:81", False),
        ("http://a.example", "http://A.example", False),
        ("*.example", "http://a.example", True),
        ("*.example", ".example", True),
        ("http://*.example", "http://a.b.example", True),
        ("http://*.example", "https://a.example", False),
        ("ab*ba", "aba", False),
        ("ab*ba", "abba", True),
        ("http://a.*", "http://a.", True),
    ],
)
def test_an_origin_is_matched_with_one_star(pattern: str, origin: str, matches: bool) -> None:
    assert allowed([rule(pattern)], origin) == (origin if matches else None)


def test_everyone_is_answered_with_a_star_and_without_credentials() -> None:
    found = dict(cors.plain([rule("*")], {"origin": "http://a"}, "GET"))
    assert found["Access-Control-Allow-Origin"] == "*"
    assert "Access-Control-Allow-Credentials" not in found
    found = dict(cors.plain([rule("http://a")], {"origin": "http://a"}, "GET"))
    assert found["Access-Control-Allow-Credentials"] == "true"
    assert "Origin" in found["Vary"]


def test_the_first_rule_that_fits_answers() -> None:
    rules = [
        rule("http://a", methods=("PUT",), MaxAgeSeconds=1),
        rule("http://a", methods=("GET", "HEAD"), MaxAgeSeconds=2, ExposeHeaders=["ETag", "x-a"]),
        rule("*", MaxAgeSeconds=3),
    ]
    found = dict(cors.plain(rules, {"origin": "http://a"}, "GET"))
    assert found["Access-Control-Max-Age"] == "2"
    assert found["Access-Control-Allow-Methods"] == "GET, HEAD"
    assert found["Access-Control-Expose-Headers"] == "ETag, x-a"


def test_a_plain_request_may_name_the_method_it_is_about() -> None:
    assert dict(cors.plain([rule("http://a")], asked("http://a", "GET"), "PUT"))
    assert not cors.plain([rule("http://a")], asked("http://a", "DELETE"), "GET")


@pytest.mark.parametrize(
    ("allowed_headers", "wanted", "good"),
    [
        (["*"], "X-A, content-type", True),
        (["x-amz-*"], "X-Amz-Date,x-amz-meta-b", True),
        (["X-AMZ-*", "Content-Type"], "content-type, x-amz-date", True),
        (["x-amz-*"], "content-type", False),
        ([], "content-type", False),
    ],
)
def test_headers_are_asked_for_in_advance(
    allowed_headers: list[str], wanted: str, good: bool
) -> None:
    rules = [rule("*", methods=("PUT",), AllowedHeaders=allowed_headers)]
    if good:
        found = dict(cors.preflight(rules, asked("http://a", "PUT", wanted)))
        names = [each.strip().lower() for each in wanted.split(",")]
        assert found["Access-Control-Allow-Headers"] == ", ".join(names)
    else:
        with pytest.raises(S3Fault, match="AccessForbidden"):
            cors.preflight(rules, asked("http://a", "PUT", wanted))


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ({}, "BadRequest"),
        ({"origin": "http://a"}, "BadRequest"),
        (asked("http://a", "LIST"), "BadRequest"),
        (asked("http://b", "GET"), "AccessForbidden"),
        (asked("http://a", "PUT"), "AccessForbidden"),
    ],
)
def test_a_preflight_that_nothing_matches_is_forbidden(headers: dict[str, str], code: str) -> None:
    with pytest.raises(S3Fault) as refused:
        cors.preflight([rule("http://a")], headers)
    assert refused.value.code == code
    with pytest.raises(S3Fault):
        cors.preflight(None, headers)


@pytest.mark.parametrize(
    "wrong",
    [
        rule("http://*.*"),
        rule("*", methods=("PATCH",)),
        rule("*", methods=("get",)),
        rule("*", AllowedHeaders=["x-*-*"]),
        rule("*", ExposeHeaders=["x-*"]),
        rule("*", ExposeHeaders=["a\r\nb"]),
        rule("*", ID="i" * 256),
        rule("*", MaxAgeSeconds=-1),
        rule("*", MaxAgeSeconds=1 << 40),
    ],
)
def test_rules_that_make_no_sense_are_refused(wrong: dict[str, Any]) -> None:
    cors.check({"CORSRules": [rule("*")] * 100})
    with pytest.raises(S3Fault, match="InvalidRequest"):
        cors.check({"CORSRules": [rule("*"), wrong]})


def test_there_are_a_hundred_rules_at_most() -> None:
    with pytest.raises(S3Fault, match="InvalidRequest"):
        cors.check({"CORSRules": [rule("*")] * 101})
