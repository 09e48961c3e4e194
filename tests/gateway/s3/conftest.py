"""One server for all tests of a process; every test has a bucket of its own."""

from collections.abc import Iterator
from contextlib import closing
from typing import Any
from uuid import uuid4

import pytest

from tests.gateway.s3.asked import Kept
from tests.gateway.s3.servers import ALICE, Server, serving


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A running server."""
    with serving(tmp_path_factory.mktemp("s3")) as running:
        yield running


@pytest.fixture
def bucket(server: Server) -> str:
    """Alice's new, empty bucket."""
    name = f"bucket-{uuid4().hex[:12]}"
    server.store().create_bucket(name, ALICE.account_id)
    return name


@pytest.fixture(scope="session")
def secure(server: Server) -> Any:
    """A client who comes through a proxy that speaks TLS with the world."""
    client = server.client()
    client.meta.events.register("before-sign.s3", _through_tls)
    return client


@pytest.fixture(scope="module")
def lonely(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server of one module's own."""
    with serving(tmp_path_factory.mktemp("lonely")) as running:
        yield running


@pytest.fixture(scope="module")
def store(lonely: Server) -> Iterator[Kept]:
    """What the lonely server's store holds."""
    lonely.client().list_buckets()  # its first request makes the tables
    with closing(Kept(lonely)) as watched:
        yield watched


def _through_tls(request: Any, **_: Any) -> None:
    request.headers["X-Forwarded-Proto"] = "https"
