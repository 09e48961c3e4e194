"""A cloud of real processes that can be killed and started again, one by one or all at once."""

import os
import signal
import socket
import subprocess
import time
from collections.abc import Collection
from pathlib import Path
from typing import Any

from sqlalchemy import func, select

from orchestrator.driver.fleets import fleet
from orchestrator.install import install
from orchestrator.schema.jobs import Job, JobState
from orchestrator.schema.secrets import vault
from orchestrator.schema.session import Sessions
from orchestrator.settings import Settings
from tests.audit import audit
from tools import aws
from tools.home import Config, Home, Key
from tools.native import Native, as_admin
from tools.parts import parts
from tools.progress import Progress
from tools.provision import provision, switch_on
from tools.template import ensure_template

PARTS = ("orchestrator", "native", "gateway")
_ENDED = (JobState.DONE, JobState.FAILED, JobState.STUCK)
_START_SECONDS = 60.0


def free_port() -> int:
    """A loopback port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Rig:
    """The three processes of a cloud, each in a process group of its own."""

    def __init__(self, folder: Path, hypervisor: str) -> None:
        self.home = Home(folder)
        self.config = Config(hypervisor, free_port(), free_port())
        self.home.prepare()
        self.settings = Settings(home=folder, hypervisor=hypervisor)
        installed = install(self.settings, endpoint=self.config.native_url)
        self.home.save_key("admin", Key(installed.admin_key, installed.admin_secret))
        self.home.save_key("service", Key(installed.service_key, installed.service_secret))
        self.home.save(self.config)
        vault.open(self.settings.secrets_file)
        self.sessions = Sessions(self.settings.url)
        self.processes: dict[str, subprocess.Popen[bytes]] = {}

    def provision(self) -> None:
        """Start everything and set the zone up, as ``pileus up`` does."""
        self.start(PARTS)
        native = self.native()
        progress = Progress()
        switch_on(native, progress)
        place = provision(self.home, self.config, native, progress)
        ensure_template(self.home, self.config, native, place.zone, progress)

    def native(self) -> Native:
        """The administrator's native client."""
        return as_admin(self.home, self.config)

    def ec2(self) -> Any:
        """The administrator's boto3 client; it does not retry by itself."""
        return aws.client("ec2", self.home, self.config)

    def start(self, names: Collection[str]) -> None:
        """Start these parts, and wait until those with a port listen there."""
        started = [part for part in parts(self.home, self.config) if part.name in names]
        for part in started:
            with open(self.home / f"logs/{part.name}.log", "ab") as log:
                self.processes[part.name] = subprocess.Popen(
                    part.command,
                    env=os.environ | part.environment,
                    stdout=log,
                    stderr=log,
                    start_new_session=True,
                )
        for part in started:
            if part.port is not None:
                _await_port(part.port)

    def kill(self, names: Collection[str]) -> None:
        """SIGKILL these parts with all their workers, at once."""
        for name in names:
            os.killpg(self.processes[name].pid, signal.SIGKILL)
        for name in names:
            self.processes.pop(name).wait()

    def settle(self, patience: float) -> None:
        """Wait until no job is unfinished."""
        until = time.monotonic() + patience
        while unfinished := self._unfinished():
            if time.monotonic() > until:
                raise TimeoutError(f"{unfinished} jobs are still unfinished")
            time.sleep(0.05)

    def audit(self) -> list[str]:
        """What leaked or is stuck, asked of the hosts themselves."""
        return audit(self.sessions, fleet(self.settings))

    def close(self) -> None:
        """Stop everything."""
        self.kill(list(self.processes))
        self.sessions.close()

    def _unfinished(self) -> int:
        with self.sessions.read() as db:
            live = select(func.count()).select_from(Job).where(Job.state.not_in(_ENDED))
            return db.scalar(live) or 0


def _await_port(port: int) -> None:
    until = time.monotonic() + _START_SECONDS
    while time.monotonic() < until:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.02)
    raise TimeoutError(f"nothing listens on {port}")
