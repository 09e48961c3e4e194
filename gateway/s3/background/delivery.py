"""The courier: takes messages out of the outbox to their receivers.

One process at a time does. A receiver's messages go one after the other, in the order of their
changes; different receivers are served side by side. A receiver that cannot be reached rests, with
all its messages, a little longer each time; a message that a receiver refuses is tried again later,
and does not hold up the others. What could not be delivered in a day is given up. A message is
forgotten after it was taken, so a crash in between delivers it twice: receivers tell by
``sequencer``, which also tells them the order.
"""

import logging
import threading
import time
from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from gateway.s3.background.receivers import Guard, Refused, Unreachable, deliver
from s3store.faults import StoreFault
from s3store.index.outbox import Waiting
from s3store.outbox import Lease, Outbox
from s3store.store import Store

KEPT = timedelta(days=1)
"""How long a message is tried."""

_AT_ONCE = 8
_BATCH = 64
_PAUSE = 1.0  # seconds between looks at an outbox that was empty
_FIRST, _LONGEST = 2.0, 900.0  # seconds to wait after the first failure, and at most
_TURN = 10.0  # seconds a slow receiver may take before others have theirs
_LASTS = timedelta(minutes=5)  # longer than any round
_log = logging.getLogger(__name__)


class Courier:
    """Delivers the messages of one store."""

    def __init__(self, store: Store, guard: Guard) -> None:
        self._outbox = Outbox(store)
        self._lease = Lease(store, "notifications", _LASTS)
        self._guard = guard
        self._resting: dict[str, tuple[int, float]] = {}
        self._stop = threading.Event()

    def start(self) -> None:
        """Deliver from now on, in a thread of its own."""
        threading.Thread(target=self._run, name="s3-notifications", daemon=True).start()

    def stop(self) -> None:
        """Deliver no more after what is being delivered."""
        self._stop.set()

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                idle = not self.round()
            except (StoreFault, OSError):
                _log.exception("notifications could not be delivered; it will be tried again")
                idle = True
            if idle:
                self._stop.wait(_PAUSE)

    def round(self) -> int:
        """Try once what is due, and say how many messages that were; 0 if it is another's turn.

        Raises:
            StoreFault: the store does not answer.
        """
        now = time.monotonic()
        forgotten = now - _LONGEST  # whoever has not been heard of for so long begins anew
        self._resting = {t: rest for t, rest in self._resting.items() if rest[1] > forgotten}
        due = self._outbox.due(
            [t for t, (_, until) in self._resting.items() if until > now], _BATCH
        )
        if not due or not self._lease.take():
            return 0
        by_target = defaultdict[str, list[Waiting]](list)
        for message in due:
            by_target[message.target].append(message)
        work = list(by_target.items())
        helpers = [
            threading.Thread(target=self._serve_all, args=(work,), daemon=True)
            for _ in range(min(len(work), _AT_ONCE) - 1)
        ]
        for helper in helpers:
            helper.start()
        self._serve_all(work)
        for helper in helpers:
            helper.join()
        return len(due)

    def _serve_all(self, work: list[tuple[str, list[Waiting]]]) -> None:
        """Serve receivers of a list that several threads take from, until it is empty."""
        while work:
            try:
                target, messages = work.pop()
            except IndexError:
                return
            try:
                if done := self._serve(target, messages):
                    self._outbox.forget(done)
            except StoreFault:
                _log.exception("messages to a receiver will be delivered again")

    def _serve(self, target: str, messages: Sequence[Waiting]) -> list[Waiting]:
        """Tell a receiver what there is; returns what need not be kept any longer."""
        done = []
        until = time.monotonic() + _TURN
        for message in messages:
            if time.monotonic() > until:
                self._resting[target] = (0, time.monotonic() + _TURN)
                break
            if datetime.now(UTC) - message.created > KEPT:
                _log.warning("given up after %d tries: %s", message.tries, message.body)
                done.append(message)
                continue
            try:
                deliver(target, message.body.encode(), self._guard)
            except Unreachable as error:
                self._rest(target, str(error))
                break
            except Refused as error:
                _log.info("a notification was refused: %s", error)
                self._outbox.postpone(message, timedelta(seconds=_wait(message.tries)))
                continue
            self._resting.pop(target, None)
            done.append(message)
        return done

    def _rest(self, target: str, why: str) -> None:
        failures, _ = self._resting.get(target, (0, 0.0))
        wait = _wait(failures)
        self._resting[target] = (failures + 1, time.monotonic() + wait)
        _log.info("a receiver rests for %.0f seconds: %s", wait, why)


def _wait(failures: int) -> float:
    """Seconds to wait after so many failures before."""
    return min(_FIRST * 2.0 ** min(failures, 30), _LONGEST)
