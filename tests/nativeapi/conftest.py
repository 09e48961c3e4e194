"""Fixtures: a cloud with its native API."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import select

from nativeapi.app import create
from orchestrator.schema.accounts import Domain
from orchestrator.schema.secrets import vault
from orchestrator.settings import Settings
from tests.nativeapi.site import Site, settle
from tests.orchestrator.cloud import open_cloud

# The vault holds one key per process; clouds that live at the same time here must share it.
_KEY = AESGCM.generate_key(256)


@contextmanager
def _site(home: Path) -> Iterator[Site]:
    settings = Settings(home=home)
    settings.secrets_file.parent.mkdir()
    settings.secrets_file.write_bytes(_KEY)
    vault.open(settings.secrets_file)
    cloud = open_cloud(home)
    with cloud.sessions.write() as db:
        people, domain = settle(db, db.scalars(select(Domain)).one())
    yield Site(cloud, create(settings), people, domain)
    cloud.sessions.close()


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """A cloud of the test's own."""
    with _site(tmp_path) as made:
        yield made


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A cloud for all tests of a file that leave no traces in it."""
    with _site(tmp_path_factory.mktemp("cloud")) as made:
        yield made
