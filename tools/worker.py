"""The web worker of a cloud's processes: gunicorn's threads, with a limit on sending a request.

gunicorn waits for a request's first byte without a thread, but for the rest of its head for as long
as the client likes. As many slow clients as there are threads would stop a worker for good.
"""

from socket import SHUT_RDWR
from typing import Any

from gunicorn.workers.gthread import ThreadWorker

from gateway.deadlines import DEADLINES


class Worker(ThreadWorker):  # type: ignore[misc]
    """Threads whose clients have to send the head of a request within ``head_seconds``."""

    head_seconds = 20.0

    def handle(self, conn: Any) -> Any:
        """One request on a connection, from its first byte on."""
        conn.head = DEADLINES.begin(conn.sock, self.head_seconds, SHUT_RDWR)
        try:
            return super().handle(conn)
        finally:
            DEADLINES.end(conn.head)

    def handle_request(self, req: Any, conn: Any) -> Any:
        """The rest of it, whose head has come: the application has limits of its own."""
        DEADLINES.end(conn.head)
        return super().handle_request(req, conn)
