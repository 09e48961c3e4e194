"""The web worker of a cloud's processes: gunicorn's threads, a little more careful and quicker.

gunicorn waits for a request's first byte without a thread, but for the rest of its head for as long
as the client likes. As many slow clients as there are threads would stop a worker for good, so here
a head has a limit.

gunicorn hands a connection back to its one polling thread after every answer, which costs as much
as a small answer itself. As long as there are threads enough for all connections, a thread waits
here for a moment whether the next request comes. And head and body of a small answer leave in one.
"""

import select
from socket import SHUT_RDWR
from typing import Any

from gunicorn.workers.gthread import ThreadWorker

from gateway.deadlines import DEADLINES

_LINGER = 50  # milliseconds
_RECEIVED = 256 << 10  # bytes of a body that are received at once; gunicorn takes 1 MiB
_JOINED = 64 << 10  # bytes; larger bodies are not worth a copy


class Worker(ThreadWorker):  # type: ignore[misc]
    """Threads whose clients have to send the head of a request within ``head_seconds``."""

    head_seconds = 20.0

    def handle(self, conn: Any) -> Any:
        """The requests on a connection that follow each other closely, from a first byte on."""
        kept = self._handle_one(conn)
        while kept is True and self._comes_more(conn):
            kept = self._handle_one(conn)
        return kept

    def _handle_one(self, conn: Any) -> Any:
        conn.head = DEADLINES.begin(conn.sock, self.head_seconds, SHUT_RDWR)
        try:
            return super().handle(conn)
        finally:
            DEADLINES.end(conn.head)

    def _comes_more(self, conn: Any) -> bool:
        """Whether the next request is there soon; not waited for where a thread may be missed."""
        if conn.parser.unreader.buf.getvalue():
            return True  # it was received with the one before
        if not self.alive or self.nr_conns > self.cfg.threads:
            return False
        poll = select.poll()
        poll.register(conn.sock, select.POLLIN)
        return bool(poll.poll(_LINGER))

    def handle_request(self, req: Any, conn: Any) -> Any:
        """The rest of it, whose head has come: the application has limits of its own."""
        DEADLINES.end(conn.head)
        conn.parser.unreader.max_body_chunk = _RECEIVED
        plain, conn.sock = conn.sock, _Joining(conn.sock)
        try:
            kept = super().handle_request(req, conn)
            conn.sock.flush()
            return kept
        finally:
            conn.sock = plain


class _Joining:
    """A socket that keeps the head of an answer until its body comes."""

    def __init__(self, plain: Any) -> None:
        self._plain, self._held = plain, b""
        self._answered = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._plain, name)

    def sendall(self, data: bytes) -> None:
        """What gunicorn sends first is the head, and all of it."""
        if not self._answered:
            self._answered, self._held = True, data
        elif self._held and len(data) <= _JOINED:
            held, self._held = self._held, b""
            self._plain.sendall(held + data)
        else:
            self.flush()
            self._plain.sendall(data)

    def sendfile(self, *arguments: Any, **more: Any) -> Any:
        """As of any socket, after the head."""
        self.flush()
        return self._plain.sendfile(*arguments, **more)

    def flush(self) -> None:
        """Send the head on its own."""
        held, self._held = self._held, b""
        if held:
            self._plain.sendall(held)
