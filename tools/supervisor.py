"""The supervisor: keeps the processes of one cloud running until it is told to stop.

``python -m tools.supervisor HOME`` starts every part, restarts one that ends, and stops them all
on SIGTERM or SIGINT. One thread, one loop: signals are blocked and taken from the kernel's queue,
so nothing is lost between two looks. A part dies with its supervisor (the kernel sees to it), so a
killed supervisor leaves no port occupied, and its lock in the home tells everybody that it is gone.

Restarts wait 0.2 s at first, twice as long after each early death, 10 s at most; a part that ran
for half a minute starts afresh.
"""

import ctypes
import fcntl
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from tools.home import Home
from tools.parts import Part, parts

FIRST_DELAY, LONGEST_DELAY, SETTLED = 0.2, 10.0, 30.0
PATIENCE = 20.0
LOG_BYTES = 20 * 1024 * 1024
_STOPPING = frozenset({signal.SIGTERM, signal.SIGINT, signal.SIGHUP})
_WATCHED = _STOPPING | {signal.SIGCHLD}
_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True)


@dataclass
class _Child:
    """A part, its process if it runs, and when to start it if not."""

    part: Part
    process: subprocess.Popen[bytes] | None = None
    since: float = 0.0
    due: float = 0.0
    delay: float = FIRST_DELAY
    restarts: int = -1


class Supervisor:
    """Keeps parts running. Made and used in the main thread."""

    def __init__(self, home: Home, wanted: tuple[Part, ...]) -> None:
        self._home = home
        self._children = [_Child(part) for part in wanted]

    def run(self) -> None:
        """Start everything, watch over it, and return when told to stop and all is stopped."""
        signal.pthread_sigmask(signal.SIG_BLOCK, _WATCHED)
        told = None
        while told not in _STOPPING:
            self._reap()
            self._start_due()
            self._bound_logs()
            got = signal.sigtimedwait(_WATCHED, self._pause())
            told = signal.Signals(got.si_signo) if got else None
        _log("stopping")
        self._stop()

    def _pause(self) -> float:
        waiting = [child.due for child in self._children if child.process is None]
        return max(0.0, min([time.monotonic() + 30.0, *waiting]) - time.monotonic())

    def _reap(self) -> None:
        for child in self._children:
            if child.process is None or child.process.poll() is None:
                continue
            code, lasted = child.process.returncode, time.time() - child.since
            if lasted > SETTLED:
                child.delay = FIRST_DELAY
            _log(f"{child.part.name} ended with {code} after {lasted:.1f} s")
            child.process, child.due = None, time.monotonic() + child.delay
            child.delay = min(child.delay * 2, LONGEST_DELAY)

    def _start_due(self) -> None:
        for child in self._children:
            if child.process is None and child.due <= time.monotonic():
                self._start(child)
        self._publish()

    def _start(self, child: _Child) -> None:
        with open(self._home / f"logs/{child.part.name}.log", "ab") as log:
            child.process = subprocess.Popen(
                child.part.command,
                env=os.environ | child.part.environment,
                cwd=self._home.path,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                preexec_fn=_dies_with(os.getpid()),
            )
        child.since = time.time()
        child.restarts += 1
        _log(f"{child.part.name} runs as {child.process.pid}")

    def _publish(self) -> None:
        """Write down what runs, for ``pileus status``."""
        rows = [
            {
                "name": child.part.name,
                "pid": child.process.pid if child.process else None,
                "since": child.since,
                "port": child.part.port,
                "restarts": max(child.restarts, 0),
            }
            for child in self._children
        ]
        self._home.write("run/processes.json", json.dumps(rows))

    def _stop(self) -> None:
        running = [child.process for child in self._children if child.process]
        for process in running:
            process.terminate()
        deadline = time.monotonic() + PATIENCE
        for process in running:
            try:
                process.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                _log(f"{process.pid} does not stop; killing it")
                process.kill()
                process.wait()
        (self._home / "run/processes.json").unlink(missing_ok=True)

    def _bound_logs(self) -> None:
        for file in (self._home / "logs").glob("*.log"):
            if file.stat().st_size > LOG_BYTES:
                _rotate(file)


def _rotate(file: Path) -> None:
    """Keep one older file; the writers hold theirs open for appending, so it is cut in place."""
    with open(file, "r+b") as old:
        with open(file.with_suffix(".log.1"), "wb") as kept:
            while block := old.read(1 << 20):
                kept.write(block)
        old.truncate(0)


def _dies_with(parent: int) -> Callable[[], None]:
    """What a child does between fork and exec: unblock signals, and die when ``parent`` does."""

    def prepare() -> None:
        signal.pthread_sigmask(signal.SIG_SETMASK, ())
        _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:
            os._exit(1)

    return prepare


def _log(text: str) -> None:
    print(time.strftime("%Y-%m-%d %H:%M:%S"), text, flush=True)


def hold_lock(home: Home) -> IO[str]:
    """Take the supervisor's lock and put our process id in it; raises SystemExit if it is held.

    Somebody who looks whether we run holds the lock for an instant: so try for a second.
    """
    lock = open(home / "run/supervisor.lock", "a+")  # noqa: SIM115 - held until the process ends
    for _ in range(20):
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(0.05)
            continue
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        return lock
    raise SystemExit("another supervisor runs this cloud already")


def main() -> None:
    """Supervise the cloud in the home named on the command line."""
    home = Home(Path(sys.argv[1]))
    with hold_lock(home):
        Supervisor(home, parts(home, home.expect())).run()


if __name__ == "__main__":
    main()
