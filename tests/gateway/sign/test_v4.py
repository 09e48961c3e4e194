"""Signature version 4, with botocore and boto 2 as the other party."""

import dataclasses
import hashlib
from datetime import UTC, datetime, timedelta
from importlib import import_module
from types import SimpleNamespace

import pytest

from gateway.sign import v4
from gateway.sign.refusals import Reason, Refusal
from gateway.sign.request import Request
from tests.gateway.sign.clients import (
    KEY,
    SECRET,
    URL,
    botocore_presigned,
    botocore_v4,
)

RULES = v4.Rules(path_as_sent=False, skew=timedelta(minutes=5))
S3_RULES = v4.Rules(path_as_sent=True, skew=timedelta(minutes=15))
BODY = b"Action=DescribeRegions"
# The example of AWS's documentation of the signing process.
DOCUMENTED = Request(
    "GET",
    "/",
    "Action=ListUsers&Version=2010-05-08",
    {
        "host": "iam.amazonaws.com",
        "content-type": "application/x-www-form-urlencoded; charset=utf-8",
        "x-amz-date": "20150830T123600Z",
        "authorization": "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/iam/"
        "aws4_request, SignedHeaders=content-type;host;x-amz-date, Signature="
        "5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7",
    },
)


def now() -> datetime:
    return datetime.now(UTC)


def check(
    request: Request, body: bytes = BODY, when: datetime | None = None, rules: v4.Rules = RULES
) -> v4.Claim:
    claim = v4.parse(request)
    assert claim is not None
    v4.verify(claim, request, SECRET, hashlib.sha256(body).hexdigest(), when or now(), rules)
    return claim


def refused(request: Request, body: bytes = BODY, when: datetime | None = None) -> Reason:
    with pytest.raises(Refusal) as caught:
        check(request, body, when)
    assert SECRET not in caught.value.public
    return caught.value.reason


def replaced(request: Request, **headers: str | None) -> Request:
    changed = {**request.headers, **{k.replace("_", "-"): v for k, v in headers.items()}}
    return dataclasses.replace(request, headers={k: v for k, v in changed.items() if v is not None})


def test_the_documented_example_verifies() -> None:
    claim = v4.parse(DOCUMENTED)
    assert claim is not None
    v4.verify(
        claim,
        DOCUMENTED,
        "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
        v4.EMPTY_HASH,
        datetime(2015, 8, 30, 12, 36, tzinfo=UTC),
        RULES,
    )


def test_a_request_of_botocore_verifies() -> None:
    claim = check(botocore_v4())
    assert (claim.access_key, claim.region, claim.service) == (KEY, "cloud1", "ec2")
    assert not claim.presigned


def test_region_and_service_are_whatever_the_client_made_up() -> None:
    assert check(botocore_v4(region="undefined-5492")).region == "undefined-5492"


@pytest.mark.parametrize(
    "path", ["/", "/awsapi/", "/awsapi/x%20y", "//awsapi//x", "/a/./b/../c", "/~user/-_.x"]
)
def test_paths_are_normalised_as_botocore_does(path: str) -> None:
    check(botocore_v4(f"http://127.0.0.1:7080{path}"))


def test_query_parameters_are_sorted_after_encoding() -> None:
    check(botocore_v4(URL + "?b=2&a=1&a=0&c=x%20y&aa=%2F&A=~"))


def test_a_plus_in_a_query_is_a_space() -> None:
    request = botocore_v4(URL + "?a=x%20y")
    check(dataclasses.replace(request, query="a=x+y"))


def test_header_values_are_trimmed_and_squeezed() -> None:
    request = botocore_v4(headers={"X-Amz-Meta-Note": "  a   b  "})
    check(replaced(request, x_amz_meta_note=" a  b "))


def test_header_values_may_hold_any_byte() -> None:
    body = hashlib.sha256(BODY).hexdigest()
    request = botocore_v4()
    claim = v4.parse(replaced(request, x_amz_meta_note="caf\xe9\xa0x"))
    assert claim is not None
    odd = dataclasses.replace(claim, signed_headers=("host", "x-amz-meta-note"))
    canonical = v4.canonical_request(odd, replaced(request, x_amz_meta_note="\xa0x"), "/", body)
    assert "x-amz-meta-note:\xa0x\n" in canonical
    assert v4.string_to_sign(odd, canonical)


