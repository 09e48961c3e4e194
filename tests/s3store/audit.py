"""Comparing an index with its files: the store is sound when nothing is on one side alone.

It asks the database itself, so that it may be held against the store's own check.
"""

import hashlib
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, create_engine, text

from s3store.engines.ports import Engine


def files(root: Path, engine: Engine | None = None) -> set[str]:
    """Every content, whichever folder it lies in, or at that engine."""
    if engine is not None:
        engine.collect()
        return {name for name, _ in engine.names()}
    return {
        path.name
        for path in [*(root / "blobs").rglob("*"), *(root / "incoming").iterdir()]
        if path.is_file()
    }


def rows(root: Path, table: str, url: str | None = None) -> list[Any]:
    """All rows of a table."""
    engine = create_engine(url or f"sqlite:///{root / 'index.sqlite'}")
    try:
        with engine.connect() as connection:
            return list(connection.execute(text(f"SELECT * FROM {table}")))  # noqa: S608
    finally:
        engine.dispose()


def assert_sound(root: Path, url: str | None = None, place: Engine | None = None) -> None:
    """Every row has its content, with the size and the digest it says; no content has no row."""
    engine = create_engine(url or f"sqlite:///{root / 'index.sqlite'}")
    try:
        with engine.connect() as connection:
            _assert_contents(connection, root, place)
            _assert_latest(connection)
            _assert_counters(connection)
    finally:
        engine.dispose()


def _assert_contents(connection: Connection, root: Path, place: Engine | None) -> None:
    assert not list(connection.execute(text("SELECT id FROM arrival")))
    contents = connection.execute(text("SELECT id, body FROM content"))
    bodies = {row.id: bytes(row.body) for row in contents}
    names = set()
    for version in connection.execute(text("SELECT * FROM version")):
        if version.place == "index":
            _assert_content(bodies.pop(version.id), version)
        elif version.place == "file":
            names.add(version.id)
            _assert_content(_read(root, version.id, place), version)
    assert not bodies
    for part in connection.execute(text("SELECT * FROM part")):
        assert part.dropped is None
        names.add(part.id)
        _assert_content(_read(root, part.id, place), part)
    assert files(root, place) == names
    uploads = "SELECT id FROM upload WHERE completed IS NULL"
    versions = "SELECT id FROM version WHERE place = 'parts'"
    stray = f"SELECT id FROM part WHERE upload_id NOT IN ({uploads} UNION {versions})"  # noqa: S608
    assert not list(connection.execute(text(stray)))
    assert not list(connection.execute(text(_WRONG_PARTS)))


_WRONG_PARTS = """
    SELECT version.id FROM version LEFT JOIN part ON part.upload_id = version.id
    WHERE version.place = 'parts' GROUP BY version.id, version.parts, version.size
    HAVING COUNT(part.id) <> version.parts OR SUM(part.size) <> version.size
"""


def _assert_content(content: bytes, row: Any) -> None:
    assert len(content) == row.stored
    if row.stored == row.size:
        assert hashlib.md5(content).hexdigest() == row.etag


def _read(root: Path, name: str, place: Engine | None) -> bytes:
    if place is not None:
        with closing(place.open(name)) as reader:
            return reader.fetch(0, place.size(name) or 0)
    return (root / "blobs" / name[:2] / name).read_bytes()


def _assert_latest(connection: Connection) -> None:
    """Each key shows its newest version and no other."""
    seen = set()
    for version in _versions(connection):
        key = version.bucket_id, bytes(version.key)
        expected = None if key in seen else 2 if version.marker else 1
        assert version.latest == expected
        seen.add(key)


def _versions(connection: Connection) -> Iterator[Any]:
    query = "SELECT * FROM version ORDER BY bucket_id, version.key, position"
    yield from connection.execute(text(query))


def _assert_counters(connection: Connection) -> None:
    for bucket in list(connection.execute(text("SELECT * FROM bucket"))):
        versions = [v for v in _versions(connection) if v.bucket_id == bucket.id]
        parts = connection.execute(
            text(
                "SELECT COALESCE(SUM(part.size), 0) FROM part JOIN upload"
                " ON upload.id = part.upload_id"
                " WHERE upload.completed IS NULL AND upload.bucket_id = :bucket"
            ),
            {"bucket": bucket.id},
        ).scalar_one()
        assert bucket.objects == sum(not v.marker for v in versions)
        assert bucket.bytes == sum(v.size for v in versions) + int(parts)
