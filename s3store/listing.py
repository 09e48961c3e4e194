"""Listing in byte order, with common prefixes found by leaping over them.

The index answers one question only: *which rows lie between these two places, at most so many*. A
common prefix is met as its first key; the next question then starts behind everything that begins
with it. So a bucket of a thousand folders with a million keys each lists its folders in a thousand
short questions, never by reading the keys. How much is asked for at once adapts: twice as much
after every answer that was used whole, little after a leap.

A key may have several rows (versions, uploads); within a key they are in the order of a number.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Generic, NamedTuple, TypeVar

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


Scan = Callable[[Start, bytes | None, int], Sequence[Row[_T]]]
"""(start, first key too high or None, most rows) → rows in order."""

_FEWEST, _MOST = 4, 1000


def page(
    scan: Scan[_T], prefix: bytes, delimiter: bytes, after: Start | None, limit: int
) -> tuple[tuple[_T | bytes, ...], _T | bytes | None]:
    """One page of a listing, and its last item when something follows, else None.

    Args:
        prefix: only keys that begin so.
        delimiter: group keys up to its first occurrence behind the prefix; empty for no grouping.
        after: where to start; when its key lies in a common prefix, that whole prefix is left out.
            None to start at the beginning.
        limit: most items, common prefixes counting one each; 0 gives an empty, final page.
    """
    items: list[_T | bytes] = []
    if limit <= 0:
        return (), None
    for item in _items(scan, prefix, delimiter, after, limit + 1):
        if len(items) == limit:
            return tuple(items), items[-1]
        items.append(item)
    return tuple(items), None


def _items(
    scan: Scan[_T], prefix: bytes, delimiter: bytes, after: Start | None, wanted: int
) -> Iterator[_T | bytes]:
    start = _start(prefix, delimiter, after)
    high = successor(prefix)
    size = min(wanted, _MOST) if not delimiter else _FEWEST
    while high is None or start.key < high:
        batch = scan(start, high, size)
        leap: bytes | None = None
        for row in batch:
            if leap is not None and row.key < leap:
                continue
            group = _group(row.key, prefix, delimiter)
            yield row.item if group is None else group
            if group is not None and (leap := successor(group)) is None:
                return  # nothing can lie above this prefix
            start = Start(row.key, True, row.position)
        if len(batch) < size:
            return
        size = min(size * 2, _MOST)
        if leap is not None and batch[-1].key < leap:
            start, size = Start(leap, True), _FEWEST


def _start(prefix: bytes, delimiter: bytes, after: Start | None) -> Start:
    if after is None or after.key < prefix:
        return Start(prefix, True)
    group = _group(after.key, prefix, delimiter) if after.key.startswith(prefix) else None
    leap = successor(group) if group is not None else None
    return after if leap is None else Start(leap, True)


def _group(key: bytes, prefix: bytes, delimiter: bytes) -> bytes | None:
    """The common prefix a key belongs to, None when it stands for itself."""
    if not delimiter:
        return None
    end = key.find(delimiter, len(prefix))
    return None if end < 0 else key[: end + len(delimiter)]


def successor(prefix: bytes) -> bytes | None:
    """The smallest string above everything that begins with ``prefix``; None when none is."""
    stem = prefix.rstrip(b"\xff")
    return stem[:-1] + bytes([stem[-1] + 1]) if stem else None
