"""Signatures, with the clients themselves as the other party."""

import base64
import hashlib
import hmac
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Any
from urllib.parse import parse_qsl, quote, quote_plus, urlsplit

import pytest
from cs import CloudStack
from hypothesis import given
from hypothesis import strategies as st
from libcloud.common.cloudstack import CloudStackConnection

from nativeapi.signature import canonical_forms, sign, verify

KEY, SECRET = "access-key", "se/cret+key"
NOW = datetime(2024, 5, 1, 12, 0, tzinfo=UTC)
VALUES = (
    "plain",
    "a b",
    "~",
    "[x]",
    "*",
    "~[*]",
    "a/b:c,d",
    "(it's)!",
    "+&=%",
    "é ü 雲",
    "-._",
    "",
)


class _Caught(Exception):
    def __init__(self, prepared: Any) -> None:
        self.prepared = prepared


class _Catcher:
    """A requests session that sends nothing."""

    def send(self, prepared: Any, **_options: object) -> None:
        raise _Caught(prepared)


def _from_cs(params: Mapping[str, str]) -> dict[str, str]:
    """What the ``cs`` client sends."""
    client = CloudStack("http://cloud/client/api", key=KEY, secret=SECRET, session=_Catcher())
    with pytest.raises(_Caught) as caught:
        client.listThings(**params)
    query = urlsplit(caught.value.prepared.url).query
    return dict(parse_qsl(query, keep_blank_values=True))


def _from_libcloud(params: Mapping[str, str]) -> dict[str, str]:
    """What libcloud sends."""
    connection = CloudStackConnection(KEY, SECRET, secure=False)
    told = connection.add_default_params({"command": "listThings", **params})
    told, _ = connection.pre_connect_hook(told, {})
    return {name: x.decode() if isinstance(x, bytes) else x for name, x in told.items()}


def _by_hand(
    params: Mapping[str, str], encode: Callable[[str], str], fold: bool, digest: str = "sha1"
) -> dict[str, str]:
    """A request signed by the published rule, in one of the ways clients read it."""
    told = {"command": "listThings", "apiKey": KEY, "response": "json", **params}
    names = sorted(told, key=str.lower if fold else None)
    text = "&".join(f"{name}={encode(told[name])}" for name in names).lower()
    raw = hmac.new(SECRET.encode(), text.encode(), digest).digest()
    return told | {"signature": base64.b64encode(raw).decode()}


def _java(value: str) -> str:
    return quote(value, safe="-._*").replace("~", "%7E")


ENCODINGS: dict[str, Callable[[str], str]] = {
    "java": _java,
    "cs": lambda value: quote(value, safe="*"),
    "libcloud": lambda value: quote(value, safe="[]*"),
    "old marvin": lambda value: quote_plus(value).replace("+", "%20"),
    "new marvin": lambda value: quote_plus(value, safe="*").replace("+", "%20"),
    "ec2stack": lambda value: quote(value, safe="").replace("%5B", "[").replace("%5D", "]"),
}


@pytest.mark.parametrize("value", VALUES)
def test_what_cs_signs_is_accepted(value: str) -> None:
    sent = _from_cs({"name": value, "Zebra": "1", "tags[0].key": value})

    assert verify(SECRET, sent, datetime.now(UTC))


@pytest.mark.parametrize("value", VALUES)
def test_what_libcloud_signs_is_accepted(value: str) -> None:
    assert verify(SECRET, _from_libcloud({"name": value, "Zebra": "1"}), NOW)


@pytest.mark.parametrize(("client", "fold"), list(product(ENCODINGS, (False, True))))
@pytest.mark.parametrize("value", VALUES)
def test_every_reading_of_the_rule_is_accepted(client: str, fold: bool, value: str) -> None:
    sent = _by_hand({"name": value, "Zebra": "x", "id": "7"}, ENCODINGS[client], fold)

    assert verify(SECRET, sent, NOW)


@given(
    st.dictionaries(
        st.text("abcXYZ[]0.", min_size=1).filter(lambda name: name.lower() != "signature"),
        st.text(st.characters(exclude_categories=["Cs"])),
    )
)
def test_what_we_sign_ourselves_is_accepted(params: dict[str, str]) -> None:
    assert verify(SECRET, {**params, "signature": sign(SECRET, params)}, NOW)


