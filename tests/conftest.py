"""Fixtures for all tests: database servers."""

from collections.abc import Iterator

import pytest

from tests.mariadb import MariaDb


@pytest.fixture(scope="session")
def mariadb() -> Iterator[MariaDb]:
    """A MariaDB server of this test run's own."""
    server = MariaDb()
    yield server
    server.close()
