"""Fixtures for all tests: servers of other makes."""

from collections.abc import Iterator

import pytest

from tests.ceph import Ceph
from tests.mariadb import MariaDb


@pytest.fixture(scope="session")
def mariadb() -> Iterator[MariaDb]:
    """A MariaDB server of this test run's own."""
    server = MariaDb()
    yield server
    server.close()


@pytest.fixture(scope="session")
def ceph() -> Iterator[Ceph]:
    """A Ceph cluster of this test run's own."""
    cluster = Ceph()
    yield cluster
    cluster.close()
