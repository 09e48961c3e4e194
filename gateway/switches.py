"""Which faces the operator has switched on: ``enable.ec2.api`` and ``enable.s3.api``.

They are global parameters of the cloud, off until somebody sets them. The gateway has no database:
it asks the native API what the cloud can do, with its service key, and remembers the answer for a
few seconds, so that a change takes effect without a restart and costs requests nothing. While the
native API cannot be asked, what it said last holds: S3 needs nothing else of it for known callers.
"""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from gateway.native import Native, NativeFault

_log = logging.getLogger("gateway.switches")


@dataclass(frozen=True)
class Positions:
    """Which faces are on."""

    ec2: bool
    s3: bool


class Switches:
    """The operator's switches, remembered for a short time by all requests of a process."""

    def __init__(
        self, service: Native, ttl: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._service = service
        self._ttl = ttl
        self._clock = clock
        self._asking = threading.Lock()
        self._known: Positions | None = None
        self._until = 0.0

    def positions(self) -> Positions:
        """The switches as they stand, or stood a few seconds ago.

        One thread at a time asks; the others go on meanwhile with what was known before.

        Raises:
            NativeFault: unavailable; nothing is known yet, and the native API cannot be asked.
        """
        known = self._known
        if known and self._clock() < self._until:
            return known
        if known is None:
            with self._asking:
                return self._refreshed()
        if not self._asking.acquire(blocking=False):
            return known
        try:
            return self._refreshed()
        finally:
            self._asking.release()

    def _refreshed(self) -> Positions:
        """What is known, after asking if nobody else just did."""
        known = self._known
        if known is None or self._clock() >= self._until:
            self._known = known = self._ask()
            self._until = self._clock() + self._ttl
        return known

    def _ask(self) -> Positions:
        try:
            told = self._service.call("listCapabilities")["capability"]
        except NativeFault as fault:
            _log.error("the switches cannot be read: %s: %s", fault.kind, fault.text)
            if self._known:
                return self._known
            text = "It cannot be found out now whether this API is switched on."
            raise NativeFault("unavailable", "", "", text, fault.errorcode) from fault
        return Positions(told.get("ec2apienabled") is True, told.get("s3apienabled") is True)
