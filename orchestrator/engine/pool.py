"""The pool: threads that take runnable jobs and run them, and a heartbeat for what is in hand."""

import logging
import os
import threading
import time

from orchestrator.engine import lease
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
        while self._once():
            count += 1
        return count

    def _work(self) -> None:
        while not self._stop.is_set():
            try:
                worked = self._once()
            except Exception:
                log.exception("a runner could not reach the database; it tries again")
                worked = False
                time.sleep(self.poll)
            if not worked:
                self._stop.wait(self.poll)

    def _once(self) -> bool:
        claim = lease.claim(self.runner.sessions, self.owner, self.runner.lease)
        if claim is None:
            return False
        self._in_hand.add(claim.seq)
        try:
            self.runner.run(claim)
        except Exception:
            lease.drop(self.runner.sessions, claim)
            raise
        finally:
            self._in_hand.discard(claim.seq)
        return True

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
