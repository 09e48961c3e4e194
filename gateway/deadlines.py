"""How long a client may take: its connection is shut when a limit passes.

A socket's own timeout starts anew with every byte, so a client that sends one now and then would
hold a thread for as long as it likes. A limit here does not: when it passes the connection is shut
down, and whoever reads from it sees its end at once.

One thread looks after all limits of a process. There are as many as threads that wait for clients,
so it may look at every one of them each time.
"""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

_EVERY = 0.5  # seconds


@dataclass(eq=False)
class Limit:
    """One wait for one client; ``passed`` when it took too long."""

    connection: socket.socket
    until: float
    how: int
    passed: bool = False


class Deadlines:
    """All limits of a process. Its thread starts with the first one, so after any fork."""

    def __init__(self) -> None:
        self._limits = set[Limit]()
        self._lock = threading.Lock()
        self._watching = False

    def begin(self, connection: socket.socket, seconds: float, how: int) -> Limit:
        """Set a limit.

        Args:
            how: what is shut when it passes: ``socket.SHUT_RD`` still lets an answer out.
        """
        limit = Limit(connection, time.monotonic() + seconds, how)
        with self._lock:
            self._limits.add(limit)
            if not self._watching:
                self._watching = True
                threading.Thread(target=self._watch, name="deadlines", daemon=True).start()
        return limit

    def end(self, limit: Limit) -> None:
        """Lift a limit. After this its connection is not touched, so it may be closed."""
        with self._lock:
            self._limits.discard(limit)

    @contextmanager
    def limit(self, connection: socket.socket, seconds: float, how: int) -> Iterator[Limit]:
        """A limit for as long as the block takes."""
        limit = self.begin(connection, seconds, how)
        try:
            yield limit
        finally:
            self.end(limit)

    def _watch(self) -> None:
        while True:
            time.sleep(_EVERY)
            now = time.monotonic()
            with self._lock:
                late = [limit for limit in self._limits if limit.until < now]
                for limit in late:
                    limit.passed = True
                    self._limits.discard(limit)
                    with suppress(OSError):  # it has gone by itself
                        limit.connection.shutdown(limit.how)


DEADLINES = Deadlines()
