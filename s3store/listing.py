"""Listing in byte order, with common prefixes found by leaping over them.

The index answers one question only: *which keys lie between these two, at most so many*. A common
prefix is met as its first key; the next question then starts behind everything that begins with
it. So a bucket of a thousand folders with a million keys each lists its folders in a thousand
short questions, never by reading the keys. How much is asked for at once adapts: twice as much
after every answer that was used whole, little after a leap.
"""

from collections.abc import Callable, Iterator, Sequence

from s3store.records import Entry, Page

Scan = Callable[[bytes, bool, bytes | None, int], Sequence[Entry]]
"""(low, whether low itself is included, first key too high or None, most entries) → entries."""

_FEWEST, _MOST = 4, 1000


def page(scan: Scan, prefix: bytes, delimiter: bytes, after: bytes | None, limit: int) -> Page:
    """One page of a listing.

    Args:
        prefix: only keys that begin so.
        delimiter: group keys up to its first occurrence behind the prefix; empty for no grouping.
        after: leave out keys up to and including this one, and, when this one lies in a common
            prefix, all that prefix. None to start at the beginning.
        limit: most items, common prefixes counting one each; 0 gives an empty, final page.
    """
    items: list[Entry | bytes] = []
    if limit <= 0:
        return Page((), None)
    for item in _items(scan, prefix, delimiter, after, limit + 1):
        if len(items) == limit:
            return Page(tuple(items), _position(items[-1]))
        items.append(item)
    return Page(tuple(items), None)


def _items(
    scan: Scan, prefix: bytes, delimiter: bytes, after: bytes | None, wanted: int
) -> Iterator[Entry | bytes]:
    low, included = _start(prefix, delimiter, after)
    high = successor(prefix)
    size = min(wanted, _MOST) if not delimiter else _FEWEST
    while high is None or low < high:
        batch = scan(low, included, high, size)
        leap: bytes | None = None
        for entry in batch:
            if leap is not None and entry.key < leap:
                continue
            group = _group(entry.key, prefix, delimiter)
            yield entry if group is None else group
            if group is not None and (leap := successor(group)) is None:
                return  # nothing can lie above this prefix
            low, included = entry.key, False
        if len(batch) < size:
            return
        size = min(size * 2, _MOST)
        if leap is not None and batch[-1].key < leap:
            low, included, size = leap, True, _FEWEST


def _start(prefix: bytes, delimiter: bytes, after: bytes | None) -> tuple[bytes, bool]:
    """Where the listing starts, and whether that key itself belongs to it."""
    if after is None or after < prefix:
        return prefix, True
    group = _group(after, prefix, delimiter) if after.startswith(prefix) else None
    leap = successor(group) if group is not None else None
    return (leap, True) if leap is not None else (after, False)


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


def _position(item: Entry | bytes) -> bytes:
    return item if isinstance(item, bytes) else item.key