def test_commas_need_no_space_after_them() -> None:
    request = botocore_v4()
    check(replaced(request, authorization=request.headers["authorization"].replace(", ", ",")))


def test_a_request_without_credentials_has_no_claim() -> None:
    assert v4.parse(Request("GET", "/", "a=b", {"host": "x"})) is None
    assert v4.parse(Request("GET", "/", "", {"authorization": "Basic YTpi"})) is None


def test_a_request_of_boto_2_verifies() -> None:
    boto_auth = import_module("boto.auth")
    http = SimpleNamespace(
        host="127.0.0.1",
        port=7080,
        protocol="http",
        method="POST",
        path="/awsapi/",
        auth_path="/awsapi/",
        params={},
        headers={},
        body="Action=DescribeRegions",
    )
    provider = SimpleNamespace(access_key=KEY, secret_key=SECRET, security_token=None)
    handler = boto_auth.HmacAuthV4Handler("127.0.0.1", None, provider)
    handler.add_auth(http)
    host = handler.host_header(handler.host, http)
    headers = {name.lower(): value for name, value in http.headers.items()} | {"host": host}
    assert check(Request("POST", "/awsapi/", "", headers)).service == "127"


def test_a_presigned_url_verifies_until_it_expires() -> None:
    request = botocore_presigned(URL + "?Action=DescribeRegions&Version=2016-11-15")
    assert check(request, b"").presigned
    assert refused(request, b"", now() + timedelta(seconds=61)) is Reason.EXPIRED
    assert refused(request, b"", now() - timedelta(minutes=6)) is Reason.SKEWED


def test_a_presigned_url_does_not_cover_a_body() -> None:
    request = botocore_presigned(URL + "?Action=DescribeRegions")
    assert refused(request, b"Action=TerminateInstances") is Reason.MISMATCH


def test_nothing_signed_may_change() -> None:
    request = botocore_v4(URL + "?x=1", headers={"X-Amz-Target": "a"})
    tampered = [
        dataclasses.replace(request, method="PUT"),
        dataclasses.replace(request, path="/awsapi/"),
        dataclasses.replace(request, query="x=2"),
        dataclasses.replace(request, query="x=1&y=2"),
        replaced(request, host="127.0.0.1:7081"),
        replaced(request, x_amz_target="b"),
        replaced(request, authorization=request.headers["authorization"].replace("cloud1", "c2")),
    ]
    check(request)
    for one in tampered:
        assert refused(one) is Reason.MISMATCH
    assert refused(request, b"Action=TerminateInstances") is Reason.MISMATCH


def test_nothing_of_a_presigned_url_may_change() -> None:
    request = botocore_presigned(URL + "?Action=DescribeRegions", expires=60)
    for old, new in (
        ("DescribeRegions", "StopInstances"),
        ("X-Amz-Expires=60", "X-Amz-Expires=61"),
        ("Action", "Xction"),
    ):
        tampered = dataclasses.replace(request, query=request.query.replace(old, new))
        assert refused(tampered, b"") is Reason.MISMATCH


def test_a_wrong_secret_is_a_mismatch() -> None:
    request = botocore_v4()
    claim = v4.parse(request)
    assert claim is not None
    with pytest.raises(Refusal) as caught:
        v4.verify(claim, request, "other", hashlib.sha256(BODY).hexdigest(), now(), RULES)
    assert caught.value.reason is Reason.MISMATCH


@pytest.mark.parametrize("minutes", [-6, 6])
def test_a_skewed_clock_is_told_so(minutes: int) -> None:
    assert refused(botocore_v4(), when=now() + timedelta(minutes=minutes)) is Reason.SKEWED


def test_an_unsigned_amz_header_is_refused() -> None:
    request = replaced(botocore_v4(), x_amz_security_token="stolen")
    assert refused(request) is Reason.UNSIGNED


