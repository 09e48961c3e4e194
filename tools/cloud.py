"""The running cloud of one home: launch its supervisor, see what runs, stop everything."""

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tools.home import Config, Home
from tools.parts import cloud_settings
from tools.progress import Progress
from tools.refusal import Refusal

if TYPE_CHECKING:
    from orchestrator.settings import Settings

_STOP_SECONDS = 40.0


@dataclass(frozen=True)
class Process:
    """A process of a cloud as its supervisor reports it. ``pid`` is None between two lives."""

    name: str
    pid: int | None
    since: float
    port: int | None
    restarts: int


def launch(home: Home, *, detached: bool) -> subprocess.Popen[bytes]:
    """Start the supervisor, in a session of its own if the cloud is to outlive the terminal."""
    with open(home / "logs/supervisor.log", "ab") as log:
        return subprocess.Popen(
            (sys.executable, "-m", "tools.supervisor", str(home.path)),
            cwd=home.path,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=detached,
        )


def processes(home: Home) -> list[Process]:
    """What the supervisor says it runs; empty when no supervisor is at work."""
    supervisor = home.supervisor()
    if supervisor is None:
        return []
    file = home / "run/processes.json"
    since = (home / "run/supervisor.lock").stat().st_mtime
    told = json.loads(file.read_text()) if file.exists() else []
    return [Process("supervisor", supervisor, since, None, 0), *(Process(**row) for row in told)]


def stop(home: Home, config: Config, progress: Progress) -> None:
    """Stop processes, guests and namespaces of this home; state on disk stays. Idempotent."""
    with progress.step("Processes stopped"):
        _stop_supervisor(home)
    if config.hypervisor == "libvirt" and os.geteuid() == 0:
        with progress.step("Guests and namespaces gone"):
            _clear_host(home)


def log_tail(home: Home, name: str, lines: int = 12) -> str:
    """The end of a process's log, for an error message."""
    file = home / f"logs/{name}.log"
    text = file.read_text(errors="replace") if file.exists() else ""
    return "\n".join((f"--- the end of {file}", *text.splitlines()[-lines:]))


def settings(home: Home, config: Config) -> "Settings":
    """The orchestrator's settings of this home; what its processes get from the environment."""
    from orchestrator.settings import Settings

    os.environ.update(cloud_settings(home, config))
    return Settings()


def _stop_supervisor(home: Home) -> None:
    pid = home.supervisor()
    if pid is None:
        return
    os.kill(pid, signal.SIGTERM)
    deadline = time.monotonic() + _STOP_SECONDS
    while home.supervisor() is not None:
        if time.monotonic() > deadline:
            raise Refusal(
                f"The supervisor (process {pid}) did not stop within {_STOP_SECONDS:.0f} s.",
                f"look into {home / 'logs/supervisor.log'}, then: kill -9 {pid}",
            )
        time.sleep(0.05)


def _clear_host(home: Home) -> None:
    from orchestrator.driver.libvirt.daemon import ensure_daemon_absent

    ensure_daemon_absent(home.path, home.tag)
