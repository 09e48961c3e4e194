"""Policies of browser uploads: what holds, what does not, and what is no policy at all."""

import base64
import hmac
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.auth import HmacV1PostAuth, S3SigV4PostAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from gateway.sign import postpolicy
from gateway.sign.postpolicy import BadPolicy, Forbidden
from gateway.sign.refusals import Reason, Refusal

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
LATER = "2026-11-21T12:00:01Z"


def spelled(document: Any) -> str:
    text = document if isinstance(document, str) else json.dumps(document)
    return base64.b64encode(text.encode()).decode()


def policy(*conditions: Any, expiration: str = LATER) -> postpolicy.Policy:
    return postpolicy.parse(spelled({"expiration": expiration, "conditions": list(conditions)}))


def allows(fields: dict[str, str], *conditions: Any) -> bool:
    try:
        policy(*conditions).check(fields, NOW)
    except Forbidden:
        return False
    return True


def signed(fields: dict[str, str], auth: type) -> dict[str, str]:
    """The fields botocore signs a form with, by lower-case name."""
    request = AWSRequest("POST", "https://host/bucket")
    request.context["s3-presign-post-fields"] = {}
    request.context["s3-presign-post-policy"] = {"conditions": [{"bucket": "b"}]}
    args = () if auth is HmacV1PostAuth else ("s3", "us-east-1")
    auth(Credentials("key", "secret"), *args).add_auth(request)
    made: dict[str, str] = request.context["s3-presign-post-fields"]
    return fields | {name.lower(): value for name, value in made.items()}


def test_conditions_compare_the_fields_they_name() -> None:
    key = {"bucket": "b", "key": "user/cat.jpg"}
    assert allows(key, {"bucket": "b"}, ["starts-with", "$key", "user/"])
    assert allows(key, {"bucket": "b"}, ["eq", "$key", "user/cat.jpg"])
    assert allows(key, {"bucket": "b"}, ["starts-with", "$key", ""])
    assert allows(key, {"bUcKeT": "b"}, ["StArTs-WiTh", "$KeY", "user"])
    assert not allows(key, {"bucket": "other"}, ["starts-with", "$key", ""])
    assert not allows(key, {"bucket": "b"}, ["eq", "$key", "user/"])
    assert not allows(key, {"bucket": "b"}, ["starts-with", "$key", ""], {"acl": "private"})


def test_every_field_is_covered() -> None:
    fields = {"bucket": "b", "key": "k"}
    conditions = {"bucket": "b"}, {"key": "k"}
    assert allows(fields, *conditions)
    assert allows(fields | {"x-ignore-me": "?", "policy": "…", "signature": "…"}, *conditions)
    assert not allows(fields | {"acl": "public-read"}, *conditions)
    assert not allows(fields | {"x-amz-meta-a": "1"}, *conditions)
    assert not allows(fields, {"key": "k"})


def test_each_of_several_content_types_has_to_hold() -> None:
    condition = ["starts-with", "$Content-Type", "image/"]
    assert allows({"content-type": "image/png"}, condition)
    assert allows({"content-type": "image/png, image/gif"}, condition)
    assert not allows({"content-type": "image/png,text/html"}, condition)


def test_a_policy_ends() -> None:
    assert allows({"key": "k"}, {"key": "k"})
    with pytest.raises(Forbidden, match="expired"):
        policy({"key": "k"}, expiration="2026-11-21T12:00:00.000Z").check({"key": "k"}, NOW)


def test_sizes_are_the_tightest_ones() -> None:
    found = policy(["content-length-range", 1, 100], ["Content-Length-Range", "5", "200"])
    assert (found.smallest, found.largest) == (5, 100)


def test_a_dollar_may_be_escaped() -> None:
    text = r'{"expiration": "%s", "conditions": [["eq", "$key", "\$1"], ["eq", "$acl", "\\$"]]}'
    found = postpolicy.parse(spelled(text % LATER))
    assert [each.value for each in found.conditions] == ["$1", r"\$"]


