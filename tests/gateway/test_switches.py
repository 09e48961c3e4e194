"""The operator's switches, as the gateway remembers them."""

import threading
from typing import Any

import pytest

from gateway.native import Native, NativeFault, Wire
from gateway.switches import Positions, Switches


class Capabilities(Native):
    """A native API that says what it can do, or does not answer."""

    def __init__(self) -> None:
        super().__init__(Wire.to("http://127.0.0.1:9/", 1, 1), "service", "secret")
        self.told: dict[str, Any] = {"ec2apienabled": True, "s3apienabled": False}
        self.asked = 0
        self.down = False

    def call(self, name: str, /, **params: str) -> dict[str, Any]:
        """The capabilities, and nothing else."""
        self.asked += 1
        assert (name, params) == ("listCapabilities", {})
        if self.down:
            raise NativeFault("unavailable", "", "", "about the service key", 503)
        return {"capability": self.told}


def test_a_switch_is_asked_for_once_in_a_while() -> None:
    native, now = Capabilities(), [0.0]
    switches = Switches(native, 2, lambda: now[0])
    assert switches.positions() == Positions(ec2=True, s3=False)
    native.told = {"ec2apienabled": False, "s3apienabled": True}
    assert switches.positions() == Positions(ec2=True, s3=False)
    now[0] = 2.5
    assert switches.positions() == Positions(ec2=False, s3=True)
    assert native.asked == 2


def test_what_was_said_last_holds_while_nobody_answers() -> None:
    native, now = Capabilities(), [0.0]
    switches = Switches(native, 2, lambda: now[0])
    switches.positions()
    native.down = True
    now[0] = 2.5
    assert switches.positions() == Positions(ec2=True, s3=False)


def test_nothing_is_believed_before_the_first_answer() -> None:
    native = Capabilities()
    native.down = True
    with pytest.raises(NativeFault) as caught:
        Switches(native, 2).positions()
    assert caught.value.kind == "unavailable"
    assert "service" not in caught.value.text


def test_a_native_api_that_knows_no_switches_has_them_off() -> None:
    native = Capabilities()
    native.told = {"securitygroupsenabled": True}
    assert Switches(native, 2).positions() == Positions(ec2=False, s3=False)


def test_nobody_waits_while_another_asks_again() -> None:
    native, now = Capabilities(), [0.0]
    switches = Switches(native, 2, lambda: now[0])
    switches.positions()
    now[0] = 2.5
    asking, answered = threading.Event(), threading.Event()

    def slow(name: str, /, **params: str) -> dict[str, Any]:
        asking.set()
        assert answered.wait(20)
        return {"capability": {"ec2apienabled": False, "s3apienabled": False}}

    native.call = slow  # type: ignore[method-assign]
    other = threading.Thread(target=switches.positions)
    other.start()
    assert asking.wait(20)
    assert switches.positions() == Positions(ec2=True, s3=False)
    answered.set()
    other.join(20)
    assert switches.positions() == Positions(ec2=False, s3=False)
