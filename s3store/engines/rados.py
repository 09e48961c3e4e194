"""Content as objects of a pool in a Ceph cluster.

A content is cut into stripes, a RADOS object each. The first one, the head, bears its name and says
in its attributes what there is::

    <name>      the first 4 MiB;  "content": bytes, bytes of a stripe, when it was complete
    <name>.1    the next 4 MiB …  "growing": stripes there may be, when that was last raised
                                  "removed": when it was

The head is made before any other stripe and removed after all of them, and one operation on it,
which happens whole or not at all, makes the content complete. So every stripe is found from its
head, and one that has none is rubbish. Only whole writes and attributes are used: the pool may be
erasure-coded. All times are in seconds since 1970.

Removed content is marked, and taken away hours later by the sweep, as nobody can count the readers
of all machines. Who reads for longer gets ``Damaged``.
"""

import itertools
import logging
import re
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import timedelta
from typing import Any, BinaryIO, NamedTuple, Self

from s3store import faults
from s3store.engines.cluster import Cluster, Steps
from s3store.engines.places import Pool
from s3store.engines.ports import PATIENCE, Reader

STRIPE = 4 << 20
"""Bytes of a RADOS object, as other users of Ceph choose them."""

TIMEOUT = timedelta(seconds=30)
"""After which an operation is given up; a cluster gets over the loss of a disk in less."""

_CONTENT, _GROWING, _REMOVED = "content", "growing", "removed"
_AHEAD = 16  # stripes that a head announces at once
_WRITTEN_AT_ONCE = 2
_REMOVED_AT_ONCE = 64
_NAME = re.compile(r"([0-9a-f]{32})(\.[0-9]+)?\Z")
_UNDONE = (faults.StoreBusy, faults.StoreFull)
_log = logging.getLogger(__name__)


