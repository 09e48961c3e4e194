"""Signature version 2, with botocore and boto 2 as the other party."""

import dataclasses
from datetime import UTC, datetime, timedelta
from importlib import import_module

import pytest

from gateway.sign import v2
from gateway.sign.encoding import Pairs
from gateway.sign.refusals import Reason, Refusal
from gateway.sign.request import Request
from tests.gateway.sign.clients import KEY, SECRET, botocore_v2, hand_v2

SKEW = timedelta(minutes=5)
ODD = {"Action": "DescribeX", "Filter.1.Value.1": "a b~c*d+e/é&=%", "Empty": "", "b.10": "1"}


def now() -> datetime:
    return datetime.now(UTC)


def check(request: Request, params: Pairs, when: datetime | None = None) -> v2.Claim:
    claim = v2.parse(params)
    assert claim is not None
    v2.verify(claim, request, params, SECRET, when or now(), SKEW)
    return claim


def refused(request: Request, params: Pairs, when: datetime | None = None) -> Reason:
    with pytest.raises(Refusal) as caught:
        check(request, params, when)
    return caught.value.reason


def by_hand(method: str = "HmacSHA1", **times: str) -> tuple[Request, Pairs]:
    params = [
        ("Action", "DescribeRegions"),
        ("AWSAccessKeyId", KEY),
        ("SignatureVersion", "2"),
        ("SignatureMethod", method),
        *times.items(),
    ]
    signature = hand_v2(params, "127.0.0.1:7080", "/awsapi", digest=method[4:].lower())
    request = Request("GET", "/awsapi", "", {"host": "127.0.0.1:7080"})
    return request, [*params, ("Signature", signature)]


def stamp(time: datetime) -> str:
    return f"{time:%Y-%m-%dT%H:%M:%SZ}"


def test_a_request_of_botocore_verifies() -> None:
    request, params = botocore_v2(ODD)
    assert check(request, params).access_key == KEY


def test_the_order_of_parameters_does_not_matter() -> None:
    request, params = botocore_v2(ODD)
    check(request, params[::-1])


@pytest.mark.parametrize("method", ["HmacSHA1", "HmacSHA256"])
def test_both_digests_are_taken(method: str) -> None:
    check(*by_hand(method, Timestamp=stamp(now())))


@pytest.mark.parametrize("form", ["%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M:%S.000Z"])
def test_a_timestamp_has_many_forms(form: str) -> None:
    check(*by_hand(Timestamp=now().strftime(form)))
    check(*by_hand(Timestamp=(now() + timedelta(hours=2)).strftime("%Y-%m-%dT%H:%M:%S+02:00")))


def test_a_request_of_boto_2_verifies() -> None:
    boto_auth = import_module("boto.auth")
    from types import SimpleNamespace

    provider = SimpleNamespace(access_key=KEY, secret_key=SECRET, security_token=None)
    http = SimpleNamespace(
        host="127.0.0.1:7080",
        path="/awsapi/",
        method="POST",
        headers={},
        body="",
        params={**ODD, "Timestamp": stamp(now()), "SignatureVersion": "2", "AWSAccessKeyId": KEY},
    )
    handler = boto_auth.QuerySignatureV2AuthHandler("127.0.0.1", None, provider)
    string, signature = handler._calc_signature(
        http.params, http.method, http.path, "127.0.0.1:7080"
    )
    del string
    params = [*http.params.items(), ("Signature", signature)]
    check(Request("POST", "/awsapi/", "", {"host": "127.0.0.1:7080"}), params)


def test_nothing_signed_may_change() -> None:
    request, params = botocore_v2(ODD)
    check(request, params)
    for one in (
        dataclasses.replace(request, method="GET"),
        dataclasses.replace(request, path="/awsapi/x"),
        dataclasses.replace(request, headers={"host": "other"}),
    ):
        assert refused(one, params) is Reason.MISMATCH
    for changed in (
        [(n, v + "x" if n == "Action" else v) for n, v in params],
        [*params, ("InstanceId.1", "i-1")],
        [(n, v) for n, v in params if n != "Empty"],
    ):
        assert refused(request, changed) is Reason.MISMATCH


def test_a_repeated_parameter_is_signed_twice() -> None:
    request, params = botocore_v2({"Action": "X", "a": "1"})
    assert refused(request, [*params, ("a", "1")]) is Reason.MISMATCH


@pytest.mark.parametrize("minutes", [-6, 6])
def test_an_old_or_early_timestamp_is_refused(minutes: int) -> None:
    request, params = by_hand(Timestamp=stamp(now() + timedelta(minutes=minutes)))
    assert refused(request, params) is Reason.EXPIRED


def test_an_end_date_counts_until_it_passes() -> None:
    check(*by_hand(Expires=stamp(now() + timedelta(hours=3))))
    assert refused(*by_hand(Expires=stamp(now() - timedelta(seconds=2)))) is Reason.EXPIRED


def test_unsigned_parameters_carry_no_claim() -> None:
    assert v2.parse([("Action", "DescribeRegions")]) is None


@pytest.mark.parametrize(
    "change",
    [
        {"SignatureVersion": "1"},
        {"SignatureMethod": "HmacMD5"},
        {"SignatureMethod": None},
        {"Signature": None},
        {"AWSAccessKeyId": None},
        {"Signature": "not base64!"},
        {"Timestamp": None},
        {"Timestamp": "yesterday"},
        {"Timestamp": "2010-02-30T00:00:00Z"},
        {"Expires": "2030-01-01T00:00:00Z"},
    ],
)
def test_a_malformed_claim_is_told_so(change: dict[str, str | None]) -> None:
    request, params = botocore_v2({"Action": "DescribeRegions"})
    changed = {**dict(params), **change}
    sent = [(name, value) for name, value in changed.items() if value is not None]
    assert refused(request, sent) is Reason.MALFORMED


@pytest.mark.parametrize("name", ["Timestamp", "Expires"])
@pytest.mark.parametrize("time", ["0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59"])
def test_a_time_beyond_the_calendar_is_malformed(name: str, time: str) -> None:
    assert refused(*by_hand(**{name: time})) is Reason.MALFORMED
