"""A store of its own for every test.

Where content and the index are kept is the fixture ``kind``: tests that should hold for every
kind are run for each of :data:`KINDS` (``pytest.mark.parametrize("kind", KINDS)``).
"""

from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest

from s3store.core import INLINE
from s3store.engines.places import Place, Pool
from s3store.engines.ports import Engine
from s3store.engines.rados import RadosEngine
from s3store.engines.s3 import S3Engine
from s3store.records import Bucket
from s3store.store import Store
from tests.gateway.s3.servers import ALICE, serving
from tests.s3store.audit import assert_sound, files

FOLDERS = ("files", "inline", "mariadb")
"""The kinds whose content lies in a folder."""

PLACES = ("s3", "rados")
"""The kinds whose content lies elsewhere."""

KINDS = (*FOLDERS, *PLACES)
LEAST_PART = 10

Contents = Callable[[], set[str]]
"""Tells the names of all content."""


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


@pytest.fixture(scope="session")
def endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """URL of a bucket at an S3 server, which keeps the content of stores."""
    with serving(tmp_path_factory.mktemp("endpoint")) as server:
        with closing(server.client()) as client:
            client.create_bucket(Bucket="content")
        yield f"s3+{server.url}/content"


@pytest.fixture
def engine(kind: str, request: pytest.FixtureRequest) -> Iterator[Engine | None]:
    """Where content lies; in files when None."""
    if kind not in PLACES:
        yield None
        return
    if kind == "s3":
        place = f"{request.getfixturevalue('endpoint')}/{uuid4().hex}"
    else:
        place = request.getfixturevalue("ceph").url(uuid4().hex)
    with closing(engine_at(place)) as made:
        yield made


def engine_at(url: str) -> Engine:
    """An engine that waits for no reader before it takes removed content away."""
    if url.startswith("rados:"):
        return RadosEngine(Pool.of(url), patience=timedelta(0))
    return S3Engine(Place.of(url, ALICE.access_key, ALICE.secret), patience=timedelta(0))


@pytest.fixture
def store(root: Path, kind: str, url: str | None, engine: Engine | None) -> Iterator[Store]:
    """An empty store, whose parts may be small."""
    inline = -1 if kind in ("files", *PLACES) else INLINE
    made = Store(root, url, inline=inline, least_part=LEAST_PART, engine=engine)
    yield made
    made.close()


@pytest.fixture
def sound(root: Path, url: str | None, engine: Engine | None) -> Callable[[], None]:
    """Fails unless index and content agree."""
    return lambda: assert_sound(root, url, engine)


@pytest.fixture
def contents(root: Path, engine: Engine | None) -> Contents:
    """Names of all content there is."""
    return lambda: files(root, engine)


@pytest.fixture
def bucket(store: Store) -> Bucket:
    """An empty bucket of "owner"."""
    return store.create_bucket("bucket", "owner")


@pytest.fixture
def versioned(store: Store) -> Bucket:
    """An empty bucket of "owner" with versioning."""
    return store.create_bucket("versioned", "owner", versioning="Enabled")