def test_sha256_is_accepted_by_the_length_of_the_signature() -> None:
    assert verify(SECRET, _by_hand({"name": "~x y"}, _java, False, "sha256"), NOW)
    assert not verify(SECRET, _by_hand({"name": "x"}, _java, False, "sha512"), NOW)
    assert not verify(SECRET, _by_hand({"name": "x"}, _java, False, "md5"), NOW)


def test_the_name_of_the_signature_is_found_in_any_case() -> None:
    sent = _by_hand({}, _java, False)
    sent["Signature"] = sent.pop("signature")

    assert verify(SECRET, sent, NOW)


@pytest.mark.parametrize("name", ["command", "apiKey", "response", "name"])
def test_a_changed_parameter_is_refused(name: str) -> None:
    sent = _by_hand({"name": "x"}, _java, False)

    assert not verify(SECRET, {**sent, name: sent[name] + "y"}, NOW)


def test_an_added_or_missing_parameter_is_refused() -> None:
    sent = _by_hand({"name": "x"}, _java, False)

    assert not verify(SECRET, {**sent, "forced": "true"}, NOW)
    assert not verify(SECRET, {name: x for name, x in sent.items() if name != "name"}, NOW)


@pytest.mark.parametrize("signature", ["", "=", "é", "AAAA", "not base64!", "A" * 28, "A" * 44])
def test_what_is_no_signature_is_refused(signature: str) -> None:
    assert not verify(SECRET, {"command": "listZones", "signature": signature}, NOW)


def test_a_call_without_signature_is_refused() -> None:
    assert not verify(SECRET, {"command": "listZones"}, NOW)


def test_another_secret_is_refused() -> None:
    assert not verify("another", _by_hand({}, _java, False), NOW)


@pytest.mark.parametrize(
    ("expires", "accepted"),
    [
        ("2024-05-01T12:00:01+0000", True),
        ("2024-05-01T14:00:01+0200", True),
        ("2024-05-01T12:00:00+0000", False),
        ("2024-05-01T13:59:59+0200", False),
        ("2024-05-01T12:10:00", False),
        ("tomorrow", False),
        ("", False),
    ],
)
def test_version_3_is_good_until_it_expires(expires: str, accepted: bool) -> None:
    sent = _by_hand({"signatureVersion": "3", "expires": expires}, _java, False)

    assert verify(SECRET, sent, NOW) is accepted


def test_version_3_without_a_time_is_refused() -> None:
    assert not verify(SECRET, _by_hand({"signatureversion": "3"}, _java, False), NOW)


def test_other_versions_do_not_expire() -> None:
    past = (NOW - timedelta(days=1)).strftime("%Y-%m-%dT%H:%M:%S%z")

    for version in ("1", "2"):
        sent = _by_hand({"signatureVersion": version, "expires": past}, _java, False)
        assert verify(SECRET, sent, NOW)


def test_an_ordinary_call_has_one_form() -> None:
    assert len(canonical_forms({"apikey": "k", "command": "listZones", "id": "1-2"})) == 1


def test_the_canonical_form_is_that_of_the_published_rule() -> None:
    """The parameters of the developer's guide, sorted, encoded and in lower case."""
    told = {"command": "deployVirtualMachine", "serviceOfferingId": "1", "apiKey": "Ab_C"}
    [first, *_] = canonical_forms(told)

    assert first == b"apikey=ab_c&command=deployvirtualmachine&serviceofferingid=1"
    expected = base64.b64encode(hmac.new(b"k", first, hashlib.sha1).digest()).decode()
    assert sign("k", told) == expected


@pytest.mark.parametrize(
    ("expires", "accepted"),
    [("0001-01-01T00:00:00+2300", False), ("9999-12-31T23:59:59-2300", True)],
)
def test_an_end_beyond_the_calendar_is_compared_all_the_same(expires: str, accepted: bool) -> None:
    told = {"command": "listThings", "signatureVersion": "3", "expires": expires}

    assert verify(SECRET, {**told, "signature": sign(SECRET, told)}, NOW) is accepted
