"""A receiver of notifications: a real HTTP server that keeps what it is told."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Answering = Callable[[int], tuple[int, dict[str, str]]]


@dataclass
class Receiver:
    """What was told so far: pairs of a path and an event, or a test event.

    Args:
        port: 0 while nobody listens.
        answering: status and headers for the so-manieth request.
    """

    port: int = 0
    told: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    tests: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    requests: int = 0
    answering: Answering = lambda number: (200, {})

    def arn(self, path: str = "/hook") -> str:
        """The topic that stands for it."""
        return f"arn:pileus:http:::http://127.0.0.1:{self.port}{path}"

    def events(self, count: int) -> list[dict[str, Any]]:
        """So many events, once they have been told."""
        until = time.monotonic() + 60
        while len(self.told) < count:
            if time.monotonic() > until:
                raise TimeoutError(f"only {self.told} came")
            time.sleep(0.02)
        return [event for _, event in self.told]


@contextmanager
def receiving(receiver: Receiver | None = None) -> Iterator[Receiver]:
    """Listen, at the receiver's old port if it had one."""
    kept = receiver or Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            kept.requests += 1
            status, headers = kept.answering(kept.requests)
            if status == 200:
                told = json.loads(body)
                kept.told += [(self.path, record) for record in told.get("Records", ())]
                kept.tests += [(self.path, told)] if "Event" in told else []
            self.send_response(status)
            for name, value in {"Content-Length": "0", **headers}.items():
                self.send_header(name, value)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    listener = ThreadingHTTPServer(("127.0.0.1", kept.port), Handler)
    kept.port = listener.server_address[1]
    thread = threading.Thread(target=listener.serve_forever, daemon=True)
    thread.start()
    try:
        yield kept
    finally:
        listener.shutdown()
        listener.server_close()
        thread.join()
