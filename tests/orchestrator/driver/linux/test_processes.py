"""Finding and ending processes."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest

from orchestrator.driver.linux import processes
from orchestrator.driver.linux.processes import Process

STUBBORN = """
import signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print(1, flush=True)
time.sleep(60)
"""


@pytest.fixture
def stubborn() -> Iterator[subprocess.Popen[bytes]]:
    """A process that does not end when asked."""
    with subprocess.Popen([sys.executable, "-c", STUBBORN], stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        child.stdout.readline()
        yield child
        child.kill()


def seen(pid: int) -> Process:
    return next(each for each in processes.everyone() if each.pid == pid)


def test_we_see_ourselves() -> None:
    assert seen(os.getpid()).program.startswith(("python", "pytest"))


def test_a_process_that_does_not_listen_is_killed(stubborn: subprocess.Popen[bytes]) -> None:
    processes.end(seen(stubborn.pid), patience=0.2)
    assert stubborn.wait(5) == -signal.SIGKILL


def test_a_number_that_belongs_to_somebody_else_now_is_left_alone(
    stubborn: subprocess.Popen[bytes],
) -> None:
    stale = Process(stubborn.pid, ("dnsmasq", "--conf-file=/gone"))
    processes.end(stale, patience=0)
    processes.send(stale, signal.SIGKILL)
    assert stubborn.poll() is None


def test_ending_a_process_that_is_gone_does_nothing() -> None:
    child = subprocess.Popen(["true"])
    child.wait()
    processes.end(Process(child.pid, ("true",)))
