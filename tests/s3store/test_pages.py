"""Pages as the databases give them: in byte order, whole, and in a handful of questions."""

from collections.abc import Callable, Iterator

import pytest

from s3store.listing import Grouping
from s3store.records import Bucket, Marker, UploadPage, VersionPage
from s3store.store import Store
from tests.s3store.test_listing import walk
from tests.s3store.test_queries import counted

pytestmark = pytest.mark.parametrize("kind", ["inline", "mariadb"])

KEYS = [
    *("a", "A", "a-b", "a/b", "a0", "a/", "a//", "é", "e\u0301", "z", "Z", "😀", "\uffff", "\x01"),
    *("a b", "a+b", "a%2Fb", "_", "~", "aa", "a/b/c", "10", "9", "ß", "ss", "İ", "i", "é/é", "a\0"),
    *(f"{folder}/{number}" for folder in ("a", "f", "f/g", "é", "\x01") for number in range(6)),
]
WAYS = [
    (prefix, delimiter, limit)
    for prefix in ("", "a", "é")
    for delimiter in ("", "/", "é/")
    for limit in (4, 1000)
]

Named = Iterator[tuple[bytes, str | None]]


def objects(store: Store, bucket: Bucket, prefix: str, delimiter: str, limit: int) -> Named:
    """All keys and common prefixes, page by page."""
    after: bytes | None = None
    while True:
        page = store.list(bucket, prefix=prefix, delimiter=delimiter, after=after, limit=limit)
        assert len(page.items) <= limit
        for item in page.items:
            yield item if isinstance(item, bytes) else item.key, None
        if (after := page.more) is None:
            return


def named(
    ask: Callable[..., VersionPage] | Callable[..., UploadPage],
    bucket: Bucket,
    prefix: str,
    delimiter: str,
    limit: int,
) -> Named:
    """All versions or uploads, with their ids, and common prefixes."""
    after: Marker | None = None
    while True:
        page = ask(bucket, prefix=prefix, delimiter=delimiter, after=after, limit=limit)
        assert len(page.items) <= limit
        for item in page.items:
            yield (item, None) if isinstance(item, bytes) else (item.key.encode(), item.id)
        if (after := page.more) is None:
            return


def expected(made: dict[bytes, list[str | None]], prefix: str, delimiter: str) -> list[object]:
    """What there is of each key, and common prefixes, by the definition of a listing."""
    grouping = Grouping(prefix.encode(), delimiter.encode())
    found: list[object] = []
    for item in walk(list(made), *grouping, None):
        found += [(item, each) for each in ([None] if grouping.of(item) else made[item])]
    return found


def test_objects_are_listed_by_the_bytes_of_their_keys(store: Store, versioned: Bucket) -> None:
    for key in KEYS:
        store.put(versioned, f"{key}-gone", [])
        store.delete(versioned, f"{key}-gone")
        store.put(versioned, key, [b"old"])
        store.put(versioned, key, [b"new"])
    made: dict[bytes, list[str | None]] = {key: [None] for key in [key.encode() for key in KEYS]}
    for prefix, delimiter, limit in WAYS:
        found = list(objects(store, versioned, prefix, delimiter, limit))
        assert found == expected(made, prefix, delimiter), (prefix, delimiter, limit)


def test_versions_are_listed_by_the_bytes_of_their_keys(store: Store, versioned: Bucket) -> None:
    made: dict[bytes, list[str | None]] = {}
    for turn in range(2):
        for key in KEYS[turn::2] + KEYS:
            made.setdefault(key.encode(), []).insert(0, store.put(versioned, key, []).id)
    for prefix, delimiter, limit in WAYS:
        found = list(named(store.list_versions, versioned, prefix, delimiter, limit))
        assert found == expected(made, prefix, delimiter), (prefix, delimiter, limit)


def test_uploads_are_listed_by_the_bytes_of_their_keys(store: Store, bucket: Bucket) -> None:
    made: dict[bytes, list[str | None]] = {}
    for key in KEYS + KEYS[::2]:
        made.setdefault(key.encode(), []).append(store.create_upload(bucket, key).id)
        store.abort_upload(store.create_upload(bucket, f"{key}-gone"))
    for prefix, delimiter, limit in WAYS:
        found = list(named(store.list_uploads, bucket, prefix, delimiter, limit))
        assert found == expected(made, prefix, delimiter), (prefix, delimiter, limit)


def test_a_page_is_a_handful_of_questions_wherever_it_begins(store: Store, bucket: Bucket) -> None:
    for key in KEYS:
        store.put(bucket, key, [])
        store.create_upload(bucket, key)
    places = ("", "a/", "f/3", "z")
    for prefix in ("", "f"):
        for delimiter in ("", "/", "2"):
            ways = [(prefix, delimiter, place.encode() or None) for place in places]
            with counted(store) as asked:
                for way in ways:
                    ask_all(store, bucket, *way)
            assert len(asked) <= len(ways) * 3 * (4 if delimiter else 1), (prefix, delimiter)


def ask_all(store: Store, bucket: Bucket, prefix: str, delimiter: str, after: bytes | None) -> None:
    """One page of every kind."""
    place = None if after is None else (after, None)
    store.list(bucket, prefix=prefix, delimiter=delimiter, after=after, limit=20)
    store.list_versions(bucket, prefix=prefix, delimiter=delimiter, after=place, limit=20)
    store.list_uploads(bucket, prefix=prefix, delimiter=delimiter, after=place, limit=20)
