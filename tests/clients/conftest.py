"""Fixtures: the S3 servers that real client programs are aimed at."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.clients.certificates import certificate
from tests.gateway.s3.servers import Server, serving


@pytest.fixture(scope="session")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A running S3 server."""
    with serving(tmp_path_factory.mktemp("s3")) as running:
        yield running


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A certificate and its key."""
    return certificate(tmp_path_factory.mktemp("tls"))


@pytest.fixture(scope="session")
def s3_over_tls(
    tmp_path_factory: pytest.TempPathFactory, authority: tuple[Path, Path]
) -> Iterator[Server]:
    """A running S3 server that speaks TLS."""
    flags = (f"--certfile={authority[0]}", f"--keyfile={authority[1]}")
    with serving(tmp_path_factory.mktemp("s3-tls"), flags=flags) as running:
        yield running
