"""A store of its own for every test.

Where small content and the index are kept is the fixture ``kind``: tests that should hold for every
kind are run for each of :data:`KINDS` (``pytest.mark.parametrize("kind", KINDS)``).
"""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from s3store.core import INLINE
from s3store.records import Bucket
from s3store.store import Store
from tests.s3store.audit import assert_sound

KINDS = ("files", "inline", "mariadb")
LEAST_PART = 10


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Where the store's files are."""
    return tmp_path / "objects"


@pytest.fixture
def kind() -> str:
    """All content in files, the index in SQLite."""
    return "files"


@pytest.fixture
def url(kind: str, request: pytest.FixtureRequest) -> str | None:
    """The index; an SQLite file among the content when None."""
    if kind != "mariadb":
        return None
    return str(request.getfixturevalue("mariadb").database("s3store"))


@pytest.fixture
def store(root: Path, kind: str, url: str | None) -> Iterator[Store]:
    """An empty store, whose parts may be small."""
    made = Store(root, url, inline=-1 if kind == "files" else INLINE, least_part=LEAST_PART)
    yield made
    made.close()


@pytest.fixture
def sound(root: Path, url: str | None) -> Callable[[], None]:
    """Fails unless index and content agree."""
    return lambda: assert_sound(root, url)


@pytest.fixture
def bucket(store: Store) -> Bucket:
    """An empty bucket of "owner"."""
    return store.create_bucket("bucket", "owner")


@pytest.fixture
def versioned(store: Store) -> Bucket:
    """An empty bucket of "owner" with versioning."""
    return store.create_bucket("versioned", "owner", versioning="Enabled")