def test_an_unsigned_host_is_refused() -> None:
    request = botocore_v4()
    header = request.headers["authorization"].replace(";host", "").replace("host;", "")
    assert refused(replaced(request, authorization=header)) is Reason.UNSIGNED


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("AWS4-HMAC-SHA256", "AWS4-ECDSA-P256-SHA256"),
        ("aws4_request", "aws4_reply"),
        ("Credential=", "Credentials="),
        ("SignedHeaders=", "SignedHeaders=x;"),
        ("Signature=", "Signature=zz"),
        (f"{KEY}/", "/"),
        ("/ec2/", "/"),
    ],
)
def test_a_malformed_authorization_is_told_so(old: str, new: str) -> None:
    request = botocore_v4()
    header = request.headers["authorization"].replace(old, new)
    assert refused(replaced(request, authorization=header)) is Reason.MALFORMED


def test_the_date_may_be_in_the_date_header_and_must_exist() -> None:
    request = botocore_v4()
    when = datetime.strptime(request.headers["x-amz-date"], "%Y%m%dT%H%M%SZ")
    rfc = replaced(request, x_amz_date=None, date=f"{when:%a, %d %b %Y %H:%M:%S} GMT")
    claim = v4.parse(rfc)
    assert claim is not None
    assert claim.stamp == request.headers["x-amz-date"]
    assert refused(replaced(request, x_amz_date=None)) is Reason.MALFORMED
    assert refused(replaced(request, x_amz_date="yesterday")) is Reason.MALFORMED


def test_the_scopes_day_is_the_requests_day() -> None:
    request = botocore_v4()
    day = request.headers["x-amz-date"][:8]
    header = request.headers["authorization"].replace(day, "20200101")
    assert refused(replaced(request, authorization=header)) is Reason.MALFORMED


@pytest.mark.parametrize("expires", ["0", "604801", "-1", "x", "", "99999999999"])
def test_a_url_lives_between_a_second_and_a_week(expires: str) -> None:
    request = botocore_presigned(URL + "?Action=X", expires=60)
    query = request.query.replace("X-Amz-Expires=60", f"X-Amz-Expires={expires}")
    assert refused(dataclasses.replace(request, query=query), b"") is Reason.MALFORMED


@pytest.mark.parametrize("name", ["Algorithm", "Credential", "Date", "SignedHeaders"])
def test_a_presigned_url_needs_all_of_its_parameters(name: str) -> None:
    request = botocore_presigned(URL + "?Action=X")
    query = request.query.replace(f"X-Amz-{name}=", "other=")
    assert refused(dataclasses.replace(request, query=query), b"") is Reason.MALFORMED


def test_one_request_is_signed_once() -> None:
    header = botocore_v4().headers["authorization"]
    request = replaced(botocore_presigned(URL + "?Action=X"), authorization=header)
    assert refused(request, b"") is Reason.MALFORMED


def test_s3_signs_the_path_as_it_was_sent() -> None:
    from botocore.auth import S3SigV4Auth
    from botocore.awsrequest import AWSRequest

    from tests.gateway.sign.clients import CREDENTIALS, received

    raw = AWSRequest("GET", "http://127.0.0.1:7080/bucket/a//b/../c%20d%2Be")
    raw.context["payload_signing_enabled"] = True
    S3SigV4Auth(CREDENTIALS, "s3", "us-east-1").add_auth(raw)
    request = received(raw.prepare())
    check(request, b"", rules=S3_RULES)
    assert refused(request, b"") is Reason.MISMATCH


def test_a_time_beyond_the_calendar_is_malformed() -> None:
    request = replaced(botocore_v4(), x_amz_date="Fri, 31 Dec 9999 23:59:59 -2300")
    assert refused(request) is Reason.MALFORMED


@pytest.mark.parametrize("name", ["%E6%BC%A2", "x%0Ay", "x%20y", ""])
def test_what_cannot_name_a_header_cannot_be_signed(name: str) -> None:
    request = botocore_presigned(URL)
    query = request.query.replace("SignedHeaders=host", f"SignedHeaders=host%3B{name}")
    assert query != request.query
    assert refused(dataclasses.replace(request, query=query), b"") is Reason.MALFORMED
