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
        self.fault = NativeFault("not_found", "user", "userapikey", "no such user", 431)

    def call(self, name: str, /, **params: str) -> dict[str, Any]:
        """The user, when it is the one asked for."""
        self.asked += 1
        if name != "getUser" or params != {"userapikey": "KEY"}:
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


def test_an_unknown_key_is_nobody_and_not_remembered() -> None:
    users = Users()
    source = NativeCredentials(users, 30)
    assert source.find("OTHER") is None
    assert source.find("OTHER") is None
    assert users.asked == 2


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
    source._known = {f"k{i}": (0.5, None) for i in range(2000)}  # type: ignore[misc]
    now[0] = 1.0
    source.find("KEY")
    assert list(source._known) == ["KEY"]
