"""Running the command line as its users do: as a process of its own."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

PILEUS = Path(sys.executable).with_name("pileus")


def pileus(*words: object, before: tuple[str, ...] = ()) -> subprocess.CompletedProcess[str]:
    """Run ``pileus`` to its end; ``before`` stands in front of the command line."""
    return subprocess.run(
        (*before, str(PILEUS), *map(str, words)),
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
        env=clean_environment(),
    )


def clean_environment() -> dict[str, str]:
    """This process's environment without what points clients or clouds somewhere else."""
    ours = ("PILEUS_", "AWS_", "CLOUDSTACK_")
    return {name: value for name, value in os.environ.items() if not name.startswith(ours)}


def free_ports(count: int) -> list[int]:
    """Ports of 127.0.0.1 that nobody listens on."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [found.getsockname()[1] for found in sockets]
    for found in sockets:
        found.close()
    return ports


def eventually(true: Callable[[], bool], seconds: float = 20.0) -> bool:
    """Whether something becomes true within some seconds."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if true():
            return True
        time.sleep(0.05)
    return true()


def alive(pid: int) -> bool:
    """Whether a process runs; one that has ended but was not waited for does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False
