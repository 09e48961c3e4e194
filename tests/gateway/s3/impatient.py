"""Production's worker, with less patience."""

from tools import worker


class Worker(worker.Worker):
    """Waits a second for the head of a request."""

    head_seconds = 1.0
