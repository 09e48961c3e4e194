"""Clients that send or take too slowly: they are given up, and hold nobody else up.

The server has sixteen threads and a patience of a second; every test that wants to stop it brings
more clients than that.
"""

import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from uuid import uuid4

import pytest

from tests.gateway.s3.raw import Answer, receive, send, signed
from tests.gateway.s3.servers import ALICE, Server, serving
from tests.s3store.audit import assert_sound

CLIENTS = 24
LARGE = 24 << 20  # bytes: more than both ends' buffers hold


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A running server without patience."""
    with serving(
        tmp_path_factory.mktemp("s3"),
        application="tests.gateway.s3.serving:create(patience=1)",
        flags=("--worker-class=tests.gateway.s3.impatient.Worker",),
    ) as running:
        yield running


@pytest.fixture
def bucket(server: Server) -> str:
    """Alice's new, empty bucket."""
    name = f"slow-{uuid4().hex[:12]}"
    server.store().create_bucket(name, ALICE.account_id)
    return name


def head(server: Server, method: str, path: str, **more: str) -> bytes:
    """The head of a signed request."""
    given = signed(server, method, path, {}, "UNSIGNED-PAYLOAD") | more
    lines = "".join(f"{n.replace('_', '-')}: {v}\r\n" for n, v in given.items())
    return f"{method} {path} HTTP/1.1\r\n{lines}\r\n".encode()


def connect(server: Server) -> socket.socket:
    return socket.create_connection(("127.0.0.1", server.port), timeout=20)


def assert_well(server: Server, bucket: str) -> None:
    """Others are served, and the bucket is empty."""
    listing = send(server, "GET", f"/{bucket}", signed(server, "GET", f"/{bucket}"))
    assert listing.status == 200
    assert b"<Key>" not in listing.body
    assert_sound(server.root / "objects")


def dribble(connection: socket.socket, method: str) -> Answer:
    """Send a byte now and then until there is an answer."""
    connection.settimeout(0.2)
    for _ in range(100):
        with suppress(BrokenPipeError, ConnectionResetError):
            connection.send(b"x")
        try:
            if connection.recv(1, socket.MSG_PEEK):
                connection.settimeout(20)
                return receive(connection, method)
        except TimeoutError:
            continue
    raise AssertionError("there was no answer")


def test_an_upload_that_stands_still_times_out_and_leaves_nothing(
    server: Server, bucket: str
) -> None:
    with connect(server) as connection:
        connection.sendall(head(server, "PUT", f"/{bucket}/k", Content_Length="100") + b"some")
        answer = receive(connection, "PUT")
    assert (answer.status, answer.code) == (400, "RequestTimeout")
    assert_well(server, bucket)


def test_a_chunked_upload_that_stands_still_times_out(server: Server, bucket: str) -> None:
    with connect(server) as connection:
        framing = head(server, "PUT", f"/{bucket}/k", Transfer_Encoding="chunked")
        connection.sendall(framing + b"64\r\nsome")
        answer = receive(connection, "PUT")
    assert (answer.status, answer.code) == (400, "RequestTimeout")
    assert_well(server, bucket)


@pytest.mark.parametrize(
    ("framing", "start"),
    [({"Content_Length": "1000"}, b""), ({"Transfer_Encoding": "chunked"}, b"3E8\r\n")],
)
def test_an_upload_of_a_byte_now_and_then_times_out(
    server: Server, bucket: str, framing: dict[str, str], start: bytes
) -> None:
    with connect(server) as connection:
        connection.sendall(head(server, "PUT", f"/{bucket}/k", **framing) + start)
        answer = dribble(connection, "PUT")
    assert (answer.status, answer.code) == (400, "RequestTimeout")
    assert_well(server, bucket)


def test_a_document_that_does_not_come_times_out(server: Server, bucket: str) -> None:
    with connect(server) as connection:
        given = {"Content_Length": "1000", "Content-MD5": "1B2M2Y8AsgTpgAmY7PhCfg=="}
        connection.sendall(head(server, "POST", f"/{bucket}?delete", **given))
        answer = receive(connection, "POST")
    assert (answer.status, answer.code) == (400, "RequestTimeout")


def test_a_refused_upload_that_stands_still_is_answered(server: Server, bucket: str) -> None:
    with connect(server) as connection:
        connection.sendall(
            f"PUT /{bucket}/k HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n".encode()
        )
        assert receive(connection, "PUT").status == 403


def test_more_halves_of_heads_than_threads_stop_nobody(server: Server, bucket: str) -> None:
    with ExitStack() as stack:
        slow = [stack.enter_context(connect(server)) for _ in range(CLIENTS)]
        for connection in slow:
            connection.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nX-A: ")
        assert_well(server, bucket)
        for connection in slow:
            assert connection.recv(1000) == b""


def test_heads_of_a_byte_now_and_then_are_given_up(server: Server, bucket: str) -> None:
    with connect(server) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nX-A: ")
        with pytest.raises((BrokenPipeError, ConnectionResetError)):
            _send_slowly(connection)
    assert_well(server, bucket)


def _send_slowly(connection: socket.socket) -> None:
    for _ in range(100):
        connection.sendall(b"x")
        time.sleep(0.1)


def test_more_uploads_that_stand_still_than_threads_stop_nobody(
    server: Server, bucket: str
) -> None:
    with ExitStack() as stack:
        for number in range(CLIENTS):
            connection = stack.enter_context(connect(server))
            start = head(server, "PUT", f"/{bucket}/{number}", Content_Length="100")
            connection.sendall(start + b"some")
        assert_well(server, bucket)


@pytest.mark.parametrize("encrypted", [False, True])
def test_more_readers_that_take_nothing_than_threads_stop_nobody(
    server: Server, bucket: str, encrypted: bool
) -> None:
    seal = {"ServerSideEncryption": "AES256"} if encrypted else {}
    server.client().put_object(Bucket=bucket, Key="large", Body=bytes(LARGE), **seal)
    with ExitStack() as stack:
        for _ in range(CLIENTS):
            connection = stack.enter_context(socket.socket())
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            connection.connect(("127.0.0.1", server.port))
            connection.sendall(head(server, "GET", f"/{bucket}/large"))
        server.client().delete_object(Bucket=bucket, Key="large")
        assert_well(server, bucket)


def test_a_reader_who_takes_a_little_now_and_then_gets_everything(
    server: Server, bucket: str
) -> None:
    content = bytes(range(256)) * (LARGE >> 8)
    server.client().put_object(Bucket=bucket, Key="large", Body=content)
    with connect(server) as connection:
        connection.sendall(head(server, "GET", f"/{bucket}/large", Connection="close"))
        answer = receive(_Leisurely(connection), "GET")  # type: ignore[arg-type]
    assert answer.body == content


class _Leisurely:
    """A connection whose owner rests before every few megabytes."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection

    def recv(self, _most: int) -> bytes:
        time.sleep(0.4)
        data = b""
        while len(data) < 6 << 20 and (more := self._connection.recv(1 << 20)):
            data += more
        return data


def test_an_idle_connection_is_kept_for_the_next_request(server: Server, bucket: str) -> None:
    with connect(server) as connection:
        for _ in range(2):
            connection.sendall(head(server, "HEAD", f"/{bucket}"))
            assert receive(connection, "HEAD").status == 200
            time.sleep(2.2)  # longer than any patience here
