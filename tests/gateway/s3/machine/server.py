"""A server that can be killed at any instant and is there again a moment later.

It is forked from this process, which has everything loaded already: so to start it once more takes
milliseconds. It keeps its address.
"""

import contextlib
import logging
import os
import signal
import socket
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config
from werkzeug.serving import WSGIRequestHandler, make_server

from gateway.credentials import Caller
from gateway.s3 import operations
from gateway.s3.endpoint import S3
from gateway.s3.options import Options
from s3store.store import Store
from tests.gateway.s3.machine.model import LEAST_PART
from tests.gateway.s3.servers import ALICE, BOB

_CALLERS = {caller.access_key: caller for caller in (ALICE, BOB)}
_INLINE = 8  # bytes: so that small test bodies go both ways, into the index and into files


class _Callers:
    """A credential source of two."""

    def find(self, access_key: str, *, fresh: bool = False) -> Caller | None:
        """Whose key it is."""
        return _CALLERS.get(access_key)


class _Quiet(WSGIRequestHandler):
    """Says nothing of each request."""

    protocol_version = "HTTP/1.1"

    def log_request(self, code: Any = "-", size: Any = "-") -> None:
        """Nothing."""


class Server:
    """One store behind one address."""

    def __init__(self, root: Path) -> None:
        operations.load()
        self._root = root
        self._port = 0
        self.start()
        self.alice, self.bob = self._client(ALICE), self._client(BOB)

    def _client(self, who: Caller) -> Any:
        """A boto3 client that asks once and never again."""
        return boto3.client(
            "s3",
            endpoint_url=f"http://127.0.0.1:{self._port}",
            aws_access_key_id=who.access_key,
            aws_secret_access_key=who.secret,
            region_name="us-east-1",
            config=Config(
                s3={"addressing_style": "path"},
                retries={"total_max_attempts": 1},
                read_timeout=60,
            ),
        )

    def kill(self) -> None:
        """SIGKILL, wherever it may be. Whoever still waits for it is cut off."""
        os.kill(self._child, signal.SIGKILL)
        os.waitpid(self._child, 0)
        self._listener.close()

    def start(self) -> None:
        """A new one in place of the killed. No other thread may run: a fork copies their locks."""
        self._listener = socket.create_server(("127.0.0.1", self._port), backlog=64)
        self._port = self._listener.getsockname()[1]
        self._child = self._fork()

    def _fork(self) -> int:
        child = os.fork()
        if child:
            return child
        with contextlib.suppress(BaseException):
            logging.disable()
            store = Store(self._root, durable=False, inline=_INLINE, least_part=LEAST_PART)
            app = S3(store, _Callers(), Options())
            fd = os.dup(self._listener.fileno())
            make_server(
                "127.0.0.1", self._port, app, threaded=True, request_handler=_Quiet, fd=fd
            ).serve_forever()
        os._exit(1)
