"""The client for HEAD, of which wrk would await a body: one thread and a selector.

An answer costs it some twenty microseconds: next to a web server in Python nothing, next to nginx
the better part.
"""

import selectors
import socket
import time
from collections.abc import Sequence

from tests.bench.wrk import Result


def run(
    port: int, requests: Sequence[bytes], concurrent: int, seconds: float, once: bool = False
) -> Result:
    """Send requests over so many connections for so long, or each of them once."""
    asked = _Asked(port, requests)
    for _ in range(concurrent):
        asked.connect()
    began = time.perf_counter()
    while time.perf_counter() < began + seconds and not (once and asked.number >= len(requests)):
        asked.step()
    lasted = time.perf_counter() - began
    asked.close()
    spent = sorted(asked.spent)
    return Result(
        requests=len(spent),
        rate=len(spent) / lasted,
        bytes_rate=asked.received / lasted,
        bad=asked.bad,
        median=spent[len(spent) // 2] * 1000,
        p99=spent[len(spent) * 99 // 100] * 1000,
    )


class _Asked:
    """Connections with a request under way on each."""

    def __init__(self, port: int, requests: Sequence[bytes]) -> None:
        self._port, self._requests = port, requests
        self._selector = selectors.DefaultSelector()
        self._sent = dict[socket.socket, float]()
        self.spent = list[float]()
        self.number = self.bad = self.received = 0

    def connect(self) -> None:
        connection = socket.create_connection(("127.0.0.1", self._port))
        self._selector.register(connection, selectors.EVENT_READ, connection)
        self._send(connection)

    def step(self) -> None:
        """Take what answers there are, and ask again."""
        for key, _events in self._selector.select(1):
            connection: socket.socket = key.data
            data = connection.recv(65536)
            self.received += len(data)
            self.bad += not data.startswith(b"HTTP/1.1 200")
            self.spent.append(time.perf_counter() - self._sent[connection])
            if not data or b"\nConnection: close" in data:
                self._hang_up(connection)
                self.connect()
            else:
                self._send(connection)

    def close(self) -> None:
        for connection in list(self._sent):
            self._hang_up(connection)
        self._selector.close()

    def _send(self, connection: socket.socket) -> None:
        self._sent[connection] = time.perf_counter()
        connection.sendall(self._requests[self.number % len(self._requests)])
        self.number += 1

    def _hang_up(self, connection: socket.socket) -> None:
        self._selector.unregister(connection)
        del self._sent[connection]
        connection.close()
