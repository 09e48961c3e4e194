"""Listing: the same answer as a plain walk over all keys, without the walk."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from s3store import listing
from s3store.listing import Grouping, Row, Start
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

    def scan(self, start: Start, high: bytes, most: int) -> list[Row[Entry]]:
        return self._given([key for key in self.keys if key < high], start, most)

    def leap(self, low: bytes, high: bytes, grouping: Grouping, most: int) -> list[bytes]:
        self.asked += 1
        firsts = dict[bytes, bytes]()
        for key in self.keys:
            if low <= key < high:
                firsts.setdefault(grouping.of(key) or key, key)
        self.read += min(len(firsts), most)
        return list(firsts.values())[:most]

    def pick(self, keys: Sequence[bytes], start: Start, most: int) -> list[Row[Entry]]:
        return self._given([key for key in self.keys if key in keys], start, most)

    def _given(self, keys: list[bytes], start: Start, most: int) -> list[Row[Entry]]:
        self.asked += 1
        included = start.included and start.position is None
        keys = [key for key in keys if key > start.key or (included and key == start.key)]
        self.read += len(keys[:most])
        return [row(key) for key in keys[:most]]


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
    source: Shelf, prefix: bytes, delimiter: bytes, after: bytes | None, limit: int
) -> Iterator[bytes]:
    while True:
        start = None if after is None else Start(after, included=False)
        items, last = listing.page(source, prefix, delimiter, start, limit)
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
    found = pages(Shelf(encoded), prefix.encode(), delimiter.encode(), start, limit)
    assert list(found) == expected


def test_common_prefixes_are_leapt_over_not_read() -> None:
    shelf = Shelf([b"f%03d/%04d" % (f, n) for f in range(50) for n in range(400)])
    items, _ = listing.page(shelf, b"", b"/", None, 1000)
    assert items == tuple(b"f%03d/" % f for f in range(50))
    assert shelf.asked == 2
    assert shelf.read == 16 + 49


def test_a_flat_bucket_is_read_in_large_steps() -> None:
    shelf = Shelf([b"%05d" % n for n in range(5000)])
    items, last = listing.page(shelf, b"", b"/", None, 1000)
    assert len(items) == 1000
    assert isinstance(last, Entry)
    assert last.key == b"00999"
    assert shelf.asked == 3


@pytest.mark.parametrize("folders", [1, 2, 40, 200])
@pytest.mark.parametrize("keys", [0, 1, 2, 40, 200])
def test_a_page_is_a_handful_of_questions_however_keys_and_folders_mix(
    folders: int, keys: int
) -> None:
    mixed: list[bytes] = []
    for number in range(1500):
        alone = number % (folders + keys) < keys
        mixed += [b"%05d" % number] if alone else [b"%05d/%02d" % (number, n) for n in range(20)]
    shelf = Shelf(mixed)
    items, _ = listing.page(shelf, b"", b"/", None, 1000)
    found = [each if isinstance(each, bytes) else each.key for each in items]
    assert found == walk(mixed, b"", b"/", None)[:1000]
    assert shelf.asked <= 5


def test_keys_that_vanish_while_they_are_listed_do_not_end_the_listing() -> None:
    class Vanishing(Shelf):
        def pick(self, keys: Sequence[bytes], start: Start, most: int) -> list[Row[Entry]]:
            return super().pick(keys[1:], start, most)

    keys = [b"a/1", b"a/2", b"a/3", *(b"b%d" % n for n in range(9)), b"c/1"]
    items, last = listing.page(Vanishing(keys), b"", b"/", None, 2)
    assert (items, last) == ((b"a/", row(b"b1").item), row(b"b1").item)


def test_a_page_of_nothing_is_empty_and_final(store: Store, bucket: Bucket) -> None:
    store.put(bucket, "k", [])
    page = store.list(bucket, limit=0)
    assert (page.items, page.more) == ((), None)


@pytest.mark.parametrize(
    ("prefix", "above"), [(b"a", b"b"), (b"a/", b"a0"), ("é".encode(), b"\xc3\xaa"), (b"", b"\xff")]
)
def test_the_successor_is_just_above_all_that_begins_with_a_prefix(
    prefix: bytes, above: bytes
) -> None:
    assert listing.successor(prefix) == above