class _Head(NamedTuple):
    """What a head says.

    Args:
        size: of the content in bytes; None while it grows.
        stripe: bytes of a stripe.
        stripes: there may be, the head among them.
        touched: when it was completed, or last announced more stripes.
        removed: when it was removed, None when it was not.
    """

    size: int | None
    stripe: int
    stripes: int
    touched: float
    removed: float | None

    @classmethod
    def of(cls, attributes: Mapping[str, bytes]) -> Self | None:
        """What attributes say; None when they are not those of a head."""
        told = attributes.get(_REMOVED)
        removed = None if told is None else float(told)
        if _CONTENT in attributes:
            size, stripe, touched = attributes[_CONTENT].split()
            stripes = -(-int(size) // int(stripe))
            return cls(int(size), int(stripe), stripes, float(touched), removed)
        if _GROWING in attributes:
            announced, touched = attributes[_GROWING].split()
            return cls(None, 0, int(announced), float(touched), removed)
        return None


class RadosEngine:
    """A pool, or a namespace of one, as the place of content. The pool has to be there."""

    def __init__(
        self,
        place: Pool,
        *,
        patience: timedelta = PATIENCE,
        stripe: int = STRIPE,
        timeout: timedelta = TIMEOUT,
    ) -> None:
        """Take where it is; nothing is connected to before the first call.

        Args:
            patience: how long a removed content stays readable to those who have it open.
            stripe: bytes of a RADOS object; what was written in others stays readable.
            timeout: after which an operation is given up, in whole seconds.

        Raises:
            ModuleNotFoundError: Ceph's library is missing.
        """
        self._cluster = Cluster(place, timeout)
        self._patience, self._stripe = patience, stripe

    def close(self) -> None:
        """Give connections back."""
        self._cluster.close()

    # -- writing -------------------------------------------------------------------------------

    def write(self, name: str, pieces: Iterable[bytes]) -> int:
        """See :meth:`Engine.write`. Three stripes of it at a time are held in memory."""
        stripes = _stripes(pieces, self._stripe)
        first = next(stripes)
        second = next(stripes, None)
        if second is not None:
            return self._write_stripes(name, first, itertools.chain((second,), stripes))
        self._create(name, first, _CONTENT, self._complete(len(first)))
        return len(first)

    def _write_stripes(self, name: str, first: bytes, others: Iterator[bytes]) -> int:
        announced, size = _AHEAD, len(first)
        self._create(name, first, _GROWING, _growing(announced))
        with self._cluster.flight(_WRITTEN_AT_ONCE) as flight:
            for number, stripe in enumerate(others, start=1):
                if number == announced:
                    announced += _AHEAD
                    self._tell(name, _GROWING, _growing(announced))
                flight.change(f"{name}.{number}", _writing(stripe))
                size += len(stripe)
        self._tell(name, _CONTENT, self._complete(size))
        return size

    def _create(self, name: str, data: bytes, attribute: str, value: bytes) -> None:
        def steps(operation: Any) -> None:
            operation.write_full(data)
            operation.set_xattr(attribute, value)

        try:
            self._cluster.change(name, steps)
        except FileNotFoundError:  # nothing can be missing but the pool
            raise faults.StoreBusy("The place of the content is gone.") from None

    def _tell(self, name: str, attribute: str, value: bytes) -> None:
        """Set an attribute of a growing content's head."""
        try:
            self._cluster.change(name, _replacing(_GROWING, attribute, value))
        except FileNotFoundError:
            raise faults.UploadAborted("The upload was given up.") from None

    def _complete(self, size: int) -> bytes:
        return f"{size} {self._stripe} {time.time()}".encode()

    def keep(self, name: str) -> None:
        """See :meth:`Engine.keep`."""
        if self.size(name) is None:
            raise faults.UploadAborted("The upload was given up.")

    def link(self, source: str, name: str) -> bool:
        """See :meth:`Engine.link`. RADOS copies nothing from one of its objects to another."""
        return False

    # -- reading -------------------------------------------------------------------------------

    def open(self, name: str) -> Reader:
        """See :meth:`Engine.open`."""
        head = self._head(name)
        if head is None or head.size is None:
            raise FileNotFoundError(name)
        return _Content(self._cluster, name, head.size, head.stripe)

    def hold(self, name: str) -> Reader:
        """See :meth:`Engine.hold`. It need not do more: all that is removed stays for a while."""
        return self.open(name)

    def size(self, name: str) -> int | None:
        """See :meth:`Engine.size`."""
        head = self._head(name)
        return None if head is None else head.size

    def touched(self, name: str) -> float | None:
        """See :meth:`Engine.touched`. Stripes tell their times in whole seconds."""
        head = self._head(name)
        if head is None or head.removed is not None:
            return None
        if head.size is not None:
            return head.touched
        newest = range(max(head.stripes - _AHEAD, 1), head.stripes)
        return max((head.touched, *(self._written(f"{name}.{number}") for number in newest)))

    def names(self) -> Iterator[tuple[str, float]]:
        """See :meth:`Engine.names`. Objects that cannot be ours are passed over."""
        for name, stripe in self._objects():
            head = None if stripe else self._head(name)
            if head is not None and head.removed is None:
                yield name, head.touched

    # -- removing ------------------------------------------------------------------------------

    def release(self, names: Sequence[str]) -> bool:
        """See :meth:`Engine.release`."""
        try:
            self._mark(names)
        except _UNDONE:
            return False
        return True

    def remove(self, *names: str) -> None:
        """See :meth:`Engine.remove`."""
        try:
            self._mark(names)
        except _UNDONE:
            _log.warning("%d removed contents are left to the sweep", len(names))

    def discard(self, *names: str) -> None:
        """See :meth:`Engine.discard`."""
        try:
            self._take_away({name: head for name in names if (head := self._head(name))})
        except _UNDONE:
            _log.warning("%d discarded contents are left to the sweep", len(names))

    def collect(self) -> int:
        """See :meth:`Engine.collect`. It also takes away stripes whose head is gone."""
        due, taken = time.time() - self._patience.total_seconds(), 0
        for name, stripe in self._objects():
            head = self._head(name)
            if stripe and head is None:
                self._delete([name + stripe])
            elif not stripe and head and head.removed is not None and head.removed <= due:
                self._take_away({name: head})
                taken += 1
        return taken

    def _mark(self, names: Sequence[str]) -> None:
        steps = _replacing(_REMOVED, _REMOVED, f"{time.time()}".encode())
        self._each(names, steps)

    def _take_away(self, heads: Mapping[str, _Head]) -> None:
        self._delete(
            f"{name}.{number}" for name, head in heads.items() for number in range(1, head.stripes)
        )
        self._delete(heads)

    def _delete(self, objects: Iterable[str]) -> None:
        self._each(objects, lambda operation: operation.remove())

    def _each(self, objects: Iterable[str], steps: Steps) -> None:
        """Change many; one that is not there is fine."""
        with self._cluster.flight(_REMOVED_AT_ONCE, missing_ok=True) as flight:
            for each in objects:
                flight.change(each, steps)

    # -- asking --------------------------------------------------------------------------------

    def _head(self, name: str) -> _Head | None:
        try:
            with self._cluster.pool() as pool:
                return _Head.of(dict(pool.get_xattrs(name)))
        except FileNotFoundError:
            return None

    def _written(self, stripe: str) -> float:
        with suppress(FileNotFoundError), self._cluster.pool() as pool:
            return time.mktime(pool.stat(stripe)[1])
        return 0.0

    def _objects(self) -> Iterator[tuple[str, str]]:
        """All RADOS objects of ours: name of the content, and ``.1`` and so on of a stripe."""
        with self._cluster.pool() as pool:
            found = pool.list_objects()
        while True:
            with self._cluster.pool():
                each = next(found, None)
            if each is None:
                return
            if ours := _NAME.match(each.key):
                yield ours[1], ours[2] or ""


class _Content:
    """A content open for reading: every fetch is an operation of its own."""

    file: BinaryIO | None = None

    def __init__(self, cluster: Cluster, name: str, size: int, stripe: int) -> None:
        self.piece = stripe
        self._cluster, self._name, self._size, self._stripe = cluster, name, size, stripe

    def fetch(self, offset: int, length: int) -> bytes:
        """See :meth:`Reader.fetch`."""
        end, pieces = min(offset + length, self._size), []
        while offset < end:
            number, start = divmod(offset, self._stripe)
            pieces.append(self._read(number, start, min(self._stripe - start, end - offset)))
            offset += len(pieces[-1])
        return b"".join(pieces)

    def _read(self, number: int, start: int, length: int) -> bytes:
        stripe = f"{self._name}.{number}" if number else self._name
        try:
            with self._cluster.pool() as pool:
                data = bytes(pool.read(stripe, length, start))
        except FileNotFoundError:
            raise faults.Damaged("Some of the content is missing.") from None
        if len(data) != length:
            raise faults.Damaged("Some of the content is missing.")
        return data

    def close(self) -> None:
        """Nothing is kept open."""


def _stripes(pieces: Iterable[bytes], size: int) -> Iterator[bytes]:
    """The content cut anew, at least one stripe."""
    held, some = bytearray(), False
    for piece in pieces:
        held += piece
        while len(held) >= size:
            yield bytes(held[:size])
            del held[:size]
            some = True
    if held or not some:
        yield bytes(held)


def _growing(stripes: int) -> bytes:
    return f"{stripes} {time.time()}".encode()


def _writing(data: bytes) -> Steps:
    def steps(operation: Any) -> None:
        operation.write_full(data)

    return steps


def _replacing(attribute: str, by: str, value: bytes) -> Steps:
    """An attribute instead of another. Only what is there can lose one: no object is made by it."""

    def steps(operation: Any) -> None:
        operation.rm_xattr(attribute)
        operation.set_xattr(by, value)

    return steps
