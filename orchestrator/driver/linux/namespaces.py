"""Network namespaces: making them, running programs inside, taking them away."""

import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from orchestrator.driver.commands import run
from orchestrator.driver.files import locked
from orchestrator.driver.linux import processes
from orchestrator.driver.ports import Transient

_FOLDER = Path("/run/netns")
_LOCKS = Path("/run/lock/pileus")
_NO_IPV6 = ("net.ipv6.conf.all.disable_ipv6=1", "net.ipv6.conf.default.disable_ipv6=1")


def path(name: str) -> Path:
    """The file that a named namespace is bound to."""
    return _FOLDER / name


def exists(name: str) -> bool:
    """Whether the name stands for a namespace; a bare file left by a crash does not."""
    try:
        return path(name).stat().st_dev == os.stat("/proc/self/ns/net").st_dev
    except FileNotFoundError:
        return False


def named(prefix: str) -> list[str]:
    """Names that begin so, usable or not."""
    return sorted(entry.name for entry in _FOLDER.glob(f"{prefix}*")) if _FOLDER.exists() else []


def ensure(name: str) -> None:
    """Have the namespace, with a loopback device and without IPv6."""
    if exists(name):
        return
    # One maker at a time: a name that is being made looks like one that a crash left.
    with _alone(name):
        if not exists(name):
            _make(name)


def ensure_absent(name: str) -> None:
    """Kill everything inside and remove the namespace, with all devices in it."""
    if exists(name):
        processes.end_all(lambda: processes.inside(path(name)))
    with _alone(name):
        if path(name).exists():
            run(["ip", "netns", "delete", name])


def inside(
    name: str, argv: Sequence[str], *, text: str | None = None, env: dict[str, str] | None = None
) -> str:
    """Run a program inside the namespace; see :func:`orchestrator.driver.commands.run`."""
    return run(["ip", "netns", "exec", name, *argv], text=text, env=env)


def links(name: str) -> dict[str, dict[str, object]]:
    """The devices inside, by name, as ``ip -json -details link`` describes them."""
    if not exists(name):
        return {}
    listed = json.loads(run(["ip", "-n", name, "-json", "-details", "link", "show"]))
    return {link["ifname"]: link for link in listed}


def ensure_link_absent(name: str, device: str) -> None:
    """Remove a device, if it is there. One whose other end just went may go by itself."""
    if device not in links(name):
        return
    try:
        run(["ip", "-n", name, "link", "delete", device])
    except Transient:
        if device in links(name):
            raise


def addresses(name: str, device: str) -> set[str]:
    """The IPv4 addresses of a device inside, each with its prefix length."""
    listed = json.loads(run(["ip", "-n", name, "-json", "-4", "address", "show", "dev", device]))
    return {
        f"{item['local']}/{item['prefixlen']}"
        for link in listed
        for item in link.get("addr_info", [])
    }


@contextmanager
def _alone(name: str) -> Iterator[None]:
    lock = _LOCKS / name
    with locked(lock):
        yield
        lock.unlink()


def _make(name: str) -> None:
    if path(name).exists():
        run(["ip", "netns", "delete", name])
    run(["ip", "netns", "add", name])
    run(["ip", "-n", name, "link", "set", "lo", "up"])
    inside(name, ["sysctl", "-qw", *_NO_IPV6])
