"""Finding and ending processes by what they are, never by a number written down earlier.

A pid file may be stale and its number somebody else's. So a process of ours is known by the
network namespace that it lives in and by its arguments; and it is held by a pidfd between the
check and the signal, so that the number cannot change hands meanwhile.
"""

import os
import select
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Process:
    """A process as it was when looked at."""

    pid: int
    argv: tuple[str, ...]

    @property
    def program(self) -> str:
        """The last part of the path of what runs."""
        return os.path.basename(self.argv[0])


def inside(namespace: Path) -> list[Process]:
    """Every process in the network namespace that is bound to this path."""
    try:
        wanted = namespace.stat()
    except FileNotFoundError:
        return []
    return [
        process for process in everyone() if _network(process.pid) == (wanted.st_dev, wanted.st_ino)
    ]


def everyone() -> Iterator[Process]:
    """Every process of this machine that has arguments: kernel threads and zombies have none.

    Lower numbers first, so that a parent comes before the children it forked.
    """
    for pid in sorted(int(name) for name in os.listdir("/proc") if name.isdigit()):
        if argv := _arguments(pid):
            yield Process(pid, argv)


def send(process: Process, number: signal.Signals) -> None:
    """Send a signal, unless the process is gone."""
    with _held(process) as handle:
        if handle is not None:
            signal.pidfd_send_signal(handle, number)


def end(process: Process, patience: float = 3) -> None:
    """Ask the process to end, and kill it after ``patience`` seconds (0: at once)."""
    with _held(process) as handle:
        if handle is None:
            return
        if patience > 0:
            signal.pidfd_send_signal(handle, signal.SIGTERM)
            if _ended(handle, patience):
                return
        signal.pidfd_send_signal(handle, signal.SIGKILL)
        _ended(handle, 10)


def end_all(found: Callable[[], list[Process]], patience: float = 3) -> None:
    """End what ``found`` finds, again until it finds nothing: children may be born meanwhile."""
    for _ in range(20):
        processes = found()
        if not processes:
            return
        for process in processes:
            send(process, signal.SIGTERM if patience > 0 else signal.SIGKILL)
        for process in processes:
            end(process, patience)


@contextmanager
def _held(process: Process) -> Iterator[int | None]:
    try:
        handle = os.pidfd_open(process.pid)
    except ProcessLookupError:
        yield None
        return
    try:
        yield handle if _arguments(process.pid) == process.argv else None
    except ProcessLookupError:
        return
    finally:
        os.close(handle)


def _ended(handle: int, patience: float) -> bool:
    return bool(select.select([handle], [], [], patience)[0])


def _arguments(pid: int) -> tuple[str, ...]:
    try:
        raw = Path(f"/proc/{pid}/cmdline").read_bytes()
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return ()
    return tuple(part.decode(errors="replace") for part in raw.rstrip(b"\0").split(b"\0") if raw)


def _network(pid: int) -> tuple[int, int] | None:
    try:
        found = os.stat(f"/proc/{pid}/ns/net")
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return None
    return found.st_dev, found.st_ino
