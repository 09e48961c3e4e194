"""The supervisor, over small processes of its own."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.tools.commands import alive, eventually
from tools.cloud import Process, processes
from tools.home import Home

# A supervisor whose parts are given as Python programs on its command line.
PROGRAM = """
import sys
from pathlib import Path
from tools import supervisor
from tools.home import Home
from tools.parts import Part

home = Home(Path(sys.argv[1]))
parts = tuple(
    Part(f"part{n}", (sys.executable, "-c", text), {"PART": str(n)})
    for n, text in enumerate(sys.argv[2:])
)
with supervisor.hold_lock(home):
    supervisor.Supervisor(home, parts).run()
"""
SLEEP = "import time; time.sleep(600)"


class Supervised:
    """A supervisor at work in a home."""

    def __init__(self, home: Home) -> None:
        self.home = home
        self.started: list[subprocess.Popen[bytes]] = []

    def start(self, *programs: str) -> subprocess.Popen[bytes]:
        command = (sys.executable, "-c", PROGRAM, str(self.home.path), *programs)
        with open(self.home / "logs/supervisor.log", "ab") as log:
            process = subprocess.Popen(command, stdout=log, stderr=log)
        self.started.append(process)
        return process

    def parts(self) -> list[Process]:
        """The parts, once all of them have been started."""
        assert eventually(lambda: len(processes(self.home)) > 1)
        assert eventually(lambda: all(process.pid for process in processes(self.home)))
        return processes(self.home)[1:]

    def pid(self, number: int = 0) -> int:
        pid = self.parts()[number].pid
        assert pid is not None
        return pid

    def log(self) -> str:
        return (self.home / "logs/supervisor.log").read_text()


@pytest.fixture
def supervised(tmp_path: Path) -> Iterator[Supervised]:
    home = Home(tmp_path)
    home.prepare()
    made = Supervised(home)
    yield made
    for process in made.started:
        process.kill()
        process.wait()


def test_every_part_is_started_and_reported(supervised: Supervised) -> None:
    supervised.start(SLEEP, SLEEP)
    assert [part.name for part in supervised.parts()] == ["part0", "part1"]
    assert alive(supervised.pid(0))
    assert alive(supervised.pid(1))


def test_a_part_gets_its_environment_and_its_log(supervised: Supervised) -> None:
    supervised.start("import os, time; print(os.environ['PART'], flush=True); time.sleep(600)")
    log = supervised.home / "logs/part0.log"
    assert eventually(lambda: log.exists() and log.read_text() == "0\n")


def test_a_killed_part_is_started_again(supervised: Supervised) -> None:
    supervised.start(SLEEP, SLEEP)
    killed, other = supervised.pid(0), supervised.pid(1)
    os.kill(killed, signal.SIGKILL)
    assert eventually(lambda: supervised.parts()[0].restarts == 1)
    assert alive(supervised.pid(0))
    assert supervised.pid(0) != killed
    assert supervised.pid(1) == other


def test_a_part_that_keeps_dying_is_started_less_and_less_often(supervised: Supervised) -> None:
    supervised.start("raise SystemExit(3)")
    assert eventually(lambda: supervised.log().count("ended with 3") >= 3)
    assert not eventually(lambda: supervised.log().count("ended with 3") > 6, seconds=1)


def test_stopping_the_supervisor_stops_every_part(supervised: Supervised) -> None:
    process = supervised.start(SLEEP, SLEEP)
    pids = [supervised.pid(0), supervised.pid(1)]
    process.terminate()
    assert process.wait(10) == 0
    assert not any(map(alive, pids))
    assert processes(supervised.home) == []


def test_a_killed_supervisor_takes_its_parts_along(supervised: Supervised) -> None:
    process = supervised.start(SLEEP)
    pid = supervised.pid()
    process.kill()
    process.wait()
    assert eventually(lambda: not alive(pid))
    assert supervised.home.supervisor() is None


def test_a_home_has_one_supervisor(supervised: Supervised) -> None:
    supervised.start(SLEEP)
    supervised.parts()
    second = supervised.start(SLEEP)
    assert second.wait(10) == 1
    assert "another supervisor" in supervised.log()


def test_the_supervisor_is_known_by_its_process_id(supervised: Supervised) -> None:
    process = supervised.start(SLEEP)
    supervised.parts()
    assert supervised.home.supervisor() == process.pid


def test_a_log_that_has_grown_too_long_is_put_aside(supervised: Supervised) -> None:
    log = supervised.home / "logs/old.log"
    with open(log, "wb") as file:
        file.truncate(21 * 1024 * 1024)
    supervised.start(SLEEP)
    supervised.parts()
    assert eventually(lambda: log.stat().st_size == 0)
    assert log.with_suffix(".log.1").stat().st_size == 21 * 1024 * 1024
