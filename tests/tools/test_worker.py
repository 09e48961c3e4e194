"""The web worker, before the gateway's S3 face: what it does differently from gunicorn's own."""

import socket
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from tests.gateway.s3.raw import receive, signed
from tests.gateway.s3.servers import ALICE, Server, serving

CONTENT = b"c" * 4096


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(tmp_path_factory.mktemp("s3")) as running:
        running.store().create_bucket("bucket", ALICE.account_id)
        running.client().put_object(Bucket="bucket", Key="key", Body=CONTENT)
        yield running


def request(server: Server, method: str = "GET") -> bytes:
    given = signed(server, method, "/bucket/key")
    lines = "".join(f"{name}: {value}\r\n" for name, value in given.items())
    return f"{method} /bucket/key HTTP/1.1\r\n{lines}\r\n".encode()


def connect(server: Server) -> socket.socket:
    return socket.create_connection(("127.0.0.1", server.port), timeout=30)


def test_head_and_body_of_a_small_answer_come_together(server: Server) -> None:
    with connect(server) as connection:
        for _ in range(3):
            connection.sendall(request(server))
            answer = connection.recv(65536)
            assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
            assert answer.partition(b"\r\n\r\n")[2] == CONTENT


def test_an_answer_without_a_body_comes_too(server: Server) -> None:
    with connect(server) as connection:
        for _ in range(2):
            connection.sendall(request(server, "HEAD"))
            assert receive(connection, "HEAD").headers["content-length"] == "4096"


def test_requests_that_were_sent_at_once_are_answered_one_after_the_other(server: Server) -> None:
    with connect(server) as connection:
        connection.sendall(request(server, "HEAD") * 3)
        received = b""
        while received.count(b"\r\n\r\n") < 3:
            more = connection.recv(65536)
            assert more
            received += more
    assert received.count(b"HTTP/1.1 200 OK\r\n") == 3


def test_more_connections_than_threads_are_served_in_turn(server: Server) -> None:
    with ExitStack() as stack:
        open_ones = [stack.enter_context(connect(server)) for _ in range(40)]
        for _ in range(2):
            for connection in open_ones:
                connection.sendall(request(server))
            for connection in open_ones:
                assert receive(connection, "GET").body == CONTENT


def test_a_client_that_hangs_up_is_let_go(server: Server) -> None:
    with connect(server) as connection:
        connection.sendall(request(server))
        assert receive(connection, "GET").status == 200
        connection.shutdown(socket.SHUT_WR)
        assert connection.recv(1) == b""
