"""Files of keys: read when they changed, written whole and for good, one writer at a time."""

import fcntl
import logging
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Generic, TypeVar

from gateway.s3.faults import S3Fault

_T = TypeVar("_T")
_log = logging.getLogger(__name__)


class KeyFile(Generic[_T]):
    """What a file says, read anew when it is another one. Threads may share it."""

    def __init__(self, path: Path, parse: Callable[[bytes], _T]) -> None:
        """Read nothing yet.

        Args:
            parse: raises ValueError for what is none; ``str()`` of it is logged, so no secrets.
        """
        self._path, self._parse = path, parse
        self._turn = threading.Lock()
        self._seen: object = None
        self._content: _T | None = None

    def content(self, *, anew: bool = False) -> _T | None:
        """What it says; None when it is not there.

        Args:
            anew: read it in any case.

        Raises:
            S3Fault: ServiceUnavailable, when it does not say what it should.
        """
        with self._turn:
            try:
                found = self._path.stat()
                seen = (found.st_ino, found.st_mtime_ns, found.st_size)
                if anew or seen != self._seen:
                    self._content, self._seen = self._read(), seen
            except FileNotFoundError:
                self._content, self._seen = None, None
            return self._content

    def _read(self) -> _T:
        data = self._path.read_bytes()
        try:
            return self._parse(data)
        except (ValueError, RecursionError) as error:
            _log.error("%s cannot be used: %s", self._path, error)
            raise S3Fault("ServiceUnavailable", "The keys cannot be read now.") from error


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Keep other threads and processes from changing the keys of a folder, and make it if absent.

    A lock belongs to the open file, so threads exclude one another as processes do.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    descriptor = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def write(file: Path, data: bytes) -> None:
    """Put a file in place whole, and on the disk before anybody relies on it."""
    fresh = file.with_name(f".{file.name}.new")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as out:
        out.write(data)
        out.flush()
        os.fsync(out.fileno())
    fresh.replace(file)
    folder = os.open(file.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
