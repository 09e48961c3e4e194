"""Files that are whole or not there, and locks that die with their holder."""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from orchestrator.driver.ports import Transient


def write_whole(path: Path, data: bytes, *, mode: int = 0o644, owner: int | None = None) -> bool:
    """Put ``data`` at ``path`` by renaming, so that no reader sees half of it.

    Returns whether anything changed; a file that already says the same is left alone.
    """
    if path.exists() and path.read_bytes() == data:
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    with os.fdopen(descriptor, "wb") as file:
        os.fchmod(file.fileno(), mode)
        if owner is not None:
            os.fchown(file.fileno(), owner, -1)
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)
    return True


def settle(folder: Path) -> None:
    """Make renames and removals in a folder survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def locked(path: Path, patience: float = 30) -> Iterator[None]:
    """Hold an exclusive lock named by a file; the kernel frees it when its holder dies.

    Whoever removes the file does so while holding the lock; a waiter notices and starts over.

    Raises:
        Transient: somebody else held it for ``patience`` seconds.
    """
    deadline = time.monotonic() + patience
    path.parent.mkdir(parents=True, exist_ok=True)
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        if _taken(descriptor, path):
            break
        os.close(descriptor)
        if time.monotonic() > deadline:
            raise Transient(f"{path} stays locked")
        time.sleep(0.05)
    try:
        yield
    finally:
        os.close(descriptor)


def _taken(descriptor: int, path: Path) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return os.fstat(descriptor).st_ino == path.stat().st_ino
    except (BlockingIOError, FileNotFoundError):
        return False
