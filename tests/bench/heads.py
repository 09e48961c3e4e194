"""The client for HEAD, of which wrk would await a body: one thread and a selector.

An answer costs it some twenty microseconds: next to a web server in Python nothing, next to nginx
the better part.
"""

import selectors
import socket
import statistics
import time
from collections.abc import Sequence

from tests.bench.wrk import Result


def run(
    port: int, requests: Sequence[bytes], concurrent: int, seconds: float, once: bool = False
) -> Result:
    """Send requests over so many connections for so long, or each of them once."""
    selector = selectors.DefaultSelector()
    sent = dict[socket.socket, float]()
    spent = list[float]()
    bad = received = number = 0
    for _ in range(concurrent):
        connection = socket.create_connection(("127.0.0.1", port))
        selector.register(connection, selectors.EVENT_READ)
        sent[connection] = time.perf_counter()
        connection.sendall(requests[number % len(requests)])
        number += 1
    began = time.perf_counter()
    while (now := time.perf_counter()) < began + seconds and (number < len(requests) or not once):
        for key, _events in selector.select(1):
            connection = key.fileobj  # type: ignore[assignment]
            data = connection.recv(65536)
            received += len(data)
            bad += not data.startswith(b"HTTP/1.1 200")
            spent.append(now - sent[connection])
            sent[connection] = now
            connection.sendall(requests[number % len(requests)])
            number += 1
    lasted = time.perf_counter() - began
    for connection in sent:
        connection.close()
    selector.close()
    rate, milliseconds = len(spent) / lasted, [each * 1000 for each in spent]
    p99 = statistics.quantiles(milliseconds, n=100)[98]
    return Result(
        len(spent), rate, received / lasted, bad, statistics.median(milliseconds), p99
    )
