"""The orchestrator: runs jobs and the reconciler until it is told to stop.

``python -m orchestrator``; settings come from the environment, see :mod:`orchestrator.settings`.
"""

import fcntl
import logging
import signal
import sys
import threading
from typing import IO

from orchestrator import logs, workflows
from orchestrator.driver.fleets import fleet
from orchestrator.engine import lease
from orchestrator.engine.pool import Pool
from orchestrator.engine.runner import Runner
from orchestrator.reconcile.loop import Loop
from orchestrator.schema.secrets import vault
from orchestrator.schema.session import Sessions
from orchestrator.settings import Settings

log = logging.getLogger("orchestrator")


def main() -> int:
    """Run until SIGTERM or SIGINT."""
    logs.configure()
    settings = Settings()
    lock = _alone(settings)
    if lock is None:
        log.error("another orchestrator works for %s already", settings.home)
        return 1
    with lock:
        _serve(settings, _told_to_stop())
    return 0


def _serve(settings: Settings, stop: threading.Event) -> None:
    vault.open(settings.secrets_file)
    sessions = Sessions(settings.url)
    hosts = fleet(settings)
    # We are alone under this home, so whoever held leases in this node's name is dead.
    taken_up = lease.forsake(sessions, settings.node)
    log.info("%d workflows known, %d jobs taken up", len(workflows.__all__), taken_up)
    runner = Runner(sessions, hosts, settings.lease_seconds)
    pool = Pool(runner, settings.node, settings.workers, settings.poll_seconds)
    loop = Loop(sessions, hosts, settings.reconcile_seconds)
    pool.start()
    loop.start()
    stop.wait()
    log.info("stopping after the jobs in hand")
    loop.stop()
    pool.stop()
    sessions.close()


def _alone(settings: Settings) -> IO[str] | None:
    """The lock that only one orchestrator of a home can have; None when another has it."""
    file = settings.home / "run" / "orchestrator.lock"
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    lock = file.open("w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.close()
        return None
    return lock


def _told_to_stop() -> threading.Event:
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    return stop


if __name__ == "__main__":
    sys.exit(main())
