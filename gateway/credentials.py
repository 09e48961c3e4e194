"""Who is behind an access key: the one way in which secrets reach the gateway.

The gateway has no power of its own. Its service key may look a caller up, and ask what the cloud
offers (``switches.py``), and nothing else; for everything that follows it signs again with the
caller's own key.
"""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

from gateway.allowance import Allowance
from gateway.native import Native, NativeFault

UNKNOWN_PER_SECOND = 50.0
"""How many access keys that nobody owns a process asks the native API for."""

_UNKNOWN_SECONDS = 1.0  # a key that is made after it was asked for works so soon
_MOST_UNKNOWN = 4096
_FRESH = (5.0, 64.0)  # looks past the memory for one key: a second, and at once
_log = logging.getLogger("gateway.credentials")


@dataclass(frozen=True)
class Caller:
    """A user as the native API knows them. Ids are native UUIDs; ``account`` is a name."""

    access_key: str
    secret: str = field(repr=False)
    user_id: str
    username: str
    account_id: str
    account: str
    domain_id: str
    enabled: bool

    @property
    def anonymous(self) -> bool:
        """Whether nobody said who they are."""
        return not self.access_key


NOBODY = Caller(
    access_key="",
    secret="",
    user_id="anonymous",
    username="",
    account_id="65a011a29cdf8ec533ec3d1ccaae921c",
    account="",
    domain_id="",
    enabled=True,
)
"""Who calls without a signature, where that is possible; the account's id is the one S3 gives."""


class CredentialSource(Protocol):
    """Where callers' secrets come from."""

    def find(self, access_key: str, *, fresh: bool = False) -> Caller | None:
        """The user who owns an access key, or None.

        ``fresh`` asks past the memory of secrets: it is set once before a signature is refused, so
        that a rotated key works at once.

        Raises:
            NativeFault: the source cannot be asked now.
        """
        ...


@dataclass(frozen=True)
class _Known:
    """A caller, until when they are believed, and how often they may be asked for beyond that."""

    until: float
    caller: Caller
    fresh: Allowance


class NativeCredentials:
    """Callers as the native API knows them, remembered for a short time.

    Whoever makes keys up costs the native API little: what nobody owns is remembered too, for a
    moment, and only so many keys a second are asked for that turn out to be such. Looks past the
    memory, which every wrong signature leads to, are rare for each key.
    """

    def __init__(
        self,
        service: Native,
        ttl: float,
        clock: Callable[[], float] = time.monotonic,
        unknown_per_second: float = UNKNOWN_PER_SECOND,
    ) -> None:
        """Ask nothing yet.

        Args:
            ttl: seconds that a caller is remembered.
            unknown_per_second: how many keys nobody owns are asked for, in the long run.
        """
        self._service = service
        self._ttl = ttl
        self._clock = clock
        self._known = dict[str, _Known]()
        self._unknown = dict[str, float]()
        self._strangers = Allowance(unknown_per_second, 4 * unknown_per_second, clock)
        self._lock = threading.Lock()

    def find(self, access_key: str, *, fresh: bool = False) -> Caller | None:
        """See :class:`CredentialSource`."""
        now = self._clock()
        with self._lock:
            known = self._known.get(access_key)
            if now < self._unknown.get(access_key, 0.0):
                return None
        if known and now < known.until and not (fresh and known.fresh.take()):
            return known.caller
        if known is None and not self._strangers.take():
            text = "Too many unknown access keys are asked for."
            raise NativeFault("unavailable", "", "", text, 534)
        found = self._ask(access_key)
        if known is None and found is not None:
            self._strangers.give_back()
        self._remember(access_key, known, found)
        return found

    def _remember(self, access_key: str, known: _Known | None, found: Caller | None) -> None:
        now = self._clock()
        with self._lock:
            if found is None:
                self._known.pop(access_key, None)
                if len(self._unknown) >= _MOST_UNKNOWN:
                    del self._unknown[next(iter(self._unknown))]
                self._unknown[access_key] = now + _UNKNOWN_SECONDS
                return
            self._unknown.pop(access_key, None)
            self._forget_old(now)
            fresh = known.fresh if known else Allowance(*_FRESH, self._clock)
            self._known[access_key] = _Known(now + self._ttl, found, fresh)

    def _forget_old(self, now: float) -> None:
        if len(self._known) >= 1024:
            self._known = {key: kept for key, kept in self._known.items() if kept.until > now}

    def _ask(self, access_key: str) -> Caller | None:
        try:
            reply = self._service.call("getUser", userapikey=access_key)
        except NativeFault as fault:
            # A key that is refused for what it is, as too long or blank, is nobody's either.
            if (fault.kind, fault.subject) == ("not_found", "user") or fault.field == "userapikey":
                return None
            _log.error("the service key cannot look up callers: %s: %s", fault.kind, fault.text)
            text = "Credentials cannot be looked up now."
            raise NativeFault("unavailable", "", "", text, fault.errorcode) from fault
        return _caller(reply["user"])


def _caller(user: dict[str, Any]) -> Caller:
    return Caller(
        access_key=user["apikey"],
        secret=user["secretkey"],
        user_id=user["id"],
        username=user["username"],
        account_id=user["accountid"],
        account=user["account"],
        domain_id=user["domainid"],
        enabled=user["state"] == "enabled",
    )
