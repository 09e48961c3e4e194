"""A throw-away Ceph cluster for tests: one monitor and one disk, in memory, on 127.0.0.1."""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote
from uuid import uuid4

POOL, USER = "content", "client.store"
_SECONDS = 60
_CONF = """
[global]
fsid = {fsid}
mon_host = [v2:127.0.0.1:{port}]
mon_initial_members = a
public_addr = 127.0.0.1
cluster_addr = 127.0.0.1
keyring = {folder}/keyring
run_dir = {folder}
crash_dir = {folder}
log_file = {folder}/$name.log
admin_socket = {folder}/$name.asok
pid_file =
osd_pool_default_size = 1
osd_pool_default_min_size = 1
osd_pool_default_pg_autoscale_mode = off
mon_allow_pool_size_one = true
osd_crush_chooseleaf_type = 0
auth_allow_insecure_global_id_reclaim = false
paxos_propose_interval = 0.05
osd_heartbeat_interval = 1
[mon.a]
mon_data = {folder}/mon
[osd.0]
osd_data = {folder}/osd
osd_objectstore = memstore
memstore_device_bytes = 4294967296
"""
_CAPS = {
    "mon.": {"mon": "allow *"},
    "client.admin": {"mon": "allow *", "osd": "allow *"},
    "osd.0": {"mon": "allow profile osd", "osd": "allow *"},
    USER: {"mon": "allow r", "osd": f"allow rw pool={POOL}"},
}


class Ceph:
    """A cluster that lives as long as the tests, with a pool for content and a user for it.

    Its processes end with the thread that made it, even when that is killed.
    """

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="pileus-ceph-"))
        self.conf = self.folder / "ceph.conf"
        self._processes: list[subprocess.Popen[bytes]] = []
        self._environment = os.environ | {"CEPH_CONF": str(self.conf)}
        fsid, port = str(uuid4()), _free_port()
        self.conf.write_text(_CONF.format(fsid=fsid, port=port, folder=self.folder))
        try:
            self._start_monitor(fsid, port)
            self._start_disk()
            self.run("ceph", "osd", "pool", "create", POOL, "8")
            self.run("rados", "--pool", POOL, "ls")  # answered as soon as the pool is usable
        except BaseException:
            self.close()
            raise

    def url(self, namespace: str) -> str:
        """Of a place for content in the pool."""
        return f"rados://{USER}@{POOL}?namespace={namespace}&conf={quote(str(self.conf))}"

    def key(self) -> str:
        """The secret key of the pool's user."""
        keyring = str(self.folder / "keyring")
        printed = self.run("ceph-authtool", keyring, "--print-key", "--name", USER)
        return printed.strip()

    def run(self, *command: str) -> str:
        """Run one of Ceph's programs as its administrator; what it printed."""
        done = subprocess.run(
            command,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_SECONDS,
        )
        if done.returncode:
            raise RuntimeError(f"{' '.join(command)}: {done.stderr[-2000:]}")
        return done.stdout

    @contextmanager
    def away(self) -> Iterator[None]:
        """The cluster answers nobody."""
        for process in self._processes:
            process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            for process in self._processes:
                process.send_signal(signal.SIGCONT)

    @contextmanager
    def full(self) -> Iterator[None]:
        """The disk says that there is no room for one byte more."""
        self._pretend("full")
        try:
            yield
        finally:
            self._pretend("none")

    def close(self) -> None:
        """Stop it and remove everything."""
        for process in self._processes:
            process.kill()
            process.wait()
        shutil.rmtree(self.folder)

    def _start_monitor(self, fsid: str, port: int) -> None:
        keyring, monmap = str(self.folder / "keyring"), str(self.folder / "monmap")
        (self.folder / "keyring").touch(0o600)
        for name, caps in _CAPS.items():
            allowed = [word for each in caps.items() for word in ("--cap", *each)]
            self.run("ceph-authtool", keyring, "--gen-key", "--name", name, *allowed)
        address = f"[v2:127.0.0.1:{port}]"
        self.run("monmaptool", "--create", "--addv", "a", address, "--fsid", fsid, monmap)
        self.run("ceph-mon", "--mkfs", "-i", "a", "--monmap", monmap, "--keyring", keyring)
        self._start("ceph-mon", "-f", "-i", "a")

    def _start_disk(self) -> None:
        (self.folder / "osd").mkdir()
        disk = str(uuid4())
        self.run("ceph", "osd", "new", disk, "0")
        self.run("ceph-osd", "-i", "0", "--mkfs", "--osd-uuid", disk)
        self._start("ceph-osd", "-f", "-i", "0")

    def _start(self, *command: str) -> None:
        with (self.folder / "output").open("ab") as output:
            self._processes.append(
                subprocess.Popen(
                    ["setpriv", "--pdeathsig", "KILL", *command],
                    env=self._environment,
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=output,
                )
            )

    def _pretend(self, state: str) -> None:
        asok = str(self.folder / "osd.0.asok")
        self.run("ceph", "--admin-daemon", asok, "injectfull", state)
        until = time.monotonic() + _SECONDS
        while (",full" in self.run("ceph", "osd", "dump")) != (state == "full"):
            if time.monotonic() > until:
                raise TimeoutError(f"the disk does not become {state}")
            time.sleep(0.2)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
