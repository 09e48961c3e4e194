"""The metadata service of one guest network: what answers at 169.254.169.254.

``python -m orchestrator.agent.metadata --folder DIR`` runs in the router's network namespace. It
knows a guest by the address that it asks from, and by nothing that the guest says: the filters at
the guest's port let no other source address through. What it tells comes from one JSON document
per guest in the folder, read anew for every request, so it has no state but its token key and may
be killed at any time.

Both versions of EC2's protocol are spoken: plain GET, and GET with a token from
``PUT /latest/api/token``. A token that is sent must be right. A PUT that came through a proxy
(``X-Forwarded-For``) gets none, as on EC2.

Guests are hostile: requests, threads and time are bounded, per guest and in all.
"""

import argparse
import json
import logging
import os
import pwd
import re
import secrets
import sys
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, HTTPServer
from ipaddress import IPv4Address
from pathlib import Path
from socket import socket
from typing import Any
from urllib.parse import unquote

from orchestrator.agent import tree
from orchestrator.agent.tokens import Tokens

_WORKERS = 24
_PER_GUEST = 4
_SECONDS_TO_ASK = 5.0
_VERSION = re.compile(r"latest|1\.0|20\d\d-\d\d-\d\d")
_TOKEN_PATH = re.compile(r"/+latest/+api/+token/?")
_TTL = "X-aws-ec2-metadata-token-ttl-seconds"
_TOKEN = "X-aws-ec2-metadata-token"  # noqa: S105 (the name of a header)
_log = logging.getLogger("metadata")


class Guests:
    """The documents in one folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def tree(self, address: str) -> tree.Tree | None:
        """What the guest at this address may read; None for a stranger."""
        try:
            return tree.build(json.loads((self._folder / f"{address}.json").read_bytes()))
        except FileNotFoundError:
            return None

    def key(self) -> bytes:
        """The secret of the tokens; made once, so that they outlive this process."""
        path = self._folder / "token.key"
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            return path.read_bytes()
        with os.fdopen(descriptor, "wb") as file:
            file.write(secrets.token_bytes(32))
        return path.read_bytes()


class Server(HTTPServer):
    """A web server with a fixed number of workers, and few at once for any one guest."""

    request_queue_size = 64

    def __init__(self, address: tuple[str, int], guests: Guests, tokens: Tokens) -> None:
        super().__init__(address, _Handler)
        self.guests = guests
        self.tokens = tokens
        self._pool = ThreadPoolExecutor(_WORKERS)
        self._busy: Counter[str] = Counter()
        self._lock = threading.Lock()

    def process_request(self, request: Any, client_address: Any) -> None:
        """Hand the connection to a worker, or hang up on a guest that has too many."""
        guest = client_address[0]
        with self._lock:
            welcome = self._busy[guest] < _PER_GUEST
            self._busy[guest] += welcome
        if welcome:
            self._pool.submit(self._serve, request, client_address)
        else:
            self.shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A broken connection or a fault of ours: one line, and the service goes on."""
        _log.warning("request from %s failed: %r", client_address[0], sys.exc_info()[1])

    def server_close(self) -> None:
        """Stop listening and wait for the workers."""
        super().server_close()
        self._pool.shutdown()

    def _serve(self, request: socket, client_address: Any) -> None:
        try:
            self.finish_request(request, client_address)
        except OSError:
            self.handle_error(request, client_address)
        finally:
            self.shutdown_request(request)
            with self._lock:
                self._busy[client_address[0]] -= 1
                self._busy += Counter()


class _Handler(BaseHTTPRequestHandler):
    server: Server
    protocol_version = "HTTP/1.1"
    server_version = "EC2ws"
    sys_version = ""
    timeout = _SECONDS_TO_ASK

    def do_PUT(self) -> None:
        guest = self.client_address[0]
        if self.server.guests.tree(guest) is None or not _TOKEN_PATH.fullmatch(self._path()):
            self._answer(HTTPStatus.NOT_FOUND)
        elif self.headers.get("X-Forwarded-For") is not None:
            self._answer(HTTPStatus.FORBIDDEN)
        else:
            self._give_token(guest)

    def do_GET(self) -> None:
        guest = self.client_address[0]
        token = self.headers.get(_TOKEN)
        if token is not None and not self.server.tokens.remaining(token, guest, time.time()):
            self._answer(HTTPStatus.UNAUTHORIZED)
            return
        known = self.server.guests.tree(guest)
        body = None if known is None else _found(known, self._path())
        if body is None:
            self._answer(HTTPStatus.NOT_FOUND)
        else:
            self._answer(HTTPStatus.OK, body)

    do_HEAD = do_GET

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: guests could fill the disk."""

    def _give_token(self, guest: str) -> None:
        try:
            seconds = int(self.headers.get(_TTL, ""))
            token = self.server.tokens.give(guest, seconds, time.time())
        except ValueError:
            self._answer(HTTPStatus.BAD_REQUEST)
            return
        self._answer(HTTPStatus.OK, token.encode(), {_TTL: str(seconds)})

    def _path(self) -> str:
        return unquote(self.path.partition("?")[0])

    def _answer(
        self, status: HTTPStatus, body: bytes | None = None, headers: dict[str, str] | None = None
    ) -> None:
        told = f"{status.value} - {status.phrase}\n".encode() if body is None else body
        self.close_connection = True
        self.send_response(status)
        self.send_header("Content-Type", "text/plain")
        self.send_header("Content-Length", str(len(told)))
        self.send_header("Connection", "close")
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(told)


def _found(known: tree.Tree, path: str) -> bytes | None:
    version, _, rest = path.strip("/").partition("/")
    if not version:
        return "\n".join(tree.VERSIONS).encode()
    return tree.read(known, rest) if _VERSION.fullmatch(version) else None


def serve(folder: Path, address: tuple[str, int]) -> Server:
    """A listening server; ``serve_forever`` makes it answer."""
    guests = Guests(folder)
    return Server(address, guests, Tokens(guests.key()))


def main(arguments: list[str] | None = None) -> None:
    """Listen, give up every right, go to the background if asked, and serve for ever."""
    options = _options(arguments)
    server = serve(options.folder, (str(options.listen), options.port))
    if options.detach and not _detached(options.log):
        os._exit(0)
    if options.user:
        _become(pwd.getpwnam(options.user))
    server.serve_forever()


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="metadata", description=__doc__)
    parser.add_argument("--folder", type=Path, required=True, help="documents, one per guest")
    parser.add_argument("--listen", type=IPv4Address, default=IPv4Address("0.0.0.0"))  # noqa: S104
    parser.add_argument("--port", type=int, default=80)
    parser.add_argument("--user", help="the account to become once the port is open")
    parser.add_argument("--detach", action="store_true", help="return once the port is open")
    parser.add_argument("--log", type=Path, default=Path(os.devnull), help="errors go here")
    return parser.parse_args(arguments)


def _detached(log: Path) -> bool:
    """Go on in a child with no terminal; True in the child."""
    if os.fork():
        return False
    os.setsid()
    os.chdir("/")
    nothing = os.open(os.devnull, os.O_RDONLY)
    errors = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    for number, descriptor in enumerate((nothing, errors, errors)):
        os.dup2(descriptor, number)
    return True


def _become(account: pwd.struct_passwd) -> None:
    os.setgroups([])
    os.setgid(account.pw_gid)
    os.setuid(account.pw_uid)


if __name__ == "__main__":
    main()
