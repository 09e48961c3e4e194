"""Who sends a request: look-ups, second looks, and what is refused whatever the signature."""

import dataclasses
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from gateway.credentials import Caller
from gateway.ec2.faults import Ec2Fault
from gateway.ec2.identity import Signed, authenticate
from gateway.sign.request import Request
from tests.gateway.sign.clients import KEY, SECRET, botocore_v2, botocore_v4

SKEW = timedelta(minutes=5)
BODY = b"Action=DescribeRegions"


class Users:
    """A credential source whose memory may be older than the truth."""

    def __init__(self, remembered: str = SECRET, true: str = SECRET, enabled: bool = True) -> None:
        self.remembered, self.true, self.enabled = remembered, true, enabled
        self.looks = list[bool]()

    def find(self, access_key: str, *, fresh: bool = False) -> Caller | None:
        """The one user."""
        self.looks.append(fresh)
        secret = self.true if fresh else self.remembered
        known = Caller(KEY, secret, "u", "user", "a", "account", "d", self.enabled)
        return known if access_key == KEY else None


def signed_v4(**headers: str) -> Signed:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Signed(botocore_v4(body=BODY, headers=named), [("Action", "DescribeRegions")], BODY)


def signed_v2() -> Signed:
    request, params = botocore_v2({"Action": "DescribeRegions"})
    return Signed(request, params, b"")


def admitted(signed: Signed, users: Users | None = None) -> Caller:
    return authenticate(signed, users or Users(), datetime.now(UTC), SKEW)


def refused(signed: Signed, users: Users | None = None) -> str:
    with pytest.raises(Ec2Fault) as caught:
        admitted(signed, users)
    assert SECRET not in caught.value.message
    return caught.value.code


@pytest.mark.parametrize("sign", [signed_v2, signed_v4])
def test_a_good_signature_needs_one_look(sign: Callable[[], Signed]) -> None:
    users = Users()
    assert admitted(sign(), users).account == "account"
    assert users.looks == [False]


@pytest.mark.parametrize("sign", [signed_v2, signed_v4])
def test_a_rotated_key_works_at_once(sign: Callable[[], Signed]) -> None:
    users = Users(remembered="old")
    assert admitted(sign(), users).secret == SECRET
    assert users.looks == [False, True]


def test_the_old_secret_of_a_rotated_key_is_refused_in_the_end() -> None:
    assert refused(signed_v4(), Users(remembered="new", true="new")) == "AuthFailure"


def test_a_disabled_user_is_blocked_only_with_a_good_signature() -> None:
    assert refused(signed_v4(), Users(enabled=False)) == "Blocked"
    wrong = Users(remembered="x", true="x", enabled=False)
    assert refused(signed_v4(), wrong) == "AuthFailure"


def test_a_request_is_signed_in_one_way() -> None:
    both = dataclasses.replace(signed_v4(), params=signed_v2().params)
    assert refused(both) == "IncompleteSignature"


def test_the_stated_hash_must_be_the_bodys() -> None:
    assert refused(signed_v4(x_amz_content_sha256="UNSIGNED-PAYLOAD")) == "AuthFailure"


def test_session_tokens_are_refused() -> None:
    assert refused(signed_v4(x_amz_security_token="t")) == "AuthFailure"
    params = [*signed_v2().params, ("SecurityToken", "t")]
    assert refused(dataclasses.replace(signed_v2(), params=params)) == "AuthFailure"


def test_nothing_at_all_is_told_so() -> None:
    bare = Signed(Request("GET", "/", "", {"host": "x"}), [("Action", "X")], b"")
    assert refused(bare) == "MissingAuthenticationToken"


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.1:7080", "cloud.example"])
def test_the_short_address_is_tried_as_well(host: str) -> None:
    request, params = botocore_v2({"Action": "X"}, url=f"http://{host.removesuffix(':7080')}/")
    received = dataclasses.replace(request, path="/awsapi/", headers={"host": host})
    assert admitted(Signed(received, params, b""))
    other = dataclasses.replace(request, headers={"host": "elsewhere:7080"})
    assert refused(Signed(other, params, b"")) == "AuthFailure"


def test_the_short_address_is_tried_in_version_4_too() -> None:
    request = botocore_v4(url="http://127.0.0.1/", body=BODY)
    headers = {**request.headers, "host": "127.0.0.1:7080"}
    assert admitted(
        Signed(dataclasses.replace(request, path="/awsapi/", headers=headers), [], BODY)
    )
