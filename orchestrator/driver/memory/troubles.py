"""Troubles a test world can order: verbs that fail, hang, crash the caller, or lie.

Each trouble names a host and a verb (:data:`ANY` for all of them) and how many calls it spoils;
troubles are used up in the order they were given, so a run is the same every time. A verb is named
as on the ports page (``ensure_running``), with its port where three have it
(``network.observe``). Unknown verbs are refused by name.
"""

import math
from collections.abc import Callable
from copy import copy
from dataclasses import dataclass, field
from threading import Event, Lock
from typing import Any, TypeVar

from orchestrator.driver.ports import (
    Hypervisor,
    Inventory,
    MachineFacts,
    Network,
    Storage,
    Transient,
)

T = TypeVar("T")

ANY = "*"
ALWAYS = math.inf

_PORTS = {"hypervisor": Hypervisor, "storage": Storage, "network": Network}
VERBS = frozenset(
    f"{port}.{verb}"
    for port, protocol in _PORTS.items()
    for verb in vars(protocol)
    if not verb.startswith("_")
)


def means(asked: str, verb: str) -> bool:
    """Whether ``asked`` (full name, short name or ANY) means this verb (a full name)."""
    return asked in (ANY, verb, verb.partition(".")[2])


def known(asked: str) -> str:
    """The name again, or ValueError when no port has such a verb."""
    if not any(means(asked, verb) for verb in VERBS):
        raise ValueError(f"no driver has a verb {asked!r}")
    return asked


@dataclass
class _Trouble:
    host: str
    verb: str
    when: str
    act: Callable[..., Any]
    times: float


@dataclass(frozen=True)
class Hang:
    """A hanging call: ``entered`` is set when a caller is in it, set ``release`` to let it go."""

    entered: Event = field(default_factory=Event)
    release: Event = field(default_factory=Event)

    def __call__(self) -> None:
        self.entered.set()
        self.release.wait()


class Troubles:
    """The troubles ordered so far. Safe to use while workers are running."""

    def __init__(self) -> None:
        self._waiting: list[_Trouble] = []
        self._turn = Lock()

    def fail(
        self, host: str, verb: str, error: Exception, times: float = 1, after: bool = False
    ) -> None:
        """Raise ``error`` instead of acting; with ``after``, act first, so the answer is lost."""

        def raise_it() -> None:
            raise copy(error)

        self._order(host, verb, "after" if after else "before", raise_it, times)

    def crash_before(
        self, host: str, verb: str, hook: Callable[[], None], times: float = 1
    ) -> None:
        """Call ``hook`` when the verb is called and has done nothing yet."""
        self._order(host, verb, "before", hook, times)

    def crash_after(self, host: str, verb: str, hook: Callable[[], None], times: float = 1) -> None:
        """Call ``hook`` when the verb has done its work and has not returned yet."""
        self._order(host, verb, "after", hook, times)

    def hang(self, host: str, verb: str, times: float = 1, after: bool = False) -> Hang:
        """Hold callers until the hang's ``release`` is set."""
        hang = Hang()
        self._order(host, verb, "after" if after else "before", hang, times)
        return hang

    def lie(self, host: str, verb: str, tale: Callable[[T], T], times: float = ALWAYS) -> None:
        """Answer ``tale(truth)`` instead of the truth."""
        self._order(host, verb, "answer", tale, times)

    def hide_machine(self, host: str, machine: str, times: float = ALWAYS) -> None:
        """Leave a machine out of what the hypervisor observes."""

        def tale(seen: dict[str, MachineFacts]) -> dict[str, MachineFacts]:
            return {each: facts for each, facts in seen.items() if each != machine}

        self.lie(host, "hypervisor.observe", tale, times)

    def invent_machine(
        self, host: str, machine: str, facts: MachineFacts, times: float = ALWAYS
    ) -> None:
        """Add a machine to what the hypervisor observes."""

        def tale(seen: dict[str, MachineFacts]) -> dict[str, MachineFacts]:
            return {**seen, machine: facts}

        self.lie(host, "hypervisor.observe", tale, times)

    def hide_disk(self, host: str, volume: str, times: float = ALWAYS) -> None:
        """Leave a disk out of what the host's storage observes."""

        def tale(seen: Inventory) -> Inventory:
            return Inventory(seen.disks - {volume}, seen.images, seen.strays)

        self.lie(host, "storage.observe", tale, times)

    def silence(self, host: str) -> None:
        """Cut the host off: every verb is Transient until :meth:`heal`."""
        self.fail(host, ANY, Transient(f"host {host} does not answer"), times=ALWAYS)

    def heal(self, host: str = ANY) -> None:
        """Forget the troubles of one host, or all. Calls that hang already stay where they are."""
        with self._turn:
            self._waiting = [each for each in self._waiting if host not in (ANY, each.host)]

    def before(self, host: str, verb: str) -> None:
        """Called by the driver when a verb (its full name) begins."""
        for trouble in self._due(host, verb, "before"):
            trouble.act()

    def after(self, host: str, verb: str) -> None:
        """Called by the driver when a verb has done its work."""
        for trouble in self._due(host, verb, "after"):
            trouble.act()

    def told(self, host: str, verb: str, truth: T) -> T:
        """What the caller is told when this is the truth."""
        answer = truth
        for trouble in self._due(host, verb, "answer"):
            answer = trouble.act(answer)
        return answer

    def _order(
        self, host: str, verb: str, when: str, act: Callable[..., Any], times: float
    ) -> None:
        with self._turn:
            self._waiting.append(_Trouble(host, known(verb), when, act, times))

    def _due(self, host: str, verb: str, when: str) -> list[_Trouble]:
        """The troubles of this call, used up by it. Failures and hangs come one per call."""
        with self._turn:
            found = [
                each
                for each in self._waiting
                if each.when == when and each.host in (ANY, host) and means(each.verb, verb)
            ]
            due = found if when == "answer" else found[:1]
            for each in due:
                each.times -= 1
            self._waiting = [each for each in self._waiting if each.times > 0]
            return due
