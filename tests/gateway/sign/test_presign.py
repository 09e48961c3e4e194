"""Presigned URLs of our own making, judged by the verifier that judges everybody's."""

from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import pytest

from gateway.sign import v4
from gateway.sign.presign import presigned
from gateway.sign.refusals import Reason, Refusal
from gateway.sign.request import Request
from tests.gateway.sign.clients import KEY, SECRET

NOW = datetime(2026, 11, 21, 13, 0, 0, tzinfo=UTC)
URL = "http://127.0.0.1:7080/my-bucket/a%20b/../%C3%A9%2B~.qcow2"
RULES = v4.Rules(path_as_sent=True, skew=timedelta(minutes=15))


def verified(url: str, now: datetime = NOW, method: str = "GET") -> str:
    parts = urlsplit(url)
    request = Request(method, parts.path, parts.query, {"host": parts.netloc})
    claim = v4.parse(request)
    assert claim is not None
    v4.verify(claim, request, SECRET, "UNSIGNED-PAYLOAD", now, RULES)
    return claim.access_key


def test_whoever_has_the_url_may_get_it_as_the_key_until_it_expires() -> None:
    url = presigned(URL, KEY, SECRET, "us-east-1", NOW, 60)
    assert url.startswith(f"{URL}?")
    assert SECRET not in url
    assert verified(url) == KEY
    assert verified(url, NOW + timedelta(seconds=60)) == KEY
    with pytest.raises(Refusal) as caught:
        verified(url, NOW + timedelta(seconds=61))
    assert caught.value.reason is Reason.EXPIRED


def test_the_url_is_good_for_nothing_else() -> None:
    url = presigned(URL, KEY, SECRET, "us-east-1", NOW, 60)
    for other, method in (
        (url.replace("my-bucket", "my-other-bucket"), "GET"),
        (url.replace("7080", "7081"), "GET"),
        (url.replace("Expires=60", "Expires=600"), "GET"),
        (url, "DELETE"),
    ):
        with pytest.raises(Refusal) as caught:
            verified(other, method=method)
        assert caught.value.reason is Reason.MISMATCH
