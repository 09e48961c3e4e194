"""Callers, as the native API knows them."""

from typing import Any

import pytest

from gateway.credentials import NativeCredentials
from gateway.native import Native, NativeFault, Wire

USER = {
    "id": "u",
    "username": "alice",
    "accountid": "a",
    "account": "alice",
    "domainid": "d",
    "apikey": "KEY",
    "state": "enabled",
}


class Users(Native):
    """A native API that knows one user, whose secret may change."""

    def __init__(self) -> None:
        super().__init__(Wire.to("http://127.0.0.1:9/", 1, 1), "service", "secret")
        self.secret = "first"
        self.asked = 0
        self.key = "KEY"
        self.fault = NativeFault("not_found", "user", "userapikey", "no such user", 431)

    def call(self, name: str, /, **params: str) -> dict[str, Any]:
        """The user, when it is the one asked for; with no key of their own, whoever is."""
        self.asked += 1
        if name != "getUser" or params["userapikey"] != (self.key or params["userapikey"]):
            raise self.fault
        return {"user": {**USER, "secretkey": self.secret}}


def test_a_caller_is_remembered_for_a_while() -> None:
    users, now = Users(), [0.0]
    source = NativeCredentials(users, 30, lambda: now[0])
    found = source.find("KEY")
    assert found is not None
    assert (found.secret, found.account_id, found.enabled) == ("first", "a", True)
    users.secret = "second"
    assert source.find("KEY") is found
    now[0] = 31
    again = source.find("KEY")
    assert again is not None
    assert (again.secret, users.asked) == ("second", 2)


def test_a_fresh_look_goes_past_the_memory() -> None:
    users = Users()
    source = NativeCredentials(users, 30)
    source.find("KEY")
    users.secret = "second"
    fresh = source.find("KEY", fresh=True)
    assert fresh is not None
    assert fresh.secret == "second"
    kept = source.find("KEY")
    assert kept is fresh


def test_an_unknown_key_is_nobodys_for_a_moment_without_asking_again() -> None:
    users, now = Users(), [0.0]
    source = NativeCredentials(users, 30, lambda: now[0])
    for fresh in (False, True, False):
        assert source.find("OTHER", fresh=fresh) is None
    assert users.asked == 1
    now[0] = 1.1
    assert source.find("OTHER") is None
    assert users.asked == 2


def test_a_key_made_after_it_was_asked_for_works_a_second_later() -> None:
    users, now = Users(), [0.0]
    source = NativeCredentials(users, 30, lambda: now[0])
    users.key = "LATER"
    assert source.find("KEY") is None
    users.key = "KEY"
    now[0] = 1.1
    assert source.find("KEY") is not None


def test_keys_that_are_made_up_are_asked_for_at_a_bounded_rate() -> None:
    users, now = Users(), [0.0]
    source = NativeCredentials(users, 30, lambda: now[0], unknown_per_second=10)
    source.find("KEY")
    refused = 0
    for number in range(1000):
        now[0] += 0.01
        try:
            assert source.find(f"MADE-UP-{number}") is None
        except NativeFault:
            refused += 1
    assert users.asked == pytest.approx(1 + 40 + 100, abs=2)
    assert users.asked + refused == 1001
    with pytest.raises(NativeFault) as caught:
        [source.find(f"MORE-{number}") for number in range(100)]
    assert caught.value.kind == "unavailable"
    assert source.find("KEY", fresh=True) is not None


def test_callers_there_are_do_not_use_the_allowance_up() -> None:
    users, now = Users(), [0.0]
    users.key = ""
    source = NativeCredentials(users, 30, lambda: now[0], unknown_per_second=1)
    assert all(source.find(f"REAL-{number}") for number in range(1000))
    assert users.asked == 1000


def test_wrong_signatures_lead_to_few_looks_past_the_memory() -> None:
    users, now = Users(), [0.0]
    source = NativeCredentials(users, 1000, lambda: now[0])
    for _ in range(1000):
        now[0] += 0.01
        assert source.find("KEY", fresh=True) is not None
    assert users.asked == pytest.approx(1 + 64 + 50, abs=2)
    users.secret = "second"
    now[0] += 0.3
    fresh = source.find("KEY", fresh=True)
    assert fresh is not None
    assert fresh.secret == "second"


def test_what_is_remembered_of_unknown_keys_is_bounded() -> None:
    users, now = Users(), [0.0]
    source = NativeCredentials(users, 30, lambda: now[0], unknown_per_second=1e9)
    for number in range(10_000):
        source.find(f"MADE-UP-{number}")
    assert len(source._unknown) == 4096


@pytest.mark.parametrize("kind", ["invalid", "missing"])
def test_a_key_that_cannot_be_one_is_nobodys(kind: str) -> None:
    users = Users()
    users.fault = NativeFault(kind, "command", "userapikey", "too long, or blank", 431)
    assert NativeCredentials(users, 30).find("OTHER") is None


@pytest.mark.parametrize("kind", ["unavailable", "unauthenticated", "unknown_command"])
def test_a_failing_look_up_is_not_an_unknown_key(kind: str) -> None:
    users = Users()
    users.fault = NativeFault(kind, "", "", "about the service key", 401)
    with pytest.raises(NativeFault) as caught:
        NativeCredentials(users, 30).find("OTHER")
    assert caught.value.kind == "unavailable"
    assert "service" not in caught.value.text


def test_a_secret_does_not_show_itself() -> None:
    found = NativeCredentials(Users(), 30).find("KEY")
    assert "first" not in repr(found)


def test_the_memory_forgets_what_is_old() -> None:
    users, now = Users(), [0.0]
    source = NativeCredentials(users, 1, lambda: now[0])
    users.key = ""
    for number in range(1024):
        source.find(f"k{number}")
    now[0] = 1.5
    source.find("KEY")
    assert list(source._known) == ["KEY"]
