"""A store of its own for every test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from s3store.records import Bucket
from s3store.store import Store


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Where the store's files are."""
    return tmp_path / "objects"


@pytest.fixture
def store(root: Path) -> Iterator[Store]:
    """An empty store."""
    made = Store(root)
    yield made
    made.close()


@pytest.fixture
def bucket(store: Store) -> Bucket:
    """An empty bucket of "owner"."""
    return store.create_bucket("bucket", "owner")