@pytest.mark.parametrize(
    "document",
    [
        "",
        "no json",
        "[]",
        '{"expiration": "2026-11-21T12:00:01Z"}',
        {"conditions": [{"key": "k"}]},
        {"expiration": LATER, "conditions": []},
        {"expiration": LATER, "CONDITIONS": [{"key": "k"}]},
        {"EXPIRATION": LATER, "conditions": [{"key": "k"}]},
        {"expiration": LATER, "conditions": {"key": "k"}},
        {"expiration": LATER, "conditions": [{}]},
        {"expiration": LATER, "conditions": [[]]},
        {"expiration": LATER, "conditions": [{"key": 1}]},
        {"expiration": LATER, "conditions": [["eq", "key", "k"]]},
        {"expiration": LATER, "conditions": [["ends-with", "$key", "k"]]},
        {"expiration": LATER, "conditions": [["eq", "$key"]]},
        {"expiration": LATER, "conditions": [["content-length-range", 0]]},
        {"expiration": LATER, "conditions": [["content-length-range", -1, 0]]},
        {"expiration": LATER, "conditions": [["content-length-range", 0, True]]},
        {"expiration": "2026-11-21 12:00:01+00:00", "conditions": [{"key": "k"}]},
        {"expiration": "2026-13-21T12:00:01Z", "conditions": [{"key": "k"}]},
        {"expiration": 1, "conditions": [{"key": "k"}]},
        "[" * 100_000,
    ],
)
def test_what_is_no_policy_is_refused(document: Any) -> None:
    with pytest.raises(BadPolicy):
        postpolicy.parse(spelled(document))


def test_text_that_is_not_base64_is_refused() -> None:
    with pytest.raises(BadPolicy):
        postpolicy.parse("{}")


@pytest.mark.parametrize("auth", [HmacV1PostAuth, S3SigV4PostAuth])
def test_what_botocore_signs_is_verified(auth: type) -> None:
    claim = postpolicy.claim(signed({"key": "k"}, auth))
    assert claim is not None
    assert claim.access_key == "key"
    postpolicy.verify(claim, "secret")
    with pytest.raises(Refusal) as caught:
        postpolicy.verify(claim, "other")
    assert caught.value.reason is Reason.MISMATCH


def test_the_signature_is_over_the_policy_as_sent() -> None:
    text = spelled({"expiration": LATER, "conditions": [{"key": "k"}]})
    digest = hmac.digest(b"secret", text.encode(), "sha1")
    fields = {"awsaccesskeyid": "key", "signature": base64.b64encode(digest).decode()}
    claim = postpolicy.claim(fields | {"policy": text})
    assert claim is not None
    postpolicy.verify(claim, "secret")


def test_a_form_of_nobody_has_no_claim() -> None:
    assert postpolicy.claim({"key": "k", "acl": "public-read"}) is None


@pytest.mark.parametrize("auth", [HmacV1PostAuth, S3SigV4PostAuth])
def test_a_claim_with_anything_missing_is_refused(auth: type) -> None:
    whole = signed({}, auth)
    for name in whole:
        for part in ({}, {name: ""}):
            with pytest.raises(Refusal) as caught:
                postpolicy.claim({n: v for n, v in whole.items() if n != name} | part)
            assert caught.value.reason is Reason.MALFORMED


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("x-amz-algorithm", "AWS4-HMAC-SHA1"),
        ("x-amz-credential", "key/20261121/us-east-1/ec2/aws4_request"),
        ("x-amz-credential", "key"),
        ("x-amz-date", "yesterday"),
        ("x-amz-date", "19700101T000000Z"),
        ("x-amz-signature", "ABC"),
        ("signature", "both"),
    ],
)
def test_a_claim_that_cannot_be_read_is_refused(name: str, value: str) -> None:
    with pytest.raises(Refusal) as caught:
        postpolicy.claim(signed({}, S3SigV4PostAuth) | {name: value})
    assert caught.value.reason is Reason.MALFORMED
