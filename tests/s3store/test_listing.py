"""Listing: the same answer as a plain walk over all keys, without the walk."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from s3store import listing
from s3store.index import scans
from s3store.listing import Row, Start
from s3store.records import Bucket, Entry
from s3store.store import Store

NOW = datetime(2026, 1, 1, tzinfo=UTC)
TEXT = st.text(alphabet="ab/-0é😀\x01", max_size=6)


def row(key: bytes) -> Row[Entry]:
    return Row(key, 0, Entry(key, 0, "", NOW, "STANDARD", "crc32"))


class Shelf:
    """Sorted keys that count how often they are asked and how many they hand out."""

    def __init__(self, keys: Sequence[bytes]) -> None:
        self.keys = sorted(keys)
        self.asked = self.read = 0

    def scan(self, start: Start, high: bytes | None, most: int) -> list[Row[Entry]]:
        included = start.included and start.position is None
        found = [
            key
            for key in self.keys
            if (key >= start.key if included else key > start.key) and (high is None or key < high)
        ][:most]
        self.asked += 1
        self.read += len(found)
        return [row(key) for key in found]


def walk(
    keys: Sequence[bytes], prefix: bytes, delimiter: bytes, after: bytes | None
) -> list[bytes]:
    """The whole listing by the definition: group, drop what is not after, keep the order."""

    def item(key: bytes) -> bytes:
        end = key.find(delimiter, len(prefix)) if delimiter else -1
        return key if end < 0 else key[: end + len(delimiter)]

    skipped = item(after) if after is not None and after.startswith(prefix) else None
    found = dict.fromkeys(
        item(key)
        for key in sorted(keys)
        if key.startswith(prefix) and (after is None or key > after)
    )
    return [each for each in found if each != skipped]


def pages(
    scan: listing.Scan[Entry], prefix: bytes, delimiter: bytes, after: bytes | None, limit: int
) -> Iterator[bytes]:
    while True:
        start = None if after is None else Start(after, included=False)
        items, last = listing.page(scan, prefix, delimiter, start, limit)
        assert len(items) <= limit
        yield from (each if isinstance(each, bytes) else each.key for each in items)
        if last is None:
            return
        after = last if isinstance(last, bytes) else last.key


@settings(max_examples=400, deadline=None)
@given(
    keys=st.sets(TEXT.filter(bool), max_size=40),
    prefix=TEXT,
    delimiter=st.sampled_from(["", "/", "a", "ab", "é", "//"]),
    after=st.none() | TEXT,
    limit=st.integers(1, 7),
)
def test_any_listing_is_what_a_walk_over_all_keys_would_find(
    keys: set[str], prefix: str, delimiter: str, after: str | None, limit: int
) -> None:
    encoded = [key.encode() for key in keys]
    start = None if after is None else after.encode()
    expected = walk(encoded, prefix.encode(), delimiter.encode(), start)
    found = pages(Shelf(encoded).scan, prefix.encode(), delimiter.encode(), start, limit)
    assert list(found) == expected


def test_the_database_orders_keys_as_bytes(store: Store, bucket: Bucket) -> None:
    keys = [
        "a",
        "A",
        "a-b",
        "a/b",
        "a0",
        "a/",
        "a//",
        "é",
        "e\u0301",
        "z",
        "Z",
        "😀",
        "\uffff",
        "\x01",
    ]
    keys += ["a b", "a+b", "a%2Fb", "_", "~", "aa", "a/b/c", "10", "9", "ß", "ss", "İ", "i"]
    for key in keys:
        store.put(bucket, key, [])
    encoded = [key.encode() for key in keys]

    def scan(start: Start, high: bytes | None, most: int) -> Sequence[Row[Entry]]:
        with store.index.look() as connection:
            return scans.entries(connection, bucket, start, high, most)

    for prefix in (b"", b"a", b"a/", b"\xc3"):
        for delimiter in (b"", b"/", b"a"):
            expected = walk(encoded, prefix, delimiter, None)
            for limit in (1, 3, 100):
                assert list(pages(scan, prefix, delimiter, None, limit)) == expected


def test_common_prefixes_are_leapt_over_not_read() -> None:
    shelf = Shelf([b"f%03d/%04d" % (f, n) for f in range(50) for n in range(400)])
    items, _ = listing.page(shelf.scan, b"", b"/", None, 1000)
    assert items == tuple(b"f%03d/" % f for f in range(50))
    assert shelf.asked <= 51
    assert shelf.read <= 51 * 4


def test_a_flat_bucket_is_read_in_large_steps() -> None:
    shelf = Shelf([b"%05d" % n for n in range(5000)])
    items, last = listing.page(shelf.scan, b"", b"/", None, 1000)
    assert len(items) == 1000
    assert isinstance(last, Entry)
    assert last.key == b"00999"
    assert shelf.asked <= 10


def test_a_page_of_nothing_is_empty_and_final(store: Store, bucket: Bucket) -> None:
    store.put(bucket, "k", [])
    page = store.list(bucket, limit=0)
    assert (page.items, page.more) == ((), None)


@pytest.mark.parametrize(
    ("prefix", "above"), [(b"a", b"b"), (b"a\xff", b"b"), (b"\xff\xff", None), (b"", None)]
)
def test_the_successor_is_just_above_all_that_begins_with_a_prefix(
    prefix: bytes, above: bytes | None
) -> None:
    assert listing.successor(prefix) == above
