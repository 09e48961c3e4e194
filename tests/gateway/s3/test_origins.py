"""Browsers' pages of other origins, over the wire."""

from collections.abc import Mapping
from typing import Any

import pytest

from tests.gateway.s3.raw import Answer, send, signed
from tests.gateway.s3.servers import Server

CORS = {
    "CORSRules": [
        {
            "AllowedMethods": ["GET", "PUT"],
            "AllowedOrigins": ["http://*.good.example"],
            "AllowedHeaders": ["x-amz-*", "content-type"],
            "ExposeHeaders": ["ETag"],
            "MaxAgeSeconds": 600,
        }
    ]
}
GOOD = "http://www.good.example"


@pytest.fixture
def open_bucket(server: Server, bucket: str) -> str:
    """A bucket that pages of good.example may use."""
    server.client().put_bucket_cors(Bucket=bucket, CORSConfiguration=CORS)
    return bucket


def preflight(server: Server, path: str, host: str = "", **more: str) -> Answer:
    headers = {name.replace("_", "-"): value for name, value in more.items()}
    return send(server, "OPTIONS", path, {"Host": host or server.host, **headers})


def allowed(answer: Answer) -> str | None:
    return answer.headers.get("access-control-allow-origin")


def plain(server: Server, method: str, path: str, headers: Mapping[str, str]) -> Answer:
    given: dict[str, Any] = signed(server, method, path, headers, "UNSIGNED-PAYLOAD")
    return send(server, method, path, given, b"x" if method == "PUT" else b"")


def test_a_preflight_needs_no_signature(server: Server, open_bucket: str) -> None:
    asked = {
        "Origin": GOOD,
        "Access_Control_Request_Method": "PUT",
        "Access_Control_Request_Headers": "X-Amz-Date, Content-Type",
    }
    for path, host in (
        (f"/{open_bucket}/any/key", ""),
        (f"/{open_bucket}?acl", ""),
        ("/any/key", f"{open_bucket}.s3.test"),
    ):
        answer = preflight(server, path, host, **asked)
        assert (answer.status, answer.body, allowed(answer)) == (200, b"", GOOD)
        assert answer.headers["access-control-allow-methods"] == "GET, PUT"
        assert answer.headers["access-control-allow-headers"] == "x-amz-date, content-type"
        assert answer.headers["access-control-max-age"] == "600"
        assert answer.headers["access-control-allow-credentials"] == "true"
        assert "Origin" in answer.headers["vary"]
        assert "x-amz-request-id" in answer.headers


@pytest.mark.parametrize(
    ("asked", "status", "code"),
    [
        ({}, 400, "BadRequest"),
        ({"Origin": GOOD}, 400, "BadRequest"),
        ({"Origin": GOOD, "Access_Control_Request_Method": "DELETE"}, 403, "AccessForbidden"),
        ({"Origin": "http://bad", "Access_Control_Request_Method": "GET"}, 403, "AccessForbidden"),
        (
            {
                "Origin": GOOD,
                "Access_Control_Request_Method": "GET",
                "Access_Control_Request_Headers": "authorization",
            },
            403,
            "AccessForbidden",
        ),
    ],
)
def test_a_preflight_that_nothing_matches_is_forbidden(
    server: Server, open_bucket: str, asked: dict[str, str], status: int, code: str
) -> None:
    answer = preflight(server, f"/{open_bucket}/k", **asked)
    assert (answer.status, answer.code, allowed(answer)) == (status, code, None)


def test_without_rules_and_without_a_bucket_everything_is_forbidden(
    server: Server, bucket: str
) -> None:
    for path in (f"/{bucket}/k", "/no-such-bucket/k", "/"):
        answer = preflight(server, path, Origin=GOOD, Access_Control_Request_Method="GET")
        assert (answer.status, answer.code) == (403, "AccessForbidden")


def test_answers_and_refusals_say_who_may_see_them(server: Server, open_bucket: str) -> None:
    path = f"/{open_bucket}/k"
    put = plain(server, "PUT", path, {"Origin": GOOD})
    assert (put.status, allowed(put)) == (200, GOOD)
    assert put.headers["access-control-expose-headers"] == "ETag"
    assert allowed(plain(server, "GET", path, {"Origin": GOOD})) == GOOD
    missing = plain(server, "GET", f"{path}/missing", {"Origin": GOOD})
    assert (missing.status, allowed(missing)) == (404, GOOD)
    unsigned = send(server, "GET", path, {"Host": server.host, "Origin": GOOD})
    assert (unsigned.status, allowed(unsigned)) == (403, GOOD)
    assert "Origin" in unsigned.headers["vary"]


@pytest.mark.parametrize("headers", [{}, {"Origin": "http://bad"}])
def test_other_origins_and_none_see_nothing(
    server: Server, open_bucket: str, headers: dict[str, str]
) -> None:
    answer = plain(server, "PUT", f"/{open_bucket}/k", headers)
    assert answer.status == 200
    assert not [name for name in answer.headers if name.startswith("access-control")]


def test_the_method_counts(server: Server, open_bucket: str) -> None:
    answer = plain(server, "DELETE", f"/{open_bucket}/k", {"Origin": GOOD})
    assert (answer.status, allowed(answer)) == (204, None)


def test_a_request_that_makes_no_sense_is_refused_all_the_same(server: Server) -> None:
    answer = send(server, "GET", "//k", {"Host": server.host, "Origin": GOOD})
    assert (answer.status, answer.code) == (400, "InvalidURI")
