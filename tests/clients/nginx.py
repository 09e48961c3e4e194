"""A real nginx in front of a gateway, with the configuration that comes with the gateway."""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from tests.crash.rig import free_port
from tests.gateway.s3.servers import Server

CONFIGURATION = Path(__file__).parents[2] / "gateway" / "nginx.conf"
SECRET = "only nginx knows"

_MAIN = """
{user}
daemon off;
worker_processes 1;
pid {root}/pid;
events {{ worker_connections 256; }}
http {{
    log_format sent
        '$upstream_http_x_amz_request_id $status $upstream_status $upstream_http_x_accel_redirect';
    access_log {root}/access sent;
    client_body_temp_path {root}/t; proxy_temp_path {root}/t; fastcgi_temp_path {root}/t;
    uwsgi_temp_path {root}/t; scgi_temp_path {root}/t;
    include {root}/pileus.conf;
}}
"""


@dataclass(frozen=True)
class Nginx:
    """A running one; ``front`` is the gateway as its clients see it."""

    front: Server
    root: Path

    def sent(self, request_id: str) -> str:
        """How a request was answered: its status, what the gateway said, and where it sent nginx.

        The line is written when the answer has been sent, so it may have to be waited for.
        """
        until = time.monotonic() + 10
        while time.monotonic() < until:
            for line in (self.root / "access").read_text().splitlines():
                if line.startswith(request_id):
                    return line.partition(" ")[2]
            time.sleep(0.01)
        raise RuntimeError(f"nginx did not log the request {request_id}")


@contextmanager
def nginx(root: Path, server: Server, objects: Path) -> Iterator[Nginx]:
    """Run it before a server.

    Args:
        objects: the folder that it reads content from.
    """
    port = free_port()
    text = CONFIGURATION.read_text()
    for old, new in {
        "server 127.0.0.1:7080;": f"server {server.host};",
        "listen 127.0.0.1:8000;": f"listen 127.0.0.1:{port};",
        '"change-me"': f'"{SECRET}"',
        "root /srv/pileus/objects;": f"root {objects};",
    }.items():
        assert text.count(old) == 1
        text = text.replace(old, new)
    root.mkdir()
    (root / "pileus.conf").write_text(text)
    user = "user root;" if os.getuid() == 0 else ""
    (root / "conf").write_text(_MAIN.format(root=root, user=user))
    program = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")
    assert program, "needed: apt-get install nginx-light"
    command = (program, "-c", str(root / "conf"), "-e", str(root / "errors"))
    with (root / "log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
        try:
            _await(process, port, root / "log")
            yield Nginx(replace(server, port=port), root)
        finally:
            process.terminate()
            process.wait(20)


def _await(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    until = time.monotonic() + 30
    while time.monotonic() < until and process.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.02)
    raise RuntimeError(f"nginx did not start:\n{log.read_text()}")
