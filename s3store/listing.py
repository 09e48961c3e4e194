"""Listing in byte order, with common prefixes found by leaping over them.

With a delimiter the first rows are read as they come, a few and then more: often that is all there
is. When they end within a common prefix nobody knows how many more keys it has, so from there on
the index is asked to :meth:`~Source.leap`: it goes from key to key, over all that begins with a
common prefix at once. So a page is at most five questions, and takes time for what is on it,
however many keys there are.

A key may have several rows (versions, uploads); within a key they are in the order of a number.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Generic, NamedTuple, Protocol, TypeVar

_T = TypeVar("_T", covariant=True)


class Start(NamedTuple):
    """Where to start: at a key, or behind it, or behind one of its rows.

    Args:
        included: whether the rows of the key itself belong to it.
        position: only those of its rows whose number is higher.
    """

    key: bytes
    included: bool
    position: int | None = None


class Row(NamedTuple, Generic[_T]):
    """Something to be listed, and its place."""

    key: bytes
    position: int
    item: _T


class Grouping(NamedTuple):
    """Keys that begin with ``prefix`` are grouped up to the first ``delimiter`` behind it.

    No grouping is done without a delimiter.
    """

    prefix: bytes
    delimiter: bytes

    def of(self, key: bytes) -> bytes | None:
        """The common prefix a key belongs to, None when it stands for itself."""
        if not self.delimiter:
            return None
        end = key.find(self.delimiter, len(self.prefix))
        return None if end < 0 else key[: end + len(self.delimiter)]


class Source(Protocol[_T]):
    """What a listing asks of the index."""

    def scan(self, start: Start, high: bytes, most: int) -> Sequence[Row[_T]]:
        """The rows from one place on and below a key, in order, at most so many."""

    def leap(self, low: bytes, high: bytes, grouping: Grouping, most: int) -> Sequence[bytes]:
        """From one key on and below another, the first of every group and every one in none.

        In order, at most so many.
        """

    def pick(self, keys: Sequence[bytes], start: Start, most: int) -> Sequence[Row[_T]]:
        """The rows of some keys from a place on, in order, at most so many."""


_READ = (16, 128, 1000)
"""How many rows are read before it comes to leaps: only once a thousand were no page at all."""


def page(
    source: Source[_T], prefix: bytes, delimiter: bytes, after: Start | None, limit: int
) -> tuple[tuple[_T | bytes, ...], _T | bytes | None]:
    """One page of a listing, and its last item when something follows, else None.

    Args:
        prefix: only keys that begin so.
        delimiter: group keys up to its first occurrence behind the prefix; empty for no grouping.
        after: where to start; when its key lies in a common prefix, that whole prefix is left out.
            None to start at the beginning.
        limit: most items, common prefixes counting one each; 0 gives an empty, final page.
    """
    if limit <= 0:
        return (), None
    found = tuple(islice(_items(source, Grouping(prefix, delimiter), after, limit + 1), limit + 1))
    return (found, None) if len(found) <= limit else (found[:limit], found[limit - 1])


def _items(
    source: Source[_T], grouping: Grouping, after: Start | None, wanted: int
) -> Iterator[_T | bytes]:
    start, high = _start(grouping, after), successor(grouping.prefix)
    if not grouping.delimiter:
        yield from [row.item for row in source.scan(start, high, wanted)]
        return
    for most in _READ:
        size = min(most, wanted)
        batch = source.scan(start, high, size)
        leap: bytes | None = None
        for row in batch:
            if leap is not None and row.key < leap:
                continue
            group = grouping.of(row.key)
            yield row.item if group is None else group
            leap = None if group is None else successor(group)
        if len(batch) < size:
            return
        start = (
            Start(batch[-1].key, True, batch[-1].position) if leap is None else Start(leap, True)
        )
        if leap is not None:
            break
    yield from _leaping(source, grouping, start, high, wanted)


def _leaping(
    source: Source[_T], grouping: Grouping, start: Start, high: bytes, wanted: int
) -> Iterator[_T | bytes]:
    most = wanted + 1  # nothing may be left of the key to start with
    while True:
        keys = source.leap(start.key, high, grouping, most)
        groups = [grouping.of(key) for key in keys]
        alone = [key for key, group in zip(keys, groups, strict=True) if group is None]
        rows = _by_key(source.pick(alone, start, wanted) if alone else ())
        for key, group in zip(keys, groups, strict=True):
            if group is None:
                yield from rows[key]  # none, should it have gone since
            else:
                yield group
        if len(keys) < most:
            return
        start = Start(keys[-1] + b"\0" if groups[-1] is None else successor(groups[-1]), True)


def _by_key(found: Iterable[Row[_T]]) -> defaultdict[bytes, list[_T]]:
    rows = defaultdict[bytes, list[_T]](list)
    for row in found:
        rows[row.key].append(row.item)
    return rows


def _start(grouping: Grouping, after: Start | None) -> Start:
    if after is None or after.key < grouping.prefix:
        return Start(grouping.prefix, True)
    group = grouping.of(after.key) if after.key.startswith(grouping.prefix) else None
    return after if group is None else Start(successor(group), True)


def successor(prefix: bytes) -> bytes:
    """The smallest string above every key that begins with ``prefix``, which is UTF-8 as they are.

    No byte of UTF-8 is 0xff, so there always is one.
    """
    return prefix[:-1] + bytes([prefix[-1] + 1]) if prefix else b"\xff"
