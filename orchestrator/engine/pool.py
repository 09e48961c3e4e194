"""The pool: threads that take runnable jobs and run them, and a heartbeat for what is in hand."""

import logging
import os
import threading

from orchestrator.engine import lease
from orchestrator.engine.journal import Claim
from orchestrator.engine.runner import Runner

log = logging.getLogger(__name__)


class Pool:
    """Runs jobs on several threads until told to stop.

    Args:
        runner: what runs a claimed job.
        node: the name under which leases are taken; the process id is added.
        workers: how many jobs run at the same time.
        poll: seconds between two looks at an empty queue.
    """

    def __init__(self, runner: Runner, node: str, workers: int, poll: float) -> None:
        self.runner = runner
        self.owner = f"{node}/{os.getpid()}"
        self.poll = poll
        self._in_hand: set[int] = set()
        self._looking = threading.Lock()
        self._stop = threading.Event()
        names = [f"runner-{number}" for number in range(workers)]
        self._threads = [threading.Thread(target=self._work, name=name) for name in names]
        self._threads.append(threading.Thread(target=self._beat, name="heartbeat"))

    def start(self) -> None:
        """Begin to take jobs."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Take no more jobs, and wait for those in hand to reach the end of their step list."""
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def drain(self) -> int:
        """Run what is runnable, on this thread, until nothing is. Returns how many runs it took."""
        count = 0
        while (claim := self._claim()) is not None:
            self._run(claim)
            count += 1
        return count

    def _work(self) -> None:
        while not self._stop.is_set():
            try:
                claim = self._next()
                if claim is not None:
                    self._run(claim)
            except Exception:
                log.exception("a runner could not reach the database; it tries again")
                self._stop.wait(self.poll)

    def _next(self) -> Claim | None:
        """The next job; None when told to stop. One idle thread looks for all of them."""
        with self._looking:
            while not self._stop.is_set():
                claim = self._claim()
                if claim is not None:
                    return claim
                self._stop.wait(self.poll)
        return None

    def _claim(self) -> Claim | None:
        return lease.claim(self.runner.sessions, self.owner, self.runner.lease)

    def _run(self, claim: Claim) -> None:
        self._in_hand.add(claim.seq)
        try:
            self.runner.run(claim)
        except Exception:
            lease.drop(self.runner.sessions, claim)
            raise
        finally:
            self._in_hand.discard(claim.seq)

    def _beat(self) -> None:
        while not self._stop.wait(self.runner.lease / 3):
            self._renew()

    def _renew(self) -> None:
        seqs: list[int] = list(self._in_hand)
        if not seqs:
            return
        try:
            lease.renew(self.runner.sessions, self.owner, seqs, self.runner.lease)
        except Exception:
            log.exception("the heartbeat could not reach the database; it tries again")
