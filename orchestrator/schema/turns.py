"""Taking turns at writing to SQLite.

SQLite has one writer at a time, and those who wait for it sleep and look again, up to a tenth of
a second each time, in no order. With a few busy processes that is most of a request's time. So
writers queue where waiting is cheap: threads of a process at a lock, processes at a lock on a file
beside the database, which wakes the next one at once. The kernel drops it when its holder dies.
"""

import fcntl
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class Turns:
    """The queue of one database's writers.

    Args:
        database: its file.
    """

    def __init__(self, database: str) -> None:
        self._file = Path(f"{database}-turn")
        self._lock = threading.Lock()

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Be the only writer for a while. Not to be nested."""
        with self._lock:
            descriptor = os.open(self._file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX)
                yield
            finally:
                os.close(descriptor)
