"""Comparing an index with its files: the store is sound when nothing is on one side alone."""

import hashlib
import sqlite3
from contextlib import closing
from pathlib import Path


def rows(root: Path) -> list[tuple[str, str, int, str]]:
    """Id, state, size and ETag of every row there is."""
    with closing(sqlite3.connect(root / "index.sqlite")) as connection:
        return connection.execute("SELECT id, state, size, etag FROM version").fetchall()


def files(root: Path) -> set[str]:
    """Every content file, whichever folder it lies in."""
    return {
        path.name
        for path in [*(root / "blobs").rglob("*"), *(root / "incoming").iterdir()]
        if path.is_file()
    }


def assert_sound(root: Path) -> None:
    """Every row is complete and has its file, with the content it says; no file has no row."""
    found = rows(root)
    assert {state for _, state, _, _ in found} <= {"complete"}
    assert {name for name, _, _, _ in found} == files(root)
    for name, _, size, etag in found:
        content = (root / "blobs" / name[:2] / name).read_bytes()
        assert len(content) == size
        assert hashlib.md5(content).hexdigest() == etag
