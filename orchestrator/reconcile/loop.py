"""The reconciler: on the clock and on a nudge, it compares the world with the rows.

It takes no arguments, does the same thing twice without harm, writes only what was observed, and
mends nothing itself: it starts the workflow a user would have started. There is one path per
change.
"""

import logging
import threading

from orchestrator.driver.ports import Fleet
from orchestrator.reconcile import expiry, hosts, instances
from orchestrator.schema.session import Sessions

log = logging.getLogger(__name__)


class Loop:
    """Runs passes on a thread of its own until told to stop.

    Args:
        pause: seconds between two passes.
    """

    def __init__(self, sessions: Sessions, fleet: Fleet, pause: float) -> None:
        self.sessions = sessions
        self.fleet = fleet
        self.pause = pause
        self._nudge = threading.Event()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="reconciler")

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End after the pass in hand."""
        self._stop.set()
        self._nudge.set()
        self._thread.join()

    def nudge(self) -> None:
        """Run a pass now."""
        self._nudge.set()

    def once(self) -> None:
        """One pass."""
        for seen in hosts.observe(self.sessions, self.fleet):
            instances.mend(self.sessions, seen)
            hosts.mend_networks(self.sessions, seen)
        expiry.expire(self.sessions)

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                self.once()
            except Exception:
                log.exception("a pass failed; the next one tries again")
            self._nudge.wait(self.pause)
            self._nudge.clear()
