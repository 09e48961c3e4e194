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

from gateway.native import Native, NativeFault

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

        ``fresh`` asks past every cache: it is set once before a signature is refused, so that a
        rotated key works at once.

        Raises:
            NativeFault: the source cannot be asked now.
        """
        ...


class NativeCredentials:
    """Callers as the native API knows them, remembered for a short time."""

    def __init__(
        self, service: Native, ttl: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._service = service
        self._ttl = ttl
        self._clock = clock
        self._known = dict[str, tuple[float, Caller]]()
        self._lock = threading.Lock()

    def find(self, access_key: str, *, fresh: bool = False) -> Caller | None:
        """See :class:`CredentialSource`. Unknown keys are not remembered."""
        with self._lock:
            until, caller = self._known.get(access_key, (0.0, None))
        if caller and not fresh and self._clock() < until:
            return caller
        found = self._ask(access_key)
        with self._lock:
            if found is None:
                self._known.pop(access_key, None)
            else:
                self._forget_old()
                self._known[access_key] = (self._clock() + self._ttl, found)
        return found

    def _forget_old(self) -> None:
        now = self._clock()
        if len(self._known) >= 1024:
            self._known = {key: kept for key, kept in self._known.items() if kept[0] > now}

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
