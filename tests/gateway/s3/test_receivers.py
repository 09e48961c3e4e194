"""Receivers of notifications: which may be, and what they cannot do to us."""

import ipaddress
import socket
import threading

import pytest

from gateway.s3.background.receivers import Guard, Refused, Unreachable, deliver
from tests.gateway.s3.receiver import receiving

HERE = Guard(("127.0.0.0/8",))


def permits(guard: Guard, address: str, host: str = "host") -> bool:
    return guard.permits(host, ipaddress.ip_address(address))


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "127.9.9.9",
        "::1",
        "::ffff:127.0.0.1",
        "169.254.169.254",
        "::ffff:169.254.169.254",
        "fe80::1",
        "0.0.0.0",
        "::",
        "224.0.0.1",
        "255.255.255.255",
        "64:ff9b::7f00:1",
        "64:ff9b::a9fe:a9fe",
        "2002:7f00:1::",
        "2002:a9fe:a9fe::1",
    ],
)
def test_by_default_nothing_is_told_to_places_that_trust_us(address: str) -> None:
    assert not permits(Guard(), address)


def test_by_default_guests_and_the_internet_may_be_told() -> None:
    for address in ("10.1.2.3", "192.0.2.200", "8.8.8.8", "2606:4700::1111"):
        assert permits(Guard(), address)


@pytest.mark.parametrize(
    "address",
    [
        "64:ff9b::7f00:1",
        "64:ff9b::a00:1",
        "2002:7f00:1::",
        "2002:c0a8:1::1",
        "224.0.0.1",
        "ff0e::1",
    ],
)
def test_the_internet_has_no_back_door_to_other_networks(address: str) -> None:
    assert not permits(Guard.of("public"), address)


def test_the_internet_may_be_reached_through_a_translating_gateway() -> None:
    assert permits(Guard.of("public"), "64:ff9b::808:808")


def test_by_default_this_machine_is_not_told_whatever_it_is_called() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
        except OSError:
            return  # no network at all: there is no other name for this machine
        assert not permits(Guard(), probe.getsockname()[0])


def test_what_is_named_may_be_told_and_nothing_else() -> None:
    listed = Guard.of("hooks.example.com, 10.0.0.0/8 ,127.0.0.1,fd00::/8")
    assert permits(listed, "192.0.2.1", "Hooks.Example.com")
    assert permits(listed, "10.9.9.9")
    assert permits(listed, "127.0.0.1")
    assert permits(listed, "::ffff:10.1.1.1")
    assert permits(listed, "fd00::5")
    assert not permits(listed, "127.0.0.2")
    assert not permits(listed, "8.8.8.8")
    assert permits(Guard(("public",)), "8.8.8.8")
    assert not permits(Guard(("public",)), "10.1.1.1")
    assert permits(Guard(("*",)), "127.0.0.1")
    for text in ("10.0.0.0/99", "a b", "/"):
        with pytest.raises(ValueError, match="neither"):
            Guard.of(text)


def test_a_name_is_judged_by_its_address() -> None:
    with receiving() as receiver:
        with pytest.raises(Unreachable):
            deliver(f"http://localhost:{receiver.port}/", b"{}", Guard())
        assert receiver.requests == 0
        deliver(f"http://localhost:{receiver.port}/", b'{"Records": []}', Guard(("localhost",)))
        assert receiver.requests == 1


def test_only_success_is_success() -> None:
    with receiving() as receiver:
        for status in (301, 400, 404, 500):
            receiver.answering = lambda _, status=status: (status, {"Location": "/"})  # type: ignore[misc]
            with pytest.raises(Refused, match=str(status)):
                deliver(f"http://127.0.0.1:{receiver.port}/", b'{"Records": []}', HERE)
    with pytest.raises(Unreachable):
        deliver(f"http://127.0.0.1:{receiver.port}/", b"{}", HERE)
    with pytest.raises(Unreachable):
        deliver("http://nowhere.invalid/", b"{}", Guard(("*",)))


def test_a_receiver_that_dawdles_is_cut_off() -> None:
    """Byte after byte, each in time for a socket's own patience."""
    gone = threading.Event()

    def dawdle(listener: socket.socket) -> None:
        connection, _ = listener.accept()
        with connection:
            try:
                while not gone.wait(0.05):
                    connection.sendall(b"HTTP/1.1 200 OK\r\n"[:1])
            except OSError:
                return

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=dawdle, args=(listener,))
        thread.start()
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/"
        with pytest.raises(Unreachable):
            deliver(url, b"{}", HERE, timeout=0.4)
        gone.set()
        thread.join()
