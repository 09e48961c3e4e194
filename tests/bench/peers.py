"""The servers that are measured: ours, moto_server in its memory, and nginx as the ceiling.

All are real processes on loopback, each with the settings its makers give it. nginx serves plain
files and checks no signature, keeps no index and forces nothing to the disk: it is what the machine
could do at best, not a rival.
"""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import urllib3

from tests.bench import wrk
from tests.crash.rig import free_port
from tests.gateway.s3.servers import serving

BUCKET = "bench"

_RESTLESS = 60  # seconds

_HTTP = urllib3.PoolManager(retries=False)

_NGINX = """
worker_processes 2;
daemon off;
pid {root}/pid;
error_log {root}/log;
events {{ worker_connections 1024; }}
http {{
    access_log off;
    sendfile on;
    tcp_nopush on;
    keepalive_requests 1000000;
    client_max_body_size 0;
    client_body_temp_path {root}/body;
    proxy_temp_path {root}/t; fastcgi_temp_path {root}/t; uwsgi_temp_path {root}/t;
    scgi_temp_path {root}/t;
    server {{
        listen 127.0.0.1:{port};
        location / {{ root {root}/files; dav_methods PUT DELETE; create_full_put_path on; }}
    }}
}}
"""


@dataclass(frozen=True)
class Peer:
    """One server under measurement.

    Args:
        lists: whether it knows S3's listings.
        most: the most memory of its processes, by their ids, in MiB.
    """

    name: str
    port: int
    pid: int
    root: Path
    lists: bool = True
    most: dict[int, float] = field(default_factory=dict, compare=False)

    def ask(self, method: str, path: str, body: bytes = b"") -> bytes:
        """One request.

        Raises:
            RuntimeError: it was refused.
        """
        head, _, _ = wrk.signed(self.port, method, path, body).partition(b"\r\n\r\n")
        lines = (line.split(": ", 1) for line in head.decode().split("\r\n")[1:])
        answer = _HTTP.request(
            method, f"http://127.0.0.1:{self.port}{path}", body=body, headers=dict(lines)
        )
        if answer.status >= 400:
            raise RuntimeError(f"{self.name}: {answer.status} {answer.data[:500]!r}")
        return answer.data

    def settle(self) -> None:
        """Note its memory, and wait until it rests: some go on long after their clients hung up."""
        self._weigh()
        until = time.monotonic() + _RESTLESS
        before = -1
        while time.monotonic() < until and (now := self._spent()) > before + 2:
            before = now
            time.sleep(0.25)

    def _spent(self) -> int:
        """Processor time it used so far, in hundredths of a second."""
        return sum(map(_ticks, {self.pid, *_children(self.pid)}))

    def _weigh(self) -> None:
        for pid in _children(self.pid) or [self.pid]:
            self.most[pid] = max(self.most.get(pid, 0), _weight(pid))

    def peak(self) -> list[int]:
        """The most memory that each process below it had at the end of a run, in MiB.

        What several processes share is shared out among them (PSS), so the sum is what they cost.
        """
        return [round(most) for most in self.most.values()]


@contextmanager
def peers(folder: Path) -> Iterator[list[Peer]]:
    """All three, each with an empty bucket."""
    with ExitStack() as stack:
        flags = ("--threads=24",)
        ours = stack.enter_context(
            serving(folder / "pileus", application="tests.bench.serving:create()", flags=flags)
        )
        found = [
            Peer("pileus", ours.port, ours.process.pid, ours.root),
            stack.enter_context(_moto(folder)),
            stack.enter_context(_nginx(folder / "nginx")),
        ]
        for peer in found[:2]:
            peer.ask("PUT", f"/{BUCKET}")
        yield found


@contextmanager
def _moto(folder: Path) -> Iterator[Peer]:
    port = free_port()
    command = (sys.executable, "-m", "tests.bench.moto", "-H", "127.0.0.1", "-p", str(port))
    with process(command, port) as pid:
        yield Peer("moto", port, pid, folder)


@contextmanager
def _nginx(root: Path) -> Iterator[Peer]:
    (root / "files" / BUCKET).mkdir(parents=True)
    port = free_port()
    (root / "conf").write_text(_NGINX.format(root=root, port=port))
    program = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin") or "nginx"
    for path in (root, root / "files", root / "files" / BUCKET):
        path.chmod(0o777)  # started by root its workers are somebody else
    with process((program, "-c", str(root / "conf"), "-e", str(root / "log")), port) as pid:
        yield Peer("nginx", port, pid, root, lists=False)


@contextmanager
def process(command: tuple[str, ...], port: int) -> Iterator[int]:
    """Its process id, once something answers on the port; it is stopped in the end."""
    started = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        _await(port)
        yield started.pid
    finally:
        started.terminate()
        started.wait()


def _await(port: int) -> None:
    until = time.monotonic() + 60
    while True:
        try:
            _HTTP.request("GET", f"http://127.0.0.1:{port}/")
        except urllib3.exceptions.HTTPError:
            if time.monotonic() > until:
                raise
            time.sleep(0.1)
        else:
            return


def _children(pid: int) -> list[int]:
    path = Path(f"/proc/{pid}/task/{pid}/children")
    return [int(word) for word in path.read_text().split()]


def _ticks(pid: int) -> int:
    words = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
    return int(words[11]) + int(words[12])


def _weight(pid: int) -> float:
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    line = next(line for line in lines if line.startswith("Pss:"))
    return int(line.split()[1]) / 1024
